package projections

import (
	"context"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/eventstore"
)

// A checkpoint says how far a build has come. Applied and its id name the last
// event folded in, by which the build is recognised as one of this log.
type checkpoint struct {
	position  eventstore.Position
	applied   eventstore.Position
	appliedID string
}

var (
	// errGone means that a build was replaced or dropped by another node.
	errGone = errors.New("its tables are gone")

	// errGap means that a build is not as far as where a batch begins.
	errGap = errors.New("its tables were begun anew")
)

// locate returns the checkpoint of the build of this transaction. Without a
// generation that is the active one, whose generation it gets. Where it
// writes, nobody else moves the checkpoint until it ends.
func (t *Tx) locate(ctx context.Context) (checkpoint, error) {
	query, args := "SELECT generation, position, applied, applied_id FROM projection_builds"+thisBuild, t.build.key()
	if t.build.generation == 0 {
		query = "SELECT generation, position, applied, applied_id FROM projection_builds WHERE name = ? AND version = ? AND active = 1"
		args = args[:2]
	}
	if t.writes && t.dialect == PostgreSQL {
		query += " FOR UPDATE"
	}
	for range 2 { // what waited for a switch to end sees the next build only when it asks again
		generation := 0
		c, found, err := first(ctx, t, func(s scanner) (c checkpoint, err error) {
			err = s.Scan(&generation, &c.position, &c.applied, &c.appliedID)
			return c, err
		}, query, args...)
		if err != nil {
			return c, err
		}
		if found {
			t.build.generation = generation
			return c, nil
		}
	}
	return checkpoint{}, fmt.Errorf("projection %s version %d: %w", t.build.Name, t.build.Version, errGone)
}

// move advances the checkpoint from where this transaction saw it. Two
// processes that fold into the same tables cannot both succeed.
func (t *Tx) move(ctx context.Context, from, to checkpoint) error {
	if to == from {
		return nil
	}
	changed, err := t.Exec(ctx, "UPDATE projection_builds SET position = ?, applied = ?, applied_id = ?"+thisBuild+" AND position = ?",
		append(t.build.key(to.position, to.applied, to.appliedID), from.position)...)
	if err == nil && changed != 1 {
		err = fmt.Errorf("projection %s: somebody else moved its checkpoint", t.build.Name)
	}
	return err
}

// A batch is what the log has after a position up to another, but for what a
// projection does not select.
type batch struct {
	after, mark eventstore.Position
	events      []eventstore.Decoded
}

// apply folds a batch into a build and moves its checkpoint, all or nothing.
// What the build has already seen changes nothing. It returns the position of
// the build.
func (d *database) apply(ctx context.Context, b build, more batch) (reached eventstore.Position, err error) {
	err = d.update(ctx, b, func(tx *Tx) error {
		from, err := tx.locate(ctx)
		if err != nil {
			return err
		}
		to, err := tx.foldIn(ctx, from, more)
		if err != nil {
			return err
		}
		reached = to.position
		return tx.move(ctx, from, to)
	})
	return reached, err
}

// foldIn folds in what of a batch lies beyond a checkpoint, and returns the
// checkpoint after it.
func (t *Tx) foldIn(ctx context.Context, from checkpoint, more batch) (checkpoint, error) {
	if from.position < more.after {
		return from, fmt.Errorf("projection %s is at %d, not at %d: %w", t.build.Name, from.position, more.after, errGap)
	}
	to := from
	selected := make([]eventstore.Decoded, 0, len(more.events))
	for _, e := range more.events {
		if e.Position <= from.position || !t.build.Filter.Selects(e.Stream, e.Type) {
			continue
		}
		if e.Position >= eventstore.Unnumbered {
			return from, fmt.Errorf("projection %s: %s has an event without a position", t.build.Name, e.Stream)
		}
		selected = append(selected, e)
		to = checkpoint{e.Position, e.Position, e.ID.String()}
	}
	if len(selected) > 0 {
		if err := t.build.Fold(ctx, t, selected); err != nil {
			return from, fmt.Errorf("projection %s at positions %d to %d: %w", t.build.Name, selected[0].Position, to.position, err)
		}
	}
	to.position = max(to.position, more.mark)
	return to, nil
}
