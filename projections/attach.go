package projections

import (
	"context"
	"fmt"

	"github.com/chirograph/chirograph/eventstore"
)

// prepare makes the table of builds.
func (d *database) prepare(ctx context.Context) error {
	return d.alone(ctx, build{}, func(tx *Tx) error { return tx.define(ctx, builds) })
}

// attach finds the active build of a projection or makes one. What was folded
// from another log makes way.
func (d *database) attach(ctx context.Context, p Projection, j *eventstore.Journal) (*follower, error) {
	for {
		k, err := d.choose(ctx, p)
		if err != nil {
			return nil, err
		}
		ours, err := d.belongs(ctx, k, j.Log)
		if err != nil {
			return nil, err
		}
		if ours {
			return d.follower(p, j, k.position), nil
		}
		if err := d.renounce(ctx, k); err != nil {
			return nil, err
		}
	}
}

func (d *database) follower(p Projection, j *eventstore.Journal, at eventstore.Position) *follower {
	return &follower{Projection: p, journal: withoutKeys(j), db: d, waits: newWaits(at)}
}

// look finds the active build of a projection and changes nothing.
func (d *database) look(ctx context.Context, p Projection, j *eventstore.Journal) (*follower, error) {
	k := known{build: build{Projection: p}}
	err := d.read(ctx, k.build, func(tx *Tx) (err error) {
		k.checkpoint, err = tx.locate(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBehind, err)
	}
	switch ours, err := d.belongs(ctx, k, j.Log); {
	case err != nil:
		return nil, err
	case !ours:
		return nil, fmt.Errorf("%w: %s is that of another log", ErrBehind, p.Name)
	}
	return d.follower(p, j, k.position), nil
}

// choose returns the active build of this version of a projection, and makes
// one if there is none. Where nobody else uses the database it drops what is
// left over.
func (d *database) choose(ctx context.Context, p Projection) (chosen known, err error) {
	err = d.alone(ctx, build{Projection: p}, func(tx *Tx) error {
		all, err := tx.known(ctx)
		if err != nil {
			return err
		}
		found := false
		for _, k := range all {
			if k.Version == p.Version && k.active {
				chosen, found = k, true
			}
		}
		if !d.shared {
			for _, old := range leftOver(all, p.Version) {
				if err := tx.drop(ctx, old.build); err != nil {
					return err
				}
			}
		}
		if !found {
			chosen.build, err = tx.create(ctx, true)
		}
		chosen.Projection = p
		return err
	})
	return chosen, err
}

// leftOver selects what nobody needs any more once a version is in use: what
// rebuilds left, and versions before the last. That one stays, so that an
// upgrade can be taken back, and because other nodes may still be there.
func leftOver(all []known, version int) (old []known) {
	last := 0
	for _, k := range all {
		if k.active && k.Version < version {
			last = max(last, k.Version)
		}
	}
	for _, k := range all {
		if k.Version < last || !k.active && k.Version <= version {
			old = append(old, k)
		}
	}
	return old
}

// renounce drops a build that is not of this log, unless somebody else did.
func (d *database) renounce(ctx context.Context, k known) error {
	return d.alone(ctx, k.build, func(tx *Tx) error {
		all, err := tx.known(ctx)
		if err != nil {
			return err
		}
		for _, now := range all {
			if now.Version == k.Version && now.generation == k.generation && now.checkpoint == k.checkpoint {
				return tx.drop(ctx, k.build)
			}
		}
		return nil
	})
}

// belongs reports whether a build was folded from this log: it is not ahead of
// it, and the last event folded in is where it was.
func (d *database) belongs(ctx context.Context, k known, log eventstore.Log) (bool, error) {
	head, err := log.Head(ctx)
	if err != nil || k.position > head {
		return false, err
	}
	if k.applied == 0 {
		return true, nil
	}
	for e, err := range log.ReadAll(ctx, k.applied-1, eventstore.Filter{}) {
		if err != nil {
			return false, fmt.Errorf("projection %s: %w", k.Name, err)
		}
		return e.Position == k.applied && e.ID.String() == k.appliedID, nil
	}
	return false, nil
}
