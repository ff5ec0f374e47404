package platform

import (
	"context"
	"fmt"

	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// proving implements [admin.Ledger].
type proving struct{ platform *Platform }

// Proof proves an event under a checkpoint that covers it; the keeper signs
// one if there is none yet.
func (l proving) Proof(ctx context.Context, at eventstore.Position) (admin.Proof, error) {
	p := l.platform
	e, found, err := l.event(ctx, at)
	if err != nil {
		return admin.Proof{}, err
	}
	if !found {
		return admin.Proof{}, fmt.Errorf("%w: the log has no event at position %d", admin.ErrNotFound, at)
	}
	c, err := l.covering(ctx, e.Leaf)
	if err != nil {
		return admin.Proof{}, err
	}
	proof, err := ledger.Prove(ctx, p.Log, c, e.Leaf)
	if err != nil {
		return admin.Proof{}, err
	}
	key, err := ledger.VerifierKey(p.Log.ID(), c.Epoch, p.CheckpointKey())
	return admin.Proof{Position: at, Record: ledger.Record(p.Log.ID(), e), Proof: string(proof), Key: key}, err
}

func (l proving) event(ctx context.Context, at eventstore.Position) (eventstore.Event, bool, error) {
	if at == 0 {
		return eventstore.Event{}, false, nil
	}
	for e, err := range l.platform.Log.ReadAll(ctx, at-1, eventstore.Filter{}) {
		return e, err == nil && e.Position == at, err
	}
	return eventstore.Event{}, false, nil
}

func (l proving) covering(ctx context.Context, leaf int64) (ledger.Checkpoint, error) {
	p := l.platform
	if p.Keeper != nil {
		if c := p.Keeper.Newest(); c.Size > leaf {
			return c, nil
		}
		return p.sign(ctx)
	}
	s, err := ledger.Stand(ctx, p.Log, p.CheckpointKey(), p.Folder.Checkpoints)
	if err == nil && s.Newest.Size <= leaf {
		err = &ledger.UnverifiableError{What: "no checkpoint covers the event yet"}
	}
	return s.Newest, err
}

// Verify implements [admin.Ledger]. A server signs first, so that all of it can
// be told.
func (l proving) Verify(ctx context.Context) (ledger.Report, error) {
	if l.platform.Keeper != nil {
		if _, err := l.platform.sign(ctx); err != nil {
			return ledger.Report{}, err
		}
	}
	return ledger.Verify(ctx, l.platform.Audit())
}
