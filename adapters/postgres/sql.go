package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// sqlConns bounds the connections of one handle.
const sqlConns = 16

// OpenSQL returns a handle on a schema of a database, which it makes if it is
// missing. What is committed through it survives power loss.
func OpenSQL(ctx context.Context, url, schema string) (*sql.DB, error) {
	config, err := configure(url, schema)
	if err != nil {
		return nil, err
	}
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	err = transact(ctx, c, func(tx pgx.Tx) error { return makeSchema(ctx, tx, schema) })
	c.Close(ctx)
	if err != nil {
		return nil, fmt.Errorf("postgres: schema %s: %w", schema, err)
	}
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(durable))
	db.SetMaxOpenConns(sqlConns)
	db.SetMaxIdleConns(sqlConns / 2)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// transact runs f in a transaction.
func transact(ctx context.Context, c *pgx.Conn, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, c, f)
}

// makeSchema makes a schema that is missing. Whoever else is about to do so,
// or to change what is in it, waits until the transaction ends.
func makeSchema(ctx context.Context, tx pgx.Tx, schema string) error {
	if _, err := tx.Exec(ctx, takeLock, lockKey(schema)); err != nil {
		return err
	}
	var there bool
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", schema).Scan(&there)
	if err != nil || there {
		return err
	}
	_, err = tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize())
	return err
}
