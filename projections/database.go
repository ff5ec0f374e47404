package projections

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// A Dialect is how a database wants its SQL. The zero Dialect is SQLite.
type Dialect int

const (
	SQLite Dialect = iota
	PostgreSQL
)

// rebind numbers the placeholders where the database wants that. A question
// mark within quotes is none.
func (d Dialect) rebind(query string) string {
	if d == SQLite {
		return query
	}
	var b strings.Builder
	n, quoted := 0, false
	for _, c := range query {
		if c == '\'' {
			quoted = !quoted
		}
		if c != '?' || quoted {
			b.WriteRune(c)
			continue
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

// ddl turns a definition into the database's own. Text is ordered by its
// bytes everywhere, so that rows compare alike.
func (d Dialect) ddl(statement string) string {
	if d == SQLite {
		return statement
	}
	return strings.NewReplacer(" WITHOUT ROWID", "", "INTEGER", "BIGINT", " TEXT", ` TEXT COLLATE "C"`).Replace(statement)
}

// A database holds the tables of all projections, of one node or of many. A
// file takes one writer at a time; a server sorts writers out by itself.
type database struct {
	db      *sql.DB
	dialect Dialect
	shared  bool       // with other nodes
	writing sync.Mutex // of a file
}

// patience is how long a server lets a writer do nothing, and with it hold up
// others: a process that was paused must not keep what it had locked.
const patience = "SET LOCAL idle_in_transaction_session_timeout = '10s'"

// update runs f in a transaction that writes.
func (d *database) update(ctx context.Context, b build, f func(*Tx) error) error {
	if d.dialect == SQLite {
		d.writing.Lock()
		defer d.writing.Unlock()
	}
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if d.dialect == PostgreSQL {
		if _, err := tx.ExecContext(ctx, patience); err != nil {
			return err
		}
	}
	if err := f(&Tx{tx: tx, build: b, dialect: d.dialect, writes: true, prepared: map[string]*sql.Stmt{}}); err != nil {
		return err
	}
	return tx.Commit()
}

// alone is update that no other node's alone runs beside: for making and
// dropping tables.
func (d *database) alone(ctx context.Context, b build, f func(*Tx) error) error {
	return d.update(ctx, b, func(tx *Tx) error {
		if d.dialect == PostgreSQL {
			const lock = "SELECT pg_advisory_xact_lock(hashtext('projections ' || current_schema()))"
			if _, err := tx.tx.ExecContext(ctx, lock); err != nil {
				return err
			}
		}
		return f(tx)
	})
}

// read runs f in a transaction that sees one state of the database.
func (d *database) read(ctx context.Context, b build, f func(*Tx) error) error {
	options := &sql.TxOptions{ReadOnly: true}
	if d.dialect == PostgreSQL {
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := d.db.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return f(&Tx{tx: tx, build: b, dialect: d.dialect, prepared: map[string]*sql.Stmt{}})
}

// A Tx runs the SQL of one build of a projection. Table names are written in
// braces and placeholders as question marks.
type Tx struct {
	tx       *sql.Tx
	build    build
	dialect  Dialect
	writes   bool
	prepared map[string]*sql.Stmt // end with the transaction
}

// of returns the same transaction for another build.
func (t *Tx) of(b build) *Tx {
	return &Tx{tx: t.tx, build: b, dialect: t.dialect, writes: t.writes, prepared: map[string]*sql.Stmt{}}
}

func (t *Tx) failed(err error) error { return fmt.Errorf("projection %s: %w", t.build.Name, err) }

// prepare parses a statement once for the transaction. The driver of a server
// does so by itself, once for the connection.
func (t *Tx) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, there := t.prepared[query]; there {
		return s, nil
	}
	s, err := t.tx.PrepareContext(ctx, t.build.sql(query))
	if err != nil {
		return nil, t.failed(err)
	}
	t.prepared[query] = s
	return s, nil
}

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	var result sql.Result
	var err error
	if t.dialect == PostgreSQL {
		result, err = t.tx.ExecContext(ctx, t.dialect.rebind(t.build.sql(query)), storable(args)...)
	} else {
		var s *sql.Stmt
		if s, err = t.prepare(ctx, query); err != nil {
			return 0, err
		}
		result, err = s.ExecContext(ctx, storable(args)...)
	}
	if err != nil {
		return 0, t.failed(err)
	}
	return result.RowsAffected()
}

func (t *Tx) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if t.dialect == PostgreSQL {
		return t.tx.QueryContext(ctx, t.dialect.rebind(t.build.sql(query)), storable(args)...)
	}
	s, err := t.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, storable(args)...)
}

// storable returns args as every database takes them.
func storable(args []any) []any {
	for i, arg := range args {
		if v := reflect.ValueOf(arg); v.Kind() == reflect.String {
			args[i] = whole(v.String())
		}
	}
	return args
}

// whole replaces the character 0, which not every database takes and which may
// be in what a client sends.
func whole(text string) string {
	if strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(text, "\x00", "\uFFFD")
}

// define runs a statement that makes or drops a table.
func (t *Tx) define(ctx context.Context, statement string) error {
	if _, err := t.tx.ExecContext(ctx, t.dialect.ddl(statement)); err != nil {
		return t.failed(err)
	}
	return nil
}

// A scanner is a row of an answer.
type scanner interface{ Scan(...any) error }

// collect returns every row of an answer.
func collect[T any](ctx context.Context, t *Tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := t.query(ctx, query, args...)
	if err != nil {
		return nil, t.failed(err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, t.failed(err)
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// first returns the first row of an answer, if it has one.
func first[T any](ctx context.Context, t *Tx, scan func(scanner) (T, error), query string, args ...any) (row T, found bool, err error) {
	all, err := collect(ctx, t, scan, query, args...)
	if err != nil || len(all) == 0 {
		return row, false, err
	}
	return all[0], true, nil
}

// value scans a row of one column.
func value[T any](s scanner) (v T, err error) {
	err = s.Scan(&v)
	return v, err
}
