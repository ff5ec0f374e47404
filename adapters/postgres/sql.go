package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// sqlConns bounds the connections of one handle.
const sqlConns = 16

// Limits of a handle. What uses it may be slow, but not for ever, nor keep
// others from a row that it holds.
const (
	sqlStatementTimeout = 2 * time.Minute
	sqlIdleTimeout      = 30 * time.Second // in a transaction
)

// ErrNoSchema means that a schema is missing that is only to be read.
var ErrNoSchema = errors.New("postgres: there is no such schema")

// OpenSQL returns a handle on a schema of a database, which it makes if it is
// missing. What is committed through it survives power loss.
//
// Whoever gives up a statement gives up its connection; the server is not
// asked to cancel it, and bounds how long it goes on.
func OpenSQL(ctx context.Context, url, schema string) (*sql.DB, error) {
	config, err := sqlConfig(url, schema)
	if err != nil {
		return nil, err
	}
	err = connected(ctx, config, func(c *pgx.Conn) error {
		return transact(ctx, c, func(tx pgx.Tx) error { return makeSchema(ctx, tx, schema) })
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: schema %s: %w", schema, unavailable(err))
	}
	return handle(config, stdlib.OptionAfterConnect(durable), stdlib.OptionBeforeConnect(neverCancelling)), nil
}

// OpenSQLForReading returns a handle on a schema that is there, through which
// nothing can be written; a standby will do. [ErrNoSchema] if there is none.
func OpenSQLForReading(ctx context.Context, url, schema string) (*sql.DB, error) {
	config, err := sqlConfig(url, schema)
	if err != nil {
		return nil, err
	}
	onlyReading(config)
	var there bool
	err = connected(ctx, config, func(c *pgx.Conn) error { return c.QueryRow(ctx, schemaThere, schema).Scan(&there) })
	if err == nil && !there {
		err = ErrNoSchema
	}
	if err != nil {
		return nil, fmt.Errorf("postgres: schema %s: %w", schema, unavailable(err))
	}
	return handle(config), nil
}

func sqlConfig(url, schema string) (*pgx.ConnConfig, error) {
	config, err := configure(url, schema)
	if err != nil {
		return nil, err
	}
	limited(config, sqlStatementTimeout, sqlIdleTimeout)
	return config, nil
}

// connected runs f on a connection for it alone.
func connected(ctx context.Context, config *pgx.ConnConfig, f func(*pgx.Conn) error) error {
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	return f(c)
}

func handle(config *pgx.ConnConfig, options ...stdlib.OptionOpenDB) *sql.DB {
	db := stdlib.OpenDB(*config, options...)
	db.SetMaxOpenConns(sqlConns)
	db.SetMaxIdleConns(sqlConns / 2)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}

// transact runs f in a transaction.
func transact(ctx context.Context, c *pgx.Conn, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, c, f)
}

const schemaThere = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)"

// makeSchema makes a schema that is missing. Whoever else is about to do so,
// or to change what is in it, waits until the transaction ends.
func makeSchema(ctx context.Context, tx pgx.Tx, schema string) error {
	if _, err := tx.Exec(ctx, takeLock, lockKey(schema)); err != nil {
		return err
	}
	var there bool
	err := tx.QueryRow(ctx, schemaThere, schema).Scan(&there)
	if err != nil || there {
		return err
	}
	_, err = tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize())
	return err
}
