package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"
)

type refusal string

func (r refusal) Error() string    { return "refused: " + string(r) }
func (r refusal) SQLState() string { return string(r) }

func TestWhatIsUnavailable(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"nothing listens", &net.OpError{Op: "dial", Err: errors.New("connection refused")}, true},
		{"the connection broke", io.ErrUnexpectedEOF, true},
		{"time is up", context.DeadlineExceeded, true},
		{"the server starts up", refusal("57P03"), true},
		{"it has too many connections", refusal("53300"), true},
		{"it ends a connection", refusal("08006"), true},
		{"somebody has the lock", refusal("55P03"), true},
		{"its disk is full", refusal("53100"), false},
		{"a row is there already", refusal("23505"), false},
		{"no row", sql.ErrNoRows, false},
		{"who asks goes away", context.Canceled, false},
		{"something else", errors.New("something else"), false},
		{"nothing", nil, false},
	} {
		for _, err := range []error{tt.err, fmt.Errorf("while reading: %w", tt.err)} {
			got := unavailable(err)
			if errors.Is(got, eventstore.ErrUnavailable) != tt.want || !errors.Is(got, tt.err) {
				t.Errorf("%s: %v", tt.name, got)
			}
			if tt.err == nil {
				break
			}
		}
	}
}

// A network that swallows everything holds nobody for long.
func TestASilentNetwork(t *testing.T) {
	line := pgtest.Connect(t, pgtest.New(t))
	d, err := Share(ctx, handle(t, line.URL, "silent"), things)
	must(t, err)
	must(t, d.Update(ctx, func(tx Tx) error { return add(tx, "a") }))
	calls := map[string]func() error{
		"a row": func() error { var n int; return d.QueryRow(ctx, "SELECT n FROM things").Scan(&n) },
		"rows":  func() error { _, err := Column(d.Query(ctx, "SELECT name FROM things")); return err },
		"a statement": func() error {
			_, err := d.Exec(ctx, "UPDATE things SET n = 2")
			return err
		},
		"a transaction": func() error { return d.Update(ctx, func(tx Tx) error { return add(tx, "b") }) },
	}
	begun := make(chan struct{})
	calls["a transaction that had begun"] = func() error {
		return d.Update(ctx, func(tx Tx) error {
			begun <- struct{}{}
			<-begun
			return add(tx, "c")
		})
	}
	told := make(chan error)
	ask := func(name string, call func() error) {
		start := time.Now()
		err := call()
		if took := time.Since(start); took > 7*time.Second || !errors.Is(err, eventstore.ErrUnavailable) {
			err = fmt.Errorf("%s: after %v: %w", name, took, err)
		} else {
			err = nil
		}
		told <- err
	}
	go ask("a transaction that had begun", calls["a transaction that had begun"])
	<-begun
	line.Die()
	close(begun)
	delete(calls, "a transaction that had begun")
	for name, call := range calls {
		go ask(name, call)
	}
	for range len(calls) + 1 {
		if err := <-told; err != nil {
			t.Error(err)
		}
	}
}

func TestAServerThatIsAway(t *testing.T) {
	s := pgtest.Start(t, pgtest.Settings{})
	d, err := Share(ctx, handle(t, s.New(t), "away"), things)
	must(t, err)
	s.Stop(t)
	var n int
	if err := d.QueryRow(ctx, "SELECT n FROM things").Scan(&n); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("a row: %v", err)
	}
	if err := d.Update(ctx, func(tx Tx) error { return add(tx, "a") }); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("a transaction: %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := d.QueryRow(gone, "SELECT n FROM things").Scan(&n); errors.Is(err, eventstore.ErrUnavailable) || err == nil {
		t.Errorf("who went away is told %v", err)
	}
}

func TestReadingOnly(t *testing.T) {
	url := pgtest.New(t)
	must(t, func() error {
		d, err := Share(ctx, handle(t, url, "kept"), version(1, 1))
		if err == nil {
			err = d.Update(ctx, func(tx Tx) error { return add(tx, "a") })
		}
		return err
	}())
	handle(t, url, "empty")
	reading := func(schema string, s Schema) (*DB, error) {
		db, err := postgres.OpenSQLForReading(ctx, url, schema)
		must(t, err)
		t.Cleanup(func() { db.Close() })
		return ShareForReading(ctx, db, s)
	}
	if _, err := reading("empty", things); !errors.Is(err, ErrNone) {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := reading("kept", things); !errors.Is(err, ErrOlder) {
		t.Errorf("an older format: %v", err)
	}
	d, err := reading("kept", version(1, 1))
	must(t, err)
	var n int
	must(t, d.QueryRow(ctx, "SELECT count(*) FROM things").Scan(&n))
	_, err = d.Exec(ctx, "DELETE FROM things")
	if update := d.Update(ctx, func(tx Tx) error { return add(tx, "b") }); n != 1 || !errors.Is(err, ErrReadOnly) || !errors.Is(update, ErrReadOnly) {
		t.Errorf("%d rows, then %v, %v", n, err, update)
	}
}
