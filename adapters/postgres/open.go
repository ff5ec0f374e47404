package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

func (l *Log) open(ctx context.Context, config *pgx.ConnConfig, o Options) (err error) {
	if o.ReadOnly { // a standby will do
		onlyReading(config)
	} else {
		if err := prepared(ctx, config, o.Schema, logMigrations, o.ID); err != nil {
			return err
		}
	}
	if err := l.use(config); err != nil {
		return err
	}
	l.records = records{&l.database}
	if l.id, err = identified(ctx, &l.database, len(logMigrations), o.ID); err != nil {
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

// identified is the id of the log in a schema whose data format is today's.
func identified(ctx context.Context, d *database, known int, want uuid.UUID) (id uuid.UUID, err error) {
	err = d.reach(ctx, func(ctx context.Context, c *pgx.Conn) error {
		have, err := dataFormat(ctx, c, known)
		switch {
		case err != nil:
			return err
		case have == 0:
			return ErrNoLog
		case have < known:
			return fmt.Errorf("data format %d is older than %d: start the server once", have, known)
		}
		id, err = identity(ctx, c, want)
		return err
	})
	return id, err
}

// ID is chosen when the log is made.
func (l *Log) ID() uuid.UUID { return l.id }

// Close ends every subscription with [eventstore.ErrClosed] and waits for the
// commit under way. What is still queued is refused.
func (l *Log) Close() error {
	l.closing.Do(func() {
		l.end()
		l.running.Wait()
		l.pool.Close()
	})
	return nil
}
