package projections

import (
	"context"

	"github.com/chirograph/chirograph/eventstore"
)

// Rebuild folds a projection anew beside its present tables, which answer
// until the new ones have caught up and take their place. Nobody waits for it:
// neither who reads nor who writes the log.
func (s *Set) Rebuild(ctx context.Context, name string) error {
	f, err := s.follower(name)
	if err != nil {
		return err
	}
	f.rebuilding.Lock()
	defer f.rebuilding.Unlock()
	next, err := f.db.create(ctx, f.Projection, false)
	if err != nil {
		return err
	}
	if err := f.replace(ctx, next); err != nil {
		f.db.drop(ctx, next)
		return err
	}
	return nil
}

func (f *follower) replace(ctx context.Context, next build) error {
	at := eventstore.Position(0)
	for range 2 { // the second time it is little
		head, err := f.journal.Log.Head(ctx)
		if err != nil {
			return err
		}
		if at, err = f.db.replay(ctx, f.journal, []build{next}, at, head, func(int, eventstore.Position) {}); err != nil {
			return err
		}
	}
	old, at, err := f.exchange(ctx, next)
	if err != nil {
		return err
	}
	f.waits.reach(at)
	return f.remove(ctx, old)
}

// exchange makes a build the active one in place of another, which it returns.
// The other stands still meanwhile, and what it is ahead by is folded in, so
// that who has read from it does not go back.
func (f *follower) exchange(ctx context.Context, next build) (old build, at eventstore.Position, err error) {
	err = f.db.update(ctx, f.active(), func(tx *Tx) error {
		present, err := tx.locate(ctx)
		if err != nil {
			return err
		}
		old = tx.build
		beside := tx.of(next)
		from, err := beside.locate(ctx)
		if err != nil {
			return err
		}
		to, err := f.rest(ctx, beside, from, present.position)
		if err != nil {
			return err
		}
		at = to.position
		if err := beside.move(ctx, from, to); err != nil {
			return err
		}
		for b, active := range map[*build]int{&old: 0, &next: 1} {
			if _, err := tx.Exec(ctx, "UPDATE projection_builds SET active = ?"+thisBuild, append([]any{active}, b.key()...)...); err != nil {
				return err
			}
		}
		return nil
	})
	return old, at, err
}

// rest folds in what lies between a checkpoint and a position.
func (f *follower) rest(ctx context.Context, tx *Tx, from checkpoint, upTo eventstore.Position) (checkpoint, error) {
	if upTo <= from.position {
		return from, nil
	}
	more := batch{after: from.position, mark: upTo}
	for e, err := range f.journal.ReadAll(ctx, from.position, f.Filter) {
		if err != nil {
			return from, err
		}
		if e.Position > upTo {
			break
		}
		more.events = append(more.events, e)
	}
	return tx.foldIn(ctx, from, more)
}

// remove drops a build that is not active any more. Of a shared database it
// may be that somebody still reads it; then it is removed later.
func (f *follower) remove(ctx context.Context, old build) error {
	err := f.db.drop(ctx, old)
	if f.db.shared {
		return nil
	}
	return err
}
