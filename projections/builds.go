package projections

import (
	"context"
	"fmt"
	"strings"
)

// A build is one set of tables of a projection. A rebuild makes the next
// generation beside the present one. Generation 0 stands for whichever is
// active.
type build struct {
	Projection
	generation int
}

func (b build) suffix() string { return fmt.Sprintf("_v%d_g%d", b.Version, b.generation) }

// sql replaces the table names in braces by those of the build.
func (b build) sql(query string) string {
	return strings.NewReplacer("{", "", "}", b.suffix()).Replace(query)
}

// schema returns the statements that make the tables of the build.
func (b build) schema() []string {
	var ddl []string
	for _, t := range b.Tables {
		ddl = append(ddl, b.sql(fmt.Sprintf("CREATE TABLE {%s} (%s, PRIMARY KEY (%s)) WITHOUT ROWID", t.Name, t.Columns, t.Key)))
		for i, columns := range t.Indexes {
			ddl = append(ddl, b.sql(fmt.Sprintf("CREATE INDEX %s_%d{} ON {%s} (%s)", t.Name, i, t.Name, columns)))
		}
	}
	return ddl
}

// tables names the tables of the build, separated by spaces.
func (b build) tables() string {
	var names []string
	for _, t := range b.Tables {
		names = append(names, b.sql("{"+t.Name+"}"))
	}
	return strings.Join(names, " ")
}

const builds = `CREATE TABLE IF NOT EXISTS projection_builds (
	name TEXT NOT NULL, version INTEGER NOT NULL, generation INTEGER NOT NULL,
	active INTEGER NOT NULL, position INTEGER NOT NULL, applied INTEGER NOT NULL, applied_id TEXT NOT NULL,
	tables TEXT NOT NULL,
	PRIMARY KEY (name, version, generation))`

const thisBuild = " WHERE name = ? AND version = ? AND generation = ?"

func (b build) key(more ...any) []any { return append(more, b.Name, b.Version, b.generation) }

// known is a build as the table of builds has it.
type known struct {
	build
	checkpoint
	active bool
}

// known lists the builds of a projection, of every version.
func (t *Tx) known(ctx context.Context) ([]known, error) {
	return collect(ctx, t, func(s scanner) (k known, err error) {
		k.Name = t.build.Name
		err = s.Scan(&k.Version, &k.generation, &k.active, &k.position, &k.applied, &k.appliedID)
		return k, err
	}, "SELECT version, generation, active, position, applied, applied_id FROM projection_builds WHERE name = ? ORDER BY version, generation", t.build.Name)
}

// create makes the empty tables of the next generation.
func (t *Tx) create(ctx context.Context, active bool) (build, error) {
	b := t.build
	last, _, err := first(ctx, t, value[int], "SELECT COALESCE(MAX(generation), 0) FROM projection_builds WHERE name = ? AND version = ?", b.Name, b.Version)
	if err != nil {
		return b, err
	}
	b.generation = last + 1
	for _, statement := range b.schema() {
		if err := t.define(ctx, statement); err != nil {
			return b, err
		}
	}
	_, err = t.Exec(ctx, `INSERT INTO projection_builds (active, tables, name, version, generation, position, applied, applied_id)
		VALUES (?, ?, ?, ?, ?, 0, 0, '')`, b.key(number(active), b.tables())...)
	return b, err
}

func (d *database) create(ctx context.Context, p Projection, active bool) (b build, err error) {
	err = d.alone(ctx, build{Projection: p}, func(tx *Tx) error {
		b, err = tx.create(ctx, active)
		return err
	})
	return b, err
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

// briefly bounds how long dropping a table waits for those who still read it:
// whoever comes to read it meanwhile would wait too.
const briefly = "SET LOCAL lock_timeout = '200ms'"

// drop removes a build, even if ctx has ended. It gives up if somebody reads
// its tables; then whoever folds the projection removes it later.
func (d *database) drop(ctx context.Context, b build) error {
	return d.update(context.WithoutCancel(ctx), b, func(tx *Tx) error {
		if d.dialect == PostgreSQL {
			if err := tx.define(ctx, briefly); err != nil {
				return err
			}
		}
		return tx.drop(ctx, b)
	})
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
