// Package tables keeps a few tables beside the log: in a SQLite file that one
// process has open, or in a PostgreSQL schema that many nodes share. Who keeps
// them writes one SQL for both.
//
//   - Placeholders are question marks, and no query holds another one.
//   - Types are TEXT, INTEGER and BLOB. "id INTEGER PRIMARY KEY" numbers rows
//     by itself. Text compares by its bytes.
//   - A transaction that reads a row in order to change it reads it with
//     [Tx.Lock]. On a file nobody else writes meanwhile; on a shared database
//     the row stays as it was read.
//   - A row that may not exist is looked for and then inserted. When a racer
//     inserts it in between, [DB.Update] begins again and finds it.
package tables

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
)

// Why tables are not opened or filled.
var (
	// ErrNewer means that a later version of the platform has changed the
	// tables in a way that this version does not know. They are not touched.
	ErrNewer = errors.New("the tables have a newer format than this version knows")

	// ErrOlder means that tables must first be opened to be written, which
	// lifts them to the format of this version.
	ErrOlder = errors.New("the tables have an older format")

	// ErrNotEmpty means that tables to be filled from a backup hold rows.
	ErrNotEmpty = errors.New("the tables are not empty")

	// ErrNone means that tables to be read were never made.
	ErrNone = errors.New("there are no tables yet")

	// ErrReadOnly means that the tables were opened for reading only.
	ErrReadOnly = errors.New("the tables were opened for reading only")
)

// A Schema is what the tables of one part of the platform look like.
type Schema struct {
	Part string // its name, as in "keys"

	// Formats lifts the tables from each format to the next. Rows are added,
	// never edited: the number of rows is the format. On a shared database,
	// nodes of two versions run at once: a lift adds tables, indexes and
	// columns that older versions need not know.
	Formats []string

	// Since is the oldest format whose version of the platform may go on
	// beside the newest one, on a shared database.
	Since int

	Tables []string // in the order in which they are copied
}

// A DB is the tables of one part.
type DB struct {
	schema      Schema
	write, read *sql.DB
	shared      bool
	readOnly    bool
	copying     sync.Mutex

	// unclean says that a file may hold traces of what was erased. Nobody
	// knows what a process did before that had it open.
	unclean atomic.Bool
}

// Open opens the tables in a SQLite file, and makes a missing one, for its
// owner only. It has one writing connection, so that writers queue in Go,
// where they can give up. [ErrNewer] if a later version of the platform wrote
// the file.
func Open(ctx context.Context, path string, s Schema) (*DB, error) {
	write, read, err := openFile(path)
	if err != nil {
		return nil, err
	}
	return (&DB{schema: s, write: write, read: read}).ready(ctx)
}

// Share opens the tables in the first schema of a PostgreSQL connection's
// search path, and makes them if they are missing. Any number of nodes may do
// so at once. The database stays its caller's to close.
func Share(ctx context.Context, db *sql.DB, s Schema) (*DB, error) {
	return (&DB{schema: s, write: db, read: db, shared: true}).ready(ctx)
}

// ShareForReading is [Share] of tables that are there, of this version's
// format: [ErrNone] or [ErrOlder] if they are not. It writes nothing, so a
// standby will do.
func ShareForReading(ctx context.Context, db *sql.DB, s Schema) (*DB, error) {
	d := &DB{schema: s, write: db, read: db, shared: true, readOnly: true}
	if err := d.formatted(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *DB) ready(ctx context.Context) (*DB, error) {
	d.unclean.Store(true)
	for _, step := range []func(context.Context) error{d.asserted, d.migrate} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, d.Close())
		}
	}
	return d, nil
}

// Shared reports whether other nodes may have the tables open too.
func (d *DB) Shared() bool { return d.shared }

// Close closes the file.
func (d *DB) Close() error {
	if d.shared {
		return nil
	}
	return errors.Join(d.read.Close(), d.write.Close())
}
