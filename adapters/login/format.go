package login

import (
	"context"
	"database/sql"
	"fmt"
)

// formats lifts the file from each format to the next. Rows are added, never
// edited: the number of rows is the format.
var formats = []string{`
	CREATE TABLE credentials (
		realm   TEXT NOT NULL,
		subject TEXT NOT NULL,
		name    BLOB NOT NULL, -- keyed hash of the login name
		hash    BLOB NOT NULL, -- argon2id, sealed under the subject's key
		PRIMARY KEY (realm, subject),
		UNIQUE (realm, name)
	) WITHOUT ROWID;
	CREATE INDEX credentials_of_subject ON credentials (subject);
	CREATE TABLE failures (
		id    INTEGER PRIMARY KEY,
		key   BLOB NOT NULL UNIQUE, -- keyed hash of a login name or an address
		count INTEGER NOT NULL,
		last  INTEGER NOT NULL,
		until INTEGER NOT NULL
	);
	CREATE TABLE sessions (
		id        BLOB PRIMARY KEY, -- SHA-256 of the cookie
		realm     TEXT NOT NULL,
		subject   TEXT NOT NULL,
		auth_time INTEGER NOT NULL,
		acr       TEXT NOT NULL,
		amr       TEXT NOT NULL, -- JSON
		csrf      TEXT NOT NULL,
		created   INTEGER NOT NULL,
		last_seen INTEGER NOT NULL,
		expires   INTEGER NOT NULL
	) WITHOUT ROWID;
	CREATE INDEX sessions_of_subject ON sessions (subject);
	CREATE INDEX sessions_that_expire ON sessions (expires);
	CREATE TABLE customers (
		subject TEXT PRIMARY KEY,
		record  BLOB NOT NULL -- JSON, sealed under the subject's key
	) WITHOUT ROWID;
`}

func (d *database) migrate(ctx context.Context) error {
	return d.update(ctx, func(tx *sql.Tx) error {
		var format int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&format); err != nil {
			return err
		}
		if format > len(formats) {
			return fmt.Errorf("%w: format %d, known are those up to %d", ErrNewer, format, len(formats))
		}
		for _, lift := range formats[format:] {
			if _, err := tx.ExecContext(ctx, lift); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(formats)))
		return err
	})
}
