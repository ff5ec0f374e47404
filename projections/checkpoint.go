package projections

import (
	"context"
	"fmt"
	"strings"

	"github.com/chirograph/chirograph/eventstore"
)

// A checkpoint says how far a build has come. Applied and its id name the last
// event folded in, by which the build is recognised as one of this log.
type checkpoint struct {
	position  eventstore.Position
	applied   eventstore.Position
	appliedID string
}

const builds = `CREATE TABLE IF NOT EXISTS projection_builds (
	name TEXT NOT NULL, version INTEGER NOT NULL, generation INTEGER NOT NULL,
	active INTEGER NOT NULL, position INTEGER NOT NULL, applied INTEGER NOT NULL, applied_id TEXT NOT NULL,
	tables TEXT NOT NULL,
	PRIMARY KEY (name, version, generation))`

const thisBuild = " WHERE name = ? AND version = ? AND generation = ?"

func (b build) key(more ...any) []any { return append(more, b.Name, b.Version, b.generation) }

func (t *Tx) checkpoint(ctx context.Context) (checkpoint, error) {
	c, found, err := first(ctx, t, func(s scanner) (c checkpoint, err error) {
		err = s.Scan(&c.position, &c.applied, &c.appliedID)
		return c, err
	}, "SELECT position, applied, applied_id FROM projection_builds"+thisBuild, t.build.key()...)
	if err == nil && !found {
		err = fmt.Errorf("projection %s: version %d generation %d is gone", t.build.Name, t.build.Version, t.build.generation)
	}
	return c, err
}

// move advances the checkpoint from where this transaction saw it. Two
// processes that fold into the same tables cannot both succeed.
func (t *Tx) move(ctx context.Context, from, to checkpoint) error {
	changed, err := t.Exec(ctx, "UPDATE projection_builds SET position = ?, applied = ?, applied_id = ?"+thisBuild+" AND position = ?",
		append(t.build.key(to.position, to.applied, to.appliedID), from.position)...)
	if err == nil && changed != 1 {
		err = fmt.Errorf("projection %s: somebody else moved its checkpoint", t.build.Name)
	}
	return err
}

// apply folds events in and moves the checkpoint to mark, all or nothing.
// What the build has already seen changes nothing. It returns the checkpoint.
func (d *database) apply(ctx context.Context, b build, events []eventstore.Decoded, mark eventstore.Position) (eventstore.Position, error) {
	var reached eventstore.Position
	err := d.update(ctx, b, func(tx *Tx) error {
		from, err := tx.checkpoint(ctx)
		if err != nil {
			return err
		}
		to := from
		for _, e := range events {
			if e.Position <= from.position || !b.Filter.Selects(e.Stream, e.Type) {
				continue
			}
			if err := b.Apply(ctx, tx, e); err != nil {
				return fmt.Errorf("projection %s at position %d: %w", b.Name, e.Position, err)
			}
			to = checkpoint{e.Position, e.Position, e.ID.String()}
		}
		to.position = max(to.position, mark)
		reached = to.position
		if to == from {
			return nil
		}
		return tx.move(ctx, from, to)
	})
	return reached, err
}

// create makes the empty tables of a build.
func (d *database) create(ctx context.Context, b build, active bool) error {
	return d.update(ctx, b, func(tx *Tx) error {
		for _, statement := range b.schema() {
			if err := tx.define(ctx, statement); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO projection_builds (active, tables, name, version, generation, position, applied, applied_id)
			VALUES (?, ?, ?, ?, ?, 0, 0, '')`, b.key(number(active), b.tables())...)
		return err
	})
}

// tables names the tables of the build, separated by spaces.
func (b build) tables() string {
	var names []string
	for _, t := range b.Tables {
		names = append(names, b.sql("{"+t.Name+"}"))
	}
	return strings.Join(names, " ")
}

// drop removes the tables of a build, which may be of a version that this code
// no longer knows.
func (t *Tx) drop(ctx context.Context, b build) error {
	tables, _, err := first(ctx, t, value[string], "SELECT tables FROM projection_builds"+thisBuild, b.key()...)
	if err != nil {
		return err
	}
	for _, table := range strings.Fields(tables) {
		if err := t.define(ctx, "DROP TABLE IF EXISTS "+table); err != nil {
			return err
		}
	}
	_, err = t.Exec(ctx, "DELETE FROM projection_builds"+thisBuild, b.key()...)
	return err
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
