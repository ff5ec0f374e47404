package platform

import (
	"context"
	"errors"
	"time"

	"github.com/chirograph/chirograph/eventstore/ledger"
)

// A Verification is the outcome of a full check in the background.
type Verification struct {
	At      time.Time     `json:"at"`
	Report  ledger.Report `json:"report"`
	Altered string        `json:"altered,omitempty"`
}

// Verified returns the last verification in the background, nil before the
// first.
func (p *Platform) Verified() *Verification { return p.verified.Load() }

// keepVerifying checks the whole log at every interval, slowly. What it finds
// is an alarm and stops nothing: what is served was read and checked by itself.
func (p *Platform) keepVerifying(ctx context.Context) error {
	interval := time.Duration(p.Config.Verification.Interval)
	if interval <= 0 {
		return nil
	}
	next := time.NewTimer(settling)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
			p.verifyOnce(ctx)
			next.Reset(interval)
		}
	}
}

// settling is how long after its start a server verifies for the first time.
const settling = time.Minute

// breath is how long a verification rests between two portions.
const breath = 50 * time.Millisecond

func (p *Platform) verifyOnce(ctx context.Context) {
	audit := p.Audit()
	audit.Progress = func(int64, int64) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(breath):
			return nil
		}
	}
	report, err := ledger.Verify(ctx, audit)
	v := &Verification{At: p.Now().UTC(), Report: report}
	if altered, ok := errors.AsType[*ledger.AlteredError](err); ok {
		v.Altered = altered.Error()
		p.Options.Log.ErrorContext(ctx, "THE LOG WAS ALTERED", "err", err)
	} else if err != nil {
		if ctx.Err() == nil {
			p.failed(ctx, "verification", err)
		}
		return
	}
	p.Metrics.Verified(v.At, v.Altered != "")
	p.verified.Store(v)
}
