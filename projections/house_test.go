package projections

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"

	_ "modernc.org/sqlite"
)

// pii marks every personal value of these tests, so that it can be looked for.
const pii = "PII"

var begin = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// A house is a log with its projections. Each event is a minute after the one
// before.
type house struct {
	t       testing.TB
	now     time.Time
	keys    *memory.Keys
	log     *memory.Log
	journal *eventstore.Journal
	set     *Set
}

func newHouse(t testing.TB) *house {
	h := &house{t: t, now: begin, keys: &memory.Keys{}}
	h.log = memory.New(func() time.Time { return h.now })
	h.journal = &eventstore.Journal{Log: h.log, Codec: &eventstore.Codec{Registry: catalogue.Events, Keys: h.keys, Log: h.log.ID()}}
	h.set = h.open(inMemory(t))
	return h
}

func (h *house) open(db *sql.DB) *Set {
	h.t.Helper()
	s, err := Open(context.Background(), Config{DB: db, Dialect: dialect(), Journal: h.journal, Scratch: scratchIn(h.t)})
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// inMemory is a database of one connection: a question that asks another one
// while its transaction is open would never end.
func inMemory(t testing.TB) *sql.DB {
	t.Helper()
	if db, ok := onServer(t); ok {
		db.SetMaxOpenConns(1)
		return db
	}
	return forOneQuestion(t)
}

func forOneQuestion(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func scratchIn(t testing.TB) func(context.Context) (*sql.DB, error) {
	return func(context.Context) (*sql.DB, error) { return forOneQuestion(t), nil }
}

// inFile is a database that can be read while it is written.
func inFile(t testing.TB) *sql.DB {
	t.Helper()
	if db, ok := onServer(t); ok {
		return db
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "projections.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// record appends events to a stream, with addresses that are personal.
func (h *house) record(stream string, m event.Meta, events ...any) eventstore.Position {
	h.t.Helper()
	h.now = h.now.Add(time.Minute)
	m.Issuer, m.Address, m.UserAgent = "bank", "203.0.113.7 "+pii, "Browser "+pii
	receipts, err := h.journal.Commit(context.Background(), m, eventstore.Draft{
		Stream: eventstore.Stream(stream), Expect: eventstore.Unchecked(), Events: events,
	})
	if err != nil {
		h.t.Fatalf("record %s: %v", stream, err)
	}
	return receipts[0].Position
}

func (h *house) head() eventstore.Position {
	head, _ := h.log.Head(context.Background())
	return head
}

func (h *house) catchUp() {
	h.t.Helper()
	if err := h.set.CatchUp(context.Background()); err != nil {
		h.t.Fatal(err)
	}
}

// dump writes every row of every projection as text.
func dump(t testing.TB, followers []*follower) string {
	t.Helper()
	var b strings.Builder
	for _, f := range followers {
		err := f.read(context.Background(), func(tx *Tx, at eventstore.Position) error {
			fmt.Fprintf(&b, "%s at %d\n", f.Name, at)
			for _, table := range f.Tables {
				for r, err := range tx.rows(context.Background(), table) {
					if err != nil {
						return err
					}
					fmt.Fprintf(&b, "%s %v\n", table.Name, r.values[r.keys:])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// each makes a fold of a function of one event.
func each(apply func(context.Context, *Tx, eventstore.Decoded) error) func(context.Context, *Tx, []eventstore.Decoded) error {
	return func(ctx context.Context, tx *Tx, events []eventstore.Decoded) error {
		for _, e := range events {
			if err := apply(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	}
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Fatalf("row %d:\n got %s\nwant %s", i, a, b)
		}
	}
}
