package projections

import (
	"context"

	"github.com/chirograph/chirograph/eventstore"
)

// Rebuild folds a projection anew beside its present tables, which answer
// until the new ones have caught up and take their place.
func (s *Set) Rebuild(ctx context.Context, name string) error {
	f, err := s.follower(name)
	if err != nil {
		return err
	}
	f.rebuilding.Lock()
	defer f.rebuilding.Unlock()
	next := build{f.Projection, f.build.generation + 1}
	if err := f.db.create(ctx, next, false); err != nil {
		return err
	}
	if err := f.replace(ctx, next); err != nil {
		f.discard(ctx, next)
		return err
	}
	return nil
}

func (f *follower) replace(ctx context.Context, next build) error {
	at, err := f.advance(ctx, next, 0)
	if err != nil {
		return err
	}
	f.applying.Lock() // from here on the old tables stand still
	defer f.applying.Unlock()
	if at, err = f.advance(ctx, next, at); err != nil {
		return err
	}
	f.mu.Lock() // and nobody reads them
	defer f.mu.Unlock()
	old := f.build
	err = f.db.update(ctx, next, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE projection_builds SET active = 1"+thisBuild, next.key()...); err != nil {
			return err
		}
		return tx.drop(ctx, old)
	})
	if err != nil {
		return err
	}
	f.build = next
	f.waits.reach(at)
	return nil
}

// advance folds into a build what the log holds now.
func (f *follower) advance(ctx context.Context, b build, from eventstore.Position) (eventstore.Position, error) {
	head, err := f.journal.Log.Head(ctx)
	if err != nil {
		return 0, err
	}
	return f.db.replay(ctx, f.journal, []build{b}, from, head)
}

// discard removes a build that did not come to be, even if ctx has ended.
// Should that fail too, the next start removes it.
func (f *follower) discard(ctx context.Context, b build) {
	ctx = context.WithoutCancel(ctx)
	f.db.update(ctx, b, func(tx *Tx) error { return tx.drop(ctx, b) })
}
