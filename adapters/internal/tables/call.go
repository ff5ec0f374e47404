package tables

import (
	"context"
	"database/sql"
	"time"
)

// patience is how long a request waits for a shared database, so that a
// network that swallows everything holds up nobody for long.
const patience = 5 * time.Second

// bound is when what begins now is given up. What happens in a file waits for
// nobody who could be out of reach.
func (d *DB) bound(after time.Duration) time.Time {
	if !d.shared {
		return time.Time{}
	}
	return time.Now().Add(after)
}

// A call is one request to the engine. Its error is [eventstore.ErrUnavailable]
// too if a shared database was not reached, or not in time.
type call struct {
	db    *DB
	given context.Context // the caller's
	ctx   context.Context
	end   context.CancelFunc
}

func (d *DB) begin(ctx context.Context, until time.Time) *call {
	c := &call{db: d, given: ctx, ctx: ctx, end: func() {}}
	if !until.IsZero() {
		c.ctx, c.end = context.WithDeadline(ctx, until)
	}
	return c
}

// judged is err as the caller is told it.
func (c *call) judged(err error) error {
	if c.db.shared && c.given.Err() == nil {
		return unavailable(err)
	}
	return err
}

// An engine is a database or a transaction.
type engine interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func (c *call) row(e engine, query string, args []any) Row {
	return Row{c, e.QueryRowContext(c.ctx, query, args...)}
}

func (c *call) rows(e engine, query string, args []any) (*Rows, error) {
	rows, err := e.QueryContext(c.ctx, query, args...)
	if err != nil {
		c.end()
		return nil, c.judged(err)
	}
	return &Rows{rows, c}, nil
}

func (c *call) exec(e engine, query string, args []any) (sql.Result, error) {
	defer c.end()
	result, err := e.ExecContext(c.ctx, query, args...)
	return result, c.judged(err)
}

// A Row is the answer to [Reader.QueryRow]. It must be scanned.
type Row struct {
	call *call
	row  *sql.Row
}

// Scan is that of [sql.Row].
func (r Row) Scan(into ...any) error {
	defer r.call.end()
	return r.call.judged(r.row.Scan(into...))
}

// Rows are the answer to [Reader.Query]. They must be closed.
type Rows struct {
	*sql.Rows
	call *call
}

// Err is that of [sql.Rows].
func (r *Rows) Err() error { return r.call.judged(r.Rows.Err()) }

// Close is that of [sql.Rows].
func (r *Rows) Close() error {
	defer r.call.end()
	return r.Rows.Close()
}
