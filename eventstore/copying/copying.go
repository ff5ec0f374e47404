// Package copying moves a log to another engine. The copy has the same id,
// events, order, bytes and root, and its checkpoints, so whatever was proved of
// the log holds of its copy.
//
// A copy that was interrupted is resumed by copying again: it goes on after the
// last event that is there, if that and all before it are those of the source.
// Nobody may write to the copy meanwhile. The source may be served; what it
// gets while it is copied is copied by the next run, so the last one is made
// when it is at rest.
//
// What is beside a log is not copied: replay keys, which is why a server that
// goes on with the copy should begin when those of the last minutes have
// expired, and claims, which begin anew with the checkpoints.
package copying

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"golang.org/x/mod/sumdb/tlog"
)

type (
	// A Source is a log with its tree.
	Source interface {
		eventstore.Log
		ledger.Vault
	}

	// A Target is a log that takes over the history of another. If it numbers
	// its events after it has taken them, something must do so meanwhile.
	Target interface {
		Source
		eventstore.Importer
	}
)

// A Plan says what is copied where.
type Plan struct {
	From Source
	To   Target            // made with the id of From
	Key  ed25519.PublicKey // of the checkpoints

	// Progress, if set, is told now and then how many events are there, and
	// then once more how many are checked; an error ends the copying.
	Progress func(done, of int64) error
}

// ErrOther means that what is at the target is not the beginning of the
// source.
var ErrOther = errors.New("copying: the target has another history")

// Copy brings the target to where the source is now and then checks all of it:
// every event is hashed anew, the root must be that of the source, and every
// checkpoint of the source must hold over the target. The source needs one.
// [ledger.AlteredError] if the source, or the copy, is not what was written.
func Copy(ctx context.Context, p Plan) (ledger.Report, error) {
	if p.From.ID() != p.To.ID() {
		return ledger.Report{}, fmt.Errorf("%w: it is log %s, the source %s", ErrOther, p.To.ID(), p.From.ID())
	}
	size, err := p.size(ctx)
	if err != nil {
		return ledger.Report{}, err
	}
	done, err := p.resume(ctx, size)
	if err != nil {
		return ledger.Report{}, err
	}
	if err := p.events(ctx, done, size); err != nil {
		return ledger.Report{}, err
	}
	if err := p.checkpoints(ctx, size); err != nil {
		return ledger.Report{}, err
	}
	return p.verify(ctx, size)
}

// size is how many events are copied. What nobody signed could not be checked.
func (p Plan) size(ctx context.Context) (int64, error) {
	size, err := p.From.Size(ctx)
	var note []byte
	if err == nil && size > 0 {
		note, err = p.From.NewestCheckpoint(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("copying: source: %w", err)
	}
	if size > 0 && note == nil {
		return 0, &ledger.UnverifiableError{What: "the source has no checkpoint"}
	}
	return size, nil
}

// verify checks the copy in full.
func (p Plan) verify(ctx context.Context, size int64) (r ledger.Report, err error) {
	if err := p.numbered(ctx, size); err != nil {
		return r, err
	}
	if err := p.sameRoot(ctx, size, &ledger.AlteredError{What: "the root of the copy is not that of the source"}); err != nil {
		return r, err
	}
	r, err = ledger.Verify(ctx, ledger.Audit{Log: p.To, Key: p.Key, Progress: p.Progress})
	if err == nil && r.Events != size {
		err = fmt.Errorf("copying: the copy has %d events, the source %d", r.Events, size)
	}
	return r, err
}

// sameRoot returns otherwise if the two logs differ in their first events.
func (p Plan) sameRoot(ctx context.Context, size int64, otherwise error) error {
	var roots [2]tlog.Hash
	for i, log := range []ledger.Source{p.From, p.To} {
		var err error
		if roots[i], err = ledger.Root(ctx, log, size); err != nil {
			return err
		}
	}
	if roots[0] != roots[1] {
		return otherwise
	}
	return nil
}
