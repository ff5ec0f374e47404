package sqlite

import (
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// migrations lead from each data format to the next; their number is the data
// format that this binary writes. They are only ever added to.
var migrations = []string{`
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- The sid of a stream is the position of its first event: unique, and growing.
CREATE TABLE stream(sid INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE event(
	position INTEGER PRIMARY KEY,
	sid      INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	id       BLOB    NOT NULL,
	type     TEXT    NOT NULL,
	version  INTEGER NOT NULL,
	recorded INTEGER NOT NULL,
	leaf     BLOB    NOT NULL,
	meta     BLOB    NOT NULL,
	data     BLOB    NOT NULL
);
-- Holds even if the code that checks expectations is wrong.
CREATE UNIQUE INDEX event_stream ON event(sid, revision);
CREATE TABLE once(key BLOB PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX once_expires ON once(expires);
-- Roots of complete subtrees of 256 to the power of level leaves.
CREATE TABLE node(level INTEGER, n INTEGER, hash BLOB NOT NULL, PRIMARY KEY(level, n)) WITHOUT ROWID;
CREATE TABLE checkpoint(epoch INTEGER, size INTEGER, note BLOB NOT NULL, PRIMARY KEY(epoch, size)) WITHOUT ROWID;
`}

// A FormatError says that the data were written by a newer binary.
type FormatError struct{ Have, Known int }

func (e *FormatError) Error() string {
	return fmt.Sprintf("sqlite: the log has data format %d, this binary knows up to %d: use the newer binary", e.Have, e.Known)
}

// migrate brings the file to today's data format, each step in a transaction.
// A new file becomes an empty log with the id that is wanted, if any is.
func migrate(c *sqlite.Conn, id uuid.UUID) error {
	have, err := dataFormat(c)
	if err != nil {
		return err
	}
	for n, script := range migrations[have:] {
		if have+n == 0 {
			if id == uuid.Nil {
				id = uuid.New()
			}
			script += fmt.Sprintf("INSERT INTO meta VALUES ('log', '%s'), ('format', '0');", id)
		}
		script += fmt.Sprintf("UPDATE meta SET value = '%d' WHERE name = 'format';", have+n+1)
		if err := sqlitex.ExecuteScript(c, script, nil); err != nil {
			return fmt.Errorf("to data format %d: %w", have+n+1, err)
		}
	}
	return nil
}

// dataFormat is 0 for a file that has nothing in it yet.
func dataFormat(c *sqlite.Conn) (int, error) {
	tables, err := queryText(c, "SELECT count(*) FROM sqlite_schema")
	if err != nil || tables == "0" {
		return 0, err
	}
	text, err := queryText(c, "SELECT value FROM meta WHERE name = 'format'")
	if err != nil {
		return 0, err
	}
	have, err := strconv.Atoi(text)
	if err != nil || have < 1 {
		return 0, fmt.Errorf("data format %q is no number", text)
	}
	if have > len(migrations) {
		return 0, &FormatError{Have: have, Known: len(migrations)}
	}
	return have, nil
}

func logID(c *sqlite.Conn) (uuid.UUID, error) {
	text, err := queryText(c, "SELECT value FROM meta WHERE name = 'log'")
	if err != nil {
		return uuid.Nil, err
	}
	return uuid.Parse(text)
}

// queryText returns the only value of a query, as text; "" if there is no row.
func queryText(c *sqlite.Conn, query string) (text string, err error) {
	err = sqlitex.ExecuteTransient(c, query, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		text = s.ColumnText(0)
		return nil
	}})
	return text, err
}
