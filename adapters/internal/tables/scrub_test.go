package tables

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
)

// erase deletes a row that is there.
func erase(d *DB, name string) error {
	return d.Update(ctx, func(tx Tx) error {
		tx.Traces()
		_, err := tx.Exec(ctx, "DELETE FROM things WHERE name = ?", name)
		return err
	})
}

func vacuums(t *testing.T, d *DB) (n int) {
	t.Helper()
	must(t, d.QueryRow(ctx, `SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'things' AND schemaname = current_schema()`).Scan(&n))
	return n
}

// A reader pins the write-ahead log of a file, so that a scrub that does
// something is told from one that does not.
func TestAFileIsScrubbedOnceForWhatWasErased(t *testing.T) {
	path := t.TempDir() + "/tables.db"
	d, err := Open(ctx, path, things)
	must(t, err)
	must(t, d.Scrub(ctx, "things"))
	must(t, d.Update(ctx, func(tx Tx) error { return add(tx, "a") }))
	_, err = d.write.Exec("PRAGMA busy_timeout = 0")
	must(t, err)
	reader, err := d.Query(ctx, "SELECT name FROM things")
	must(t, err)
	if !reader.Next() {
		t.Fatal("no row")
	}
	if err := d.Scrub(ctx, "things"); err != nil {
		t.Errorf("nothing was erased: %v", err)
	}
	must(t, erase(d, "a"))
	for range 2 {
		if err := d.Scrub(ctx, "things"); !errors.Is(err, ErrTraces) {
			t.Errorf("traces remain, and the caller is told %v", err)
		}
	}
	reader.Close()
	must(t, d.Scrub(ctx, "things"))
	must(t, d.Close())
	d = open(t, func(s Schema) (*DB, error) { return closed(t)(Open(ctx, path, s)) })
	if !d.unclean.Load() {
		t.Error("a process that begins believes that the one before it had scrubbed")
	}
}

func TestASharedDatabaseIsScrubbedOnceForWhatWasErased(t *testing.T) {
	url := pgtest.New(t)
	node := func() *DB {
		d, err := Share(ctx, handle(t, url, "scrubbed"), things)
		must(t, err)
		return d
	}
	first, second := node(), node()
	must(t, first.Update(ctx, func(tx Tx) error { return errors.Join(add(tx, "a"), add(tx, "b")) }))
	must(t, first.Scrub(ctx, "things"))
	if n := vacuums(t, first); n != 0 {
		t.Errorf("%d vacuums for nothing", n)
	}
	must(t, erase(first, "a"))
	for _, d := range []*DB{first, second, first} {
		must(t, d.Scrub(ctx, "things"))
	}
	if n := vacuums(t, first); n != 1 {
		t.Errorf("%d vacuums for one erasure", n)
	}
	must(t, erase(first, "b"))
	must(t, second.Update(ctx, func(tx Tx) error { // vacuums wait for it
		if _, err := tx.Exec(ctx, "LOCK TABLE things IN SHARE UPDATE EXCLUSIVE MODE"); err != nil {
			return err
		}
		short, done := context.WithTimeout(ctx, 300*time.Millisecond)
		defer done()
		if err := first.Scrub(short, "things"); !errors.Is(err, ErrTraces) {
			t.Errorf("traces remain, and the caller is told %v", err)
		}
		return nil
	}))
	must(t, second.Scrub(ctx, "things"))
	if n, err := first.noted(ctx, first.read); vacuums(t, second) < 2 || n != 0 || err != nil {
		t.Errorf("another node does not make up for it: %d erasures are noted, %v", n, err)
	}
}
