package projections

import (
	"context"
	"database/sql"
	"fmt"
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

// rebind numbers the placeholders where the database wants that.
func (d Dialect) rebind(query string) string {
	if d == SQLite {
		return query
	}
	var b strings.Builder
	n := 0
	for _, c := range query {
		if c != '?' {
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

// A database holds the tables of all projections. One transaction writes at a
// time.
type database struct {
	db      *sql.DB
	dialect Dialect
	writing sync.Mutex
}

// update runs f in a transaction that writes.
func (d *database) update(ctx context.Context, b build, f func(*Tx) error) error {
	d.writing.Lock()
	defer d.writing.Unlock()
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(&Tx{tx: tx, build: b, dialect: d.dialect, prepared: map[string]*sql.Stmt{}}); err != nil {
		return err
	}
	return tx.Commit()
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
	prepared map[string]*sql.Stmt // end with the transaction
}

func (t *Tx) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, there := t.prepared[query]; there {
		return s, nil
	}
	s, err := t.tx.PrepareContext(ctx, t.dialect.rebind(t.build.sql(query)))
	if err != nil {
		return nil, fmt.Errorf("projection %s: %w", t.build.Name, err)
	}
	t.prepared[query] = s
	return s, nil
}

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	s, err := t.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, fmt.Errorf("projection %s: %w", t.build.Name, err)
	}
	return result.RowsAffected()
}

// define runs a statement that makes or drops a table.
func (t *Tx) define(ctx context.Context, statement string) error {
	if _, err := t.tx.ExecContext(ctx, t.dialect.ddl(statement)); err != nil {
		return fmt.Errorf("projection %s: %w", t.build.Name, err)
	}
	return nil
}

// A scanner is a row of an answer.
type scanner interface{ Scan(...any) error }

// collect returns every row of an answer.
func collect[T any](ctx context.Context, t *Tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	s, err := t.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, fmt.Errorf("projection %s: %w", t.build.Name, err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("projection %s: %w", t.build.Name, err)
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
