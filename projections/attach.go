package projections

import (
	"context"
	"fmt"

	"github.com/chirograph/chirograph/eventstore"
)

// prepare makes the table of builds.
func (d *database) prepare(ctx context.Context) error {
	return d.update(ctx, build{}, func(tx *Tx) error { return tx.define(ctx, builds) })
}

// attach finds the active build of a projection or makes one.
func (d *database) attach(ctx context.Context, p Projection, j *eventstore.Journal) (*follower, error) {
	b, found, err := d.choose(ctx, p)
	if err != nil {
		return nil, err
	}
	if found {
		at, ours, err := d.belongs(ctx, b, j.Log)
		switch {
		case err != nil:
			return nil, err
		case ours:
			return d.follower(b, j, at), nil
		}
		if err := d.update(ctx, b, func(tx *Tx) error { return tx.drop(ctx, b) }); err != nil {
			return nil, err
		}
	}
	b = build{p, 1}
	return d.follower(b, j, 0), d.create(ctx, b, true)
}

func (d *database) follower(b build, j *eventstore.Journal, at eventstore.Position) *follower {
	return &follower{Projection: b.Projection, journal: withoutKeys(j), db: d, build: b, waits: newWaits(at)}
}

// look finds the active build of a projection and changes nothing.
func (d *database) look(ctx context.Context, p Projection, j *eventstore.Journal) (*follower, error) {
	var found []known
	err := d.read(ctx, build{Projection: p}, func(tx *Tx) (err error) {
		found, err = tx.known(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, k := range found {
		b := build{p, k.generation}
		if k.version != p.Version || !k.active {
			continue
		}
		at, ours, err := d.belongs(ctx, b, j.Log)
		if err != nil {
			return nil, err
		}
		if ours {
			return d.follower(b, j, at), nil
		}
	}
	return nil, fmt.Errorf("%w: there is no %s of this version and log", ErrBehind, p.Name)
}

// known is a build as the table of builds has it.
type known struct {
	version, generation int
	active              bool
}

func (t *Tx) known(ctx context.Context) ([]known, error) {
	return collect(ctx, t, func(s scanner) (k known, err error) {
		err = s.Scan(&k.version, &k.generation, &k.active)
		return k, err
	}, "SELECT version, generation, active FROM projection_builds WHERE name = ?", t.build.Name)
}

// choose returns the active build of this version of a projection. It drops
// builds that a rebuild left unfinished, and versions older than the last: the
// last one stays, so that an upgrade can be taken back.
func (d *database) choose(ctx context.Context, p Projection) (chosen build, found bool, err error) {
	err = d.update(ctx, build{Projection: p}, func(tx *Tx) error {
		all, err := tx.known(ctx)
		if err != nil {
			return err
		}
		for _, k := range all {
			old := build{Projection{Name: p.Name, Version: k.version}, k.generation}
			switch {
			case k.version == p.Version && k.active:
				chosen, found = build{p, k.generation}, true
			case !k.active, k.version < p.Version-1:
				if err := tx.drop(ctx, old); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return chosen, found, err
}

// belongs reports whether a build was folded from this log: it is not ahead of
// it, and the last event folded in is where it was.
func (d *database) belongs(ctx context.Context, b build, log eventstore.Log) (eventstore.Position, bool, error) {
	var c checkpoint
	err := d.read(ctx, b, func(tx *Tx) (err error) {
		c, err = tx.checkpoint(ctx)
		return err
	})
	if err != nil {
		return 0, false, err
	}
	head, err := log.Head(ctx)
	if err != nil || c.position > head {
		return 0, false, err
	}
	if c.applied == 0 {
		return c.position, true, nil
	}
	for e, err := range log.ReadAll(ctx, c.applied-1, eventstore.Filter{}) {
		if err != nil {
			return 0, false, fmt.Errorf("projection %s: %w", b.Name, err)
		}
		return c.position, e.Position == c.applied && e.ID.String() == c.appliedID, nil
	}
	return 0, false, nil
}
