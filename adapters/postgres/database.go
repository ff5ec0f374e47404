package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/puddle/v2"
)

// poolConns bounds how many requests of a node run at once in one schema.
const poolConns = 8

// A database is one schema of a database, through a pool of connections.
type database struct {
	config *pgx.ConnConfig
	pool   *pgxpool.Pool
	health health

	ended context.Context // when it is closed
	end   func()
}

// use opens the pool.
func (d *database) use(config *pgx.ConnConfig) error {
	c, err := pgxpool.ParseConfig("")
	if err != nil {
		return err
	}
	c.ConnConfig, c.MaxConns = config.Copy(), poolConns
	c.BeforeConnect, c.AfterConnect = neverCancelling, durable
	c.MaxConnIdleTime = 5 * time.Minute
	d.config = config
	d.ended, d.end = context.WithCancel(context.Background())
	d.pool, err = pgxpool.NewWithConfig(context.Background(), c)
	return err
}

// release waits for what is under way and closes the pool, if there is one.
func (d *database) release() {
	if d.pool != nil {
		d.end()
		d.pool.Close()
	}
}

// isOpen is nil until the database is closed.
func (d *database) isOpen() error {
	if d.ended.Err() != nil {
		return eventstore.ErrClosed
	}
	return nil
}

// Halted is why the database has not been reached for some seconds, nil if it
// has.
func (d *database) Halted() error { return d.health.check() }

// reach runs f on a connection. If that turns out to be broken, because the
// server was restarted meanwhile, f runs again on a new one: so f only reads,
// or does what may be done twice. [eventstore.ErrUnavailable] if the database
// is not reached in time.
func (d *database) reach(ctx context.Context, f func(context.Context, *pgx.Conn) error) error {
	if err := errors.Join(d.isOpen(), ctx.Err()); err != nil {
		return err
	}
	bounded, done := context.WithTimeout(ctx, requestTimeout)
	defer done()
	err := d.once(bounded, f)
	if unreached(err) != nil && ctx.Err() == nil {
		d.pool.Reset() // the next connections may find another server
	}
	if lost(err) && bounded.Err() == nil {
		err = d.once(bounded, f)
	}
	if ctx.Err() != nil {
		return err
	}
	d.health.note(unreached(err))
	return unavailable(err)
}

// requestTimeout bounds a request, so that a database that does not answer at
// all holds up nobody for long: all that is asked for is found by an index.
const requestTimeout = 5 * time.Second

// once runs f on a connection.
func (d *database) once(ctx context.Context, f func(context.Context, *pgx.Conn) error) error {
	c, err := d.pool.Acquire(ctx)
	if errors.Is(err, puddle.ErrClosedPool) {
		return eventstore.ErrClosed
	}
	if err != nil {
		return err
	}
	defer c.Release()
	return f(ctx, c.Conn())
}

// health remembers since when the database cannot be reached.
type health struct {
	mu    sync.Mutex
	since time.Time
	why   error
}

// tolerated is how long the database may be away before a node says so.
const tolerated = 3 * time.Second

// note records how a request to the database ended.
func (h *health) note(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil:
		h.since, h.why = time.Time{}, nil
	case h.why == nil:
		h.since, h.why = time.Now(), err
	}
}

func (h *health) check() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.why == nil || time.Since(h.since) < tolerated {
		return nil
	}
	return fmt.Errorf("postgres: not reached since %s: %w", h.since.UTC().Format(time.RFC3339), h.why)
}
