package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
)

var ctx = context.Background()

// things is a schema of two versions.
var things = Schema{Part: "things", Since: 1, Tables: []string{"things"}, Formats: []string{
	`CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n INTEGER NOT NULL, raw BLOB)`,
	`ALTER TABLE things ADD COLUMN note TEXT; CREATE INDEX things_by_note ON things (note)`,
}}

func version(n, since int) Schema {
	s := things
	s.Formats, s.Since = s.Formats[:n], since
	return s
}

// A place is where tables are, or will be when they are opened.
type place func(Schema) (*DB, error)

func engines(t *testing.T, test func(*testing.T, func() place)) {
	t.Run("a file", func(t *testing.T) {
		test(t, func() place {
			path := filepath.Join(t.TempDir(), "tables.db")
			return func(s Schema) (*DB, error) { return closed(t)(Open(ctx, path, s)) }
		})
	})
	t.Run("a shared database", func(t *testing.T) {
		url, n := pgtest.New(t), 0
		test(t, func() place {
			n++
			db := handle(t, url, fmt.Sprint("tables", n))
			return func(s Schema) (*DB, error) { return Share(ctx, db, s) }
		})
	})
}

func handle(t *testing.T, url, schema string) *sql.DB {
	t.Helper()
	db, err := postgres.OpenSQL(ctx, url, schema)
	must(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func closed(t *testing.T) func(*DB, error) (*DB, error) {
	return func(d *DB, err error) (*DB, error) {
		if err == nil {
			t.Cleanup(func() { d.Close() })
		}
		return d, err
	}
}

func open(t *testing.T, p place) *DB {
	t.Helper()
	d, err := p(things)
	must(t, err)
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRowsComeBackAsTheyWentIn(t *testing.T) {
	engines(t, func(t *testing.T, fresh func() place) {
		d := open(t, fresh())
		raw := string([]byte{0, 255, '?'})
		for _, name := range []string{"b", "a", "é", "Z"} {
			_, err := d.Exec(ctx, `INSERT INTO things (name, n, raw) VALUES (?, ?, ?)`, name, 1<<40, []byte(raw))
			must(t, err)
		}
		names, err := Column(d.Query(ctx, `SELECT name FROM things WHERE n > ? AND raw = ? ORDER BY name`, 1<<32, []byte(raw)))
		if err != nil || strings.Join(names, "") != "Zabé" {
			t.Errorf("got %v, %v", names, err)
		}
	})
}

func TestMigrate(t *testing.T) {
	engines(t, func(t *testing.T, fresh func() place) {
		p := fresh()
		old, err := p(version(1, 1))
		must(t, err)
		_, err = old.Exec(ctx, `INSERT INTO things (name, n) VALUES (?, ?)`, "kept", 1)
		must(t, err)
		for range 2 { // opening again lifts nothing
			d := open(t, p)
			var note sql.NullString
			must(t, d.QueryRow(ctx, `SELECT note FROM things WHERE name = 'kept'`).Scan(&note))
		}
		_, err = old.Exec(ctx, `INSERT INTO things (name, n) VALUES (?, ?)`, "an old version goes on", 1)
		must(t, err)
	})
}

func TestNewerFormats(t *testing.T) {
	engines(t, func(t *testing.T, fresh func() place) {
		tests := []struct {
			name   string
			since  int
			refuse bool // on a shared database; a file is always refused
		}{
			{"an older version may start beside a newer one", 1, false},
			{"not when it cannot know what is there", 2, true},
		}
		for _, tt := range tests {
			p := fresh()
			d, err := p(version(2, tt.since))
			must(t, err)
			older, err := p(version(1, 1))
			if refused := errors.Is(err, ErrNewer); refused != (tt.refuse || !d.Shared()) || !refused && err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if err == nil {
				_, err = older.Exec(ctx, `INSERT INTO things (name, n) VALUES (?, ?)`, "x", 1)
				must(t, err)
			}
			if _, err := p(version(2, tt.since)); err != nil {
				t.Errorf("%s: then the newer one does not: %v", tt.name, err)
			}
		}
	})
}

// Nodes of two versions and two parts start at once.
func TestNodesStartAtOnce(t *testing.T) {
	url := pgtest.New(t)
	other := Schema{Part: "others", Since: 1, Formats: []string{`CREATE TABLE others (id INTEGER PRIMARY KEY)`}}
	for round := range 5 {
		schema := fmt.Sprint("start", round)
		db := handle(t, url, schema)
		var racers sync.WaitGroup
		for i := range 9 {
			racers.Go(func() {
				if _, err := Share(ctx, db, []Schema{things, version(1, 1), other}[i%3]); err != nil {
					t.Error(err)
				}
			})
		}
		racers.Wait()
		var format int
		must(t, db.QueryRow("SELECT format FROM formats WHERE part = 'things'").Scan(&format))
		if format != 2 {
			t.Errorf("the format is %d", format)
		}
	}
}

func TestAPartThatFailsToLiftLeavesNothing(t *testing.T) {
	engines(t, func(t *testing.T, fresh func() place) {
		p := fresh()
		broken := version(1, 1)
		broken.Formats = append(broken.Formats[:1:1], `CREATE TABLE more (id INTEGER PRIMARY KEY); NONSENSE`)
		if _, err := p(broken); err == nil {
			t.Fatal("it opened")
		}
		open(t, p)
	})
}

// What durability rests on is looked at, not assumed.
func TestAsserted(t *testing.T) {
	url := pgtest.New(t)
	for value, good := range map[string]bool{"on": true, "remote_apply": true, "off": false, "local": false, "remote_write": false} {
		db := handle(t, url, "asserted")
		db.SetMaxOpenConns(1)
		_, err := db.Exec("SET synchronous_commit = " + value)
		must(t, err)
		if _, err := Share(ctx, db, things); (err == nil) != good {
			t.Errorf("synchronous_commit = %s: %v", value, err)
		}
	}
}
