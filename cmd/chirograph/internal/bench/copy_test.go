package bench

import (
	"context"
	"errors"
	"flag"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

var eventsCopied = flag.Int64("events", copiedEvents, "how many events are copied from engine to engine")

// TestALargeLogKeepsItsRoot copies an installation as "log copy" does, from
// engine to engine and back, and interrupts each copying once. At the end it is
// the same log: each event has its id, place and bytes, which its leaf says.
func TestALargeLogKeepsItsRoot(t *testing.T) {
	places := []config.Config{
		place(t, config.Store{Engine: config.SQLite}),
		place(t, config.Store{Engine: config.PostgreSQL, Postgres: pgtest.New(t)}),
		place(t, config.Store{Engine: config.EventStoreDB, Postgres: pgtest.New(t), EventStoreDB: standin.New(t, standin.Options{}).URL()}),
		place(t, config.Store{Engine: config.SQLite}),
	}
	first := grown(t, places[0])
	if first.Events < *eventsCopied {
		t.Fatalf("the log has %d events", first.Events)
	}
	for i, to := range places[1:] {
		if err := os.Link(masterOf(places[0]), masterOf(to)); err != nil {
			t.Fatal(err)
		}
		if r := moved(t, places[i], to); r != first {
			t.Fatalf("on %s it is %+v, at first it was %+v", to.Store.Engine, r, first)
		}
	}
	sameLeaves(t, places[0], places[len(places)-1])
}

func place(t *testing.T, s config.Store) config.Config {
	c := config.Default()
	c.DataDir, c.Store = t.TempDir(), s
	return c
}

func masterOf(c config.Config) string { return filepath.Join(c.DataDir, "master.key") }

func at(c config.Config) platform.Options { return platform.Options{Config: c, Version: "bench"} }

// grown makes an installation with a history, and says what it is.
func grown(t *testing.T, c config.Config) ledger.Report {
	t.Helper()
	o := at(c)
	o.Create = true
	p, err := platform.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	began := time.Now()
	grow(t, p, *eventsCopied)
	took := time.Since(began)
	a := p.Audit()
	a.Folders = nil // what is copied is the log with the checkpoints in it
	r, err := ledger.Verify(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events of %d streams written at %.0f events/s", r.Events, r.Streams, float64(r.Events)/took.Seconds())
	return r
}

var errStop = errors.New("interrupted")

// moved copies an installation in two attempts, of which the first stops half
// way.
func moved(t *testing.T, from, to config.Config) ledger.Report {
	t.Helper()
	began, copied := time.Now(), time.Duration(0)
	move := platform.Transfer{From: at(from), To: at(to), Keys: true, Progress: func(done, of int64) error {
		if done > of/2 {
			return errStop
		}
		return nil
	}}
	if _, err := move.Run(t.Context()); !errors.Is(err, errStop) {
		t.Fatalf("to %s, interrupted: %v", to.Store.Engine, err)
	}
	move.Progress = func(done, of int64) error {
		if done == of && copied == 0 { // what comes after it is the verification
			copied = time.Since(began)
		}
		return nil
	}
	r, err := move.Run(t.Context())
	if err != nil {
		t.Fatalf("to %s: %v", to.Store.Engine, err)
	}
	t.Logf("from %s to %s: copied at %.0f events/s, with verification %.0f",
		from.Store.Engine, to.Store.Engine, float64(r.Events)/copied.Seconds(), float64(r.Events)/time.Since(began).Seconds())
	return r
}

// sameLeaves compares two logs event by event.
func sameLeaves(t *testing.T, a, b config.Config) {
	t.Helper()
	first, stopFirst := leavesOf(t, a)
	defer stopFirst()
	last, stopLast := leavesOf(t, b)
	defer stopLast()
	for n := 0; ; n++ {
		x, failedX, moreX := first()
		y, failedY, moreY := last()
		if err := errors.Join(failedX, failedY); err != nil {
			t.Fatal(err)
		}
		if moreX != moreY || x.ID != y.ID || x.Position != y.Position || x.Hash != y.Hash {
			t.Fatalf("event %d was %s at %d and is %s at %d", n, x.ID, x.Position, y.ID, y.Position)
		}
		if !moreX {
			return
		}
	}
}

func leavesOf(t *testing.T, c config.Config) (next func() (ledger.Leaf, error, bool), stop func()) {
	t.Helper()
	log, err := sqlite.Open(sqlite.Options{Dir: c.DataDir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	size, err := log.Size(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return iter.Pull2(log.Leaves(context.Background(), 0, size))
}
