package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// readConns bounds how many reads of a node run at once.
const readConns = 8

func (l *Log) open(ctx context.Context, o Options) (err error) {
	if o.ReadOnly { // a standby will do
		l.config.ValidateConnect = nil
		l.config.RuntimeParams["default_transaction_read_only"] = "on"
	} else {
		if err := prepared(ctx, l.config, o.Schema, logMigrations, o.ID); err != nil {
			return err
		}
	}
	if l.readers, err = newPool(l.config); err != nil {
		return err
	}
	l.records = records{l.reading}
	if err := l.identify(ctx, o); err != nil {
		return err
	}
	if !o.ReadOnly {
		if err := l.CheckTail(ctx); err != nil {
			return err
		}
		l.writer = newWriter(l)
		l.running.Go(l.writer.run)
	}
	l.running.Go(l.listen)
	return nil
}

// prepared brings a schema to today's data format.
func prepared(ctx context.Context, config *pgx.ConnConfig, schema string, steps []migration, id uuid.UUID) error {
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	if err := durable(ctx, c); err != nil {
		return err
	}
	return migrate(ctx, c, schema, steps, id)
}

func newPool(config *pgx.ConnConfig) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig("")
	if err != nil {
		return nil, err
	}
	c.ConnConfig, c.MaxConns, c.AfterConnect = config.Copy(), readConns, durable
	c.MaxConnIdleTime = 5 * time.Minute
	return pgxpool.NewWithConfig(context.Background(), c)
}

func (l *Log) identify(ctx context.Context, o Options) error {
	have, err := dataFormat(ctx, l.readers, len(logMigrations))
	switch {
	case err != nil:
		return err
	case have == 0:
		return ErrNoLog
	case have < len(logMigrations):
		return fmt.Errorf("data format %d is older than %d: start the server once", have, len(logMigrations))
	}
	l.id, err = identity(ctx, l.readers, o.ID)
	return err
}

// ID is chosen when the log is made.
func (l *Log) ID() uuid.UUID { return l.id }

// Halted is why the database has not been reached for some seconds, nil if it
// has.
func (l *Log) Halted() error { return l.health.check() }

// Close ends every subscription with [eventstore.ErrClosed] and waits for the
// commit under way. What is still queued is refused.
func (l *Log) Close() error {
	l.closing.Do(func() {
		l.end()
		l.running.Wait()
		l.readers.Close()
	})
	return nil
}

// isOpen is nil until the log is closed.
func (l *Log) isOpen() error {
	select {
	case <-l.ended.Done():
		return eventstore.ErrClosed
	default:
		return nil
	}
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
