package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A migration leads from one data format to the next. It may only add, so that
// nodes with the binary before it go on beside those with it.
type migration = string

// logMigrations lead to the data format of the log that this binary writes.
var logMigrations = []migration{`
-- One row: the right edge of the tree, as roots side by side.
CREATE TABLE head(
	one      boolean PRIMARY KEY DEFAULT true CHECK (one),
	size     bigint NOT NULL,
	recorded bigint NOT NULL,
	edge     bytea  NOT NULL
);
INSERT INTO head VALUES (true, 0, 0, '');
-- The sid of a stream is the position of its first event: unique, and growing.
CREATE TABLE stream(sid bigint PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE event(
	position bigint  PRIMARY KEY,
	sid      bigint  NOT NULL,
	revision bigint  NOT NULL,
	recorded bigint  NOT NULL,
	version  integer NOT NULL,
	id       uuid    NOT NULL,
	type     text COLLATE "C" NOT NULL,
	leaf     bytea   NOT NULL,
	meta     bytea   NOT NULL,
	data     bytea   NOT NULL
);
-- Holds even if the code that checks expectations is wrong.
CREATE UNIQUE INDEX event_stream ON event(sid, revision);
CREATE INDEX event_id ON event(id);
CREATE TABLE once(key bytea PRIMARY KEY, expires bigint NOT NULL);
CREATE INDEX once_expires ON once(expires);
` + treeTables}

// treeTables are what a log and a table of leaves both have.
const treeTables = `
-- Roots of complete subtrees of 256 to the power of level leaves.
CREATE TABLE node(level integer, n bigint, hash bytea NOT NULL, PRIMARY KEY (level, n));
CREATE TABLE checkpoint(epoch bigint, size bigint, note bytea NOT NULL, PRIMARY KEY (epoch, size));
CREATE TABLE claim(one boolean PRIMARY KEY DEFAULT true CHECK (one), epoch bigint NOT NULL, size bigint NOT NULL, root bytea NOT NULL);
INSERT INTO claim VALUES (true, 0, 0, decode(repeat('00', 32), 'hex'));
`

// A FormatError says that the data were written by a newer binary.
type FormatError struct{ Have, Known int }

func (e *FormatError) Error() string {
	return fmt.Sprintf("postgres: data format %d, this binary knows up to %d: use the newer binary", e.Have, e.Known)
}

// ErrNoLog means that a schema holds nothing that could be read.
var ErrNoLog = errors.New("postgres: there is no log")

// migrate brings the schema of a connection to today's data format, in one
// transaction that excludes every other writer. An empty schema becomes an
// empty log of the given id.
func migrate(ctx context.Context, c *pgx.Conn, schema string, steps []migration, id uuid.UUID) error {
	if id == uuid.Nil {
		id = uuid.New()
	}
	return transact(ctx, c, func(tx pgx.Tx) error {
		if err := makeSchema(ctx, tx, schema); err != nil {
			return err
		}
		have, err := dataFormat(ctx, tx, len(steps))
		if err != nil {
			return err
		}
		for n, script := range steps[have:] {
			if have+n == 0 {
				script += fmt.Sprintf("CREATE TABLE meta(name text PRIMARY KEY, value text NOT NULL); INSERT INTO meta VALUES ('log', '%s'), ('format', '0');", id)
			}
			script += fmt.Sprintf("UPDATE meta SET value = '%d' WHERE name = 'format';", have+n+1)
			if _, err := tx.Exec(ctx, script); err != nil {
				return fmt.Errorf("to data format %d: %w", have+n+1, err)
			}
		}
		return nil
	})
}

// A querier is a connection, a pool or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// dataFormat is 0 for a schema that has no log yet.
func dataFormat(ctx context.Context, q querier, known int) (int, error) {
	var there bool
	if err := q.QueryRow(ctx, "SELECT to_regclass('meta') IS NOT NULL").Scan(&there); err != nil || !there {
		return 0, err
	}
	text, err := described(ctx, q, "format")
	if err != nil {
		return 0, err
	}
	have, err := strconv.Atoi(text)
	if err != nil || have < 1 {
		return 0, fmt.Errorf("postgres: data format %q is no number", text)
	}
	if have > known {
		return 0, &FormatError{Have: have, Known: known}
	}
	return have, nil
}

func described(ctx context.Context, q querier, name string) (value string, err error) {
	err = q.QueryRow(ctx, "SELECT value FROM meta WHERE name = $1", name).Scan(&value)
	return value, err
}

// identity is the id of the log in a schema, which must be the one that is
// expected, if any is.
func identity(ctx context.Context, q querier, want uuid.UUID) (uuid.UUID, error) {
	text, err := described(ctx, q, "log")
	if err != nil {
		return uuid.Nil, err
	}
	id, err := uuid.Parse(text)
	if err == nil && want != uuid.Nil && want != id {
		err = fmt.Errorf("postgres: the log there is %s, not %s", id, want)
	}
	return id, err
}
