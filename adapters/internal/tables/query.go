package tables

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"
)

// A Reader asks for rows.
type Reader interface {
	QueryRow(ctx context.Context, query string, args ...any) Row
	Query(ctx context.Context, query string, args ...any) (*Rows, error)
}

var _, _ Reader = (*DB)(nil), Tx{}

// QueryRow implements [Reader] on what is committed.
func (d *DB) QueryRow(ctx context.Context, query string, args ...any) Row {
	return d.begin(ctx, d.bound(patience)).row(d.read, d.words(query), args)
}

// Query implements [Reader] on what is committed.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	return d.begin(ctx, d.bound(patience)).rows(d.read, d.words(query), args)
}

// Exec runs one statement, which is durable when Exec returns.
func (d *DB) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if d.readOnly {
		return nil, ErrReadOnly
	}
	return d.begin(ctx, d.bound(patience)).exec(d.write, d.words(query), args)
}

func (d *DB) words(query string) string {
	if d.shared {
		return numbered(query)
	}
	return query
}

// A Tx is a transaction that may write.
type Tx struct {
	db     *DB
	tx     *sql.Tx
	until  time.Time // zero for ever
	traces *bool
}

func (t Tx) begin(ctx context.Context) *call { return t.db.begin(ctx, t.until) }

// QueryRow implements [Reader].
func (t Tx) QueryRow(ctx context.Context, query string, args ...any) Row {
	return t.begin(ctx).row(t.tx, t.db.words(query), args)
}

// Query implements [Reader].
func (t Tx) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	return t.begin(ctx).rows(t.tx, t.db.words(query), args)
}

// Exec runs one statement.
func (t Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.begin(ctx).exec(t.tx, t.db.words(query), args)
}

// Lock is QueryRow on one table. Until the transaction ends nobody else
// changes the row.
func (t Tx) Lock(ctx context.Context, query string, args ...any) Row {
	if t.db.shared {
		query += " FOR UPDATE"
	}
	return t.QueryRow(ctx, query, args...)
}

// Sweep deletes the rows of a table that meet a condition, but for those that
// somebody else is changing: it waits for nobody, so nobody waits for each
// other. The key is a column that tells rows apart.
func (t Tx) Sweep(ctx context.Context, table, key, condition string, args ...any) error {
	if t.db.shared {
		condition = key + " IN (SELECT " + key + " FROM " + table + " WHERE " + condition + " FOR UPDATE SKIP LOCKED)"
	}
	_, err := t.Exec(ctx, "DELETE FROM "+table+" WHERE "+condition, args...)
	return err
}

// numbered returns a query with the placeholders of PostgreSQL.
func numbered(query string) string {
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}

// Column returns the only column of the rows of a query.
func Column(rows *Rows, err error) (all []string, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}
