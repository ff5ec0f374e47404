package keys

import (
	"context"
	"database/sql"
	"fmt"
)

// formats lifts the file from each format to the next. Rows are added, never
// edited: the number of rows is the format.
//
// Wrapped keys lie apart, in slots that are only ever appended and then
// overwritten at equal length. So SQLite never moves one, and overwriting it
// leaves no second copy in the slack of another page, which secure_delete
// alone does not promise.
var formats = []string{`
	CREATE TABLE slots (
		id      INTEGER PRIMARY KEY,
		wrapped BLOB NOT NULL
	);
	CREATE TABLE keys (
		holder    TEXT PRIMARY KEY,
		subject   TEXT,    -- dies with this subject
		slot      INTEGER, -- absent before the first use and after destruction
		created   INTEGER NOT NULL,
		expires   INTEGER, -- of a journey
		destroyed INTEGER
	) WITHOUT ROWID;
	CREATE INDEX keys_of_subject ON keys (subject) WHERE subject IS NOT NULL;
	CREATE INDEX keys_that_expire ON keys (expires) WHERE subject IS NULL AND destroyed IS NULL AND expires IS NOT NULL;
	CREATE INDEX keys_destroyed ON keys (holder) WHERE destroyed IS NOT NULL;
	CREATE TABLE signing (
		kid       TEXT PRIMARY KEY,
		issuer    TEXT NOT NULL,
		alg       TEXT NOT NULL,
		use       TEXT NOT NULL,
		slot      INTEGER,
		created   INTEGER NOT NULL,
		destroyed INTEGER
	) WITHOUT ROWID;
	CREATE TABLE secrets (
		name TEXT PRIMARY KEY,
		slot INTEGER NOT NULL
	) WITHOUT ROWID;
	CREATE TABLE installation (
		id    INTEGER PRIMARY KEY CHECK (id = 1),
		value BLOB NOT NULL
	);
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
