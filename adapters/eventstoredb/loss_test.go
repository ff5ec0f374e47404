package eventstoredb_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb"
	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// refusedBy demands that a log cannot be opened, for a reason of type E.
func refusedBy[E error](t *testing.T, o eventstoredb.Options) (why E) {
	t.Helper()
	log, err := eventstoredb.Open(context.Background(), o)
	if err == nil {
		log.Close()
	}
	if !errors.As(err, &why) {
		t.Fatalf("opening says %v", err)
	}
	return why
}

func TestAnEmptyServerIsNotNumberedAnew(t *testing.T) {
	w := newWorld(t, 1)
	log := w.open(t)
	fill(t, log, 3)
	settle(t, log)
	empty := newWorld(t, 1)
	empty.options.Table = w.options.Table
	if why := refusedBy[*ledger.RollbackError](t, empty.options); why.Have != 0 || why.Want != 3 {
		t.Errorf("got %+v", why)
	}
	empty.options.Table, empty.options.ID = &memory.Table{}, uuid.New()
	empty.open(t) // nothing was written to it
}

func TestAnOlderCopyIsNotNumberedAnew(t *testing.T) {
	file, copied := filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "copy")
	start := func(file string) (*standin.Cluster, string) {
		c, err := standin.Start(standin.Options{File: file})
		if err != nil {
			t.Fatal(err)
		}
		return c, c.URL()
	}
	table := &memory.Table{}
	cluster, url := start(file)
	log := opened(t, eventstoredb.Options{URL: url, Table: table})
	fill(t, log, 7)
	bytes, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	fill(t, log, 5)
	settle(t, log)
	log.Close()
	cluster.Close()

	cluster, url = start(copied)
	defer cluster.Close()
	if why := refusedBy[*ledger.RollbackError](t, eventstoredb.Options{URL: url, Table: table}); why.Have != 7 || why.Want != 12 {
		t.Errorf("got %+v", why)
	}
}

// A copy that went on by itself has other events at the same places, or at
// others.
func TestAnotherHistoryIsRefused(t *testing.T) {
	w, other := newWorld(t, 1), newWorld(t, 1)
	id := uuid.New()
	w.options.ID, other.options.ID = id, id
	for _, w := range []*world{w, other} {
		log := w.open(t)
		fill(t, log, 5)
		settle(t, log)
	}
	other.options.Table = w.options.Table
	refusedBy[*ledger.AlteredError](t, other.options)
}

func TestATableOfAnotherLogIsRefused(t *testing.T) {
	w := newWorld(t, 1)
	log := w.open(t)
	fill(t, log, 5)
	settle(t, log)
	tail, _, _ := w.options.Table.Tail(t.Context())
	n, _, err := ledger.Resume(t.Context(), uuid.New(), &memory.Table{})
	if err != nil {
		t.Fatal(err)
	}
	foreign := &memory.Table{}
	rows, _ := w.options.Table.Rows(t.Context(), 0, tail.Leaf+1)
	for i, e := range read(t, log, 0) {
		row, nodes := n.Number(&e, rows[i].Place)
		if err := foreign.Extend(t.Context(), []ledger.Row{row}, nodes); err != nil {
			t.Fatal(err)
		}
	}
	w.options.Table = foreign
	refusedBy[*ledger.AlteredError](t, w.options)
}

func TestAnotherLogIsRefused(t *testing.T) {
	w := newWorld(t, 1)
	id := w.open(t).ID()
	w.options.ID = id
	if got := w.open(t).ID(); got != id {
		t.Errorf("log %s became %s", id, got)
	}
	w.options.ID = uuid.New()
	if log, err := eventstoredb.Open(t.Context(), w.options); err == nil {
		log.Close()
		t.Error("it was opened")
	}
}

// named is a table that knows of which log it is.
type named struct {
	*memory.Table
	id uuid.UUID
}

func (n named) ID() uuid.UUID { return n.id }

func TestALogIsThatOfItsTable(t *testing.T) {
	w := newWorld(t, 1)
	id := uuid.New()
	w.options.Table = named{&memory.Table{}, id}
	if got := w.open(t).ID(); got != id {
		t.Errorf("the log is %s", got)
	}
	other := w.options
	other.Table = named{&memory.Table{}, uuid.New()}
	if log, err := eventstoredb.Open(t.Context(), other); err == nil {
		log.Close()
		t.Error("the table of another log was taken")
	}
	other.ID = id
	if log, err := eventstoredb.Open(t.Context(), other); err == nil {
		log.Close()
		t.Error("the table of another log was taken for that of this one")
	}
}

func TestNodesThatStartAtOnceAgreeWhichLogItIs(t *testing.T) {
	w := newWorld(t, 3)
	logs := make(chan *eventstoredb.Log, 16)
	for range cap(logs) {
		go func() {
			log, err := eventstoredb.Open(context.Background(), w.options)
			if err != nil {
				t.Error(err)
			}
			logs <- log
		}()
	}
	var id uuid.UUID
	for range cap(logs) {
		log := <-logs
		if id == uuid.Nil {
			id = log.ID()
		}
		if log.ID() != id {
			t.Errorf("log %s is %s to another", id, log.ID())
		}
		log.Close()
	}
}

// What somebody does to the streams behind our back halts the log.
func TestTheLogHaltsWhenItsStreamsAreTamperedWith(t *testing.T) {
	tests := map[string]func(t *testing.T, w *world, c *esdb.Client) error{
		"a stream is deleted for good": func(t *testing.T, w *world, c *esdb.Client) error {
			_, err := c.TombstoneStream(t.Context(), "chirograph.test-1", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}})
			return err
		},
		"a stranger writes to one": func(t *testing.T, w *world, c *esdb.Client) error {
			_, err := c.AppendToStream(t.Context(), "chirograph.test-1", esdb.AppendToStreamOptions{}, esdb.EventData{EventType: "x", Data: []byte("{}")})
			return err
		},
	}
	for name, tamper := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			log := w.open(t)
			fill(t, log, 5)
			if err := tamper(t, w, stranger(t, w)); err != nil {
				t.Fatal(err)
			}
			for {
				_, err := log.Append(t.Context(), add("test-new", eventstore.Unchecked(), event(1, 1)))
				if errors.Is(err, eventstore.ErrHalted) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := log.Halted(); !errors.Is(err, eventstore.ErrHalted) {
				t.Errorf("halted: %v", err)
			}
			if _, err := log.Head(t.Context()); !errors.Is(err, eventstore.ErrHalted) {
				t.Errorf("the head: %v", err)
			}
			for _, err := range log.Subscribe(t.Context(), 5, eventstore.Filter{}) {
				if err != nil && !errors.Is(err, eventstore.ErrHalted) {
					t.Errorf("a subscription: %v", err)
				}
			}
			if err := log.Follow(t.Context()); !errors.Is(err, eventstore.ErrHalted) {
				t.Errorf("following: %v", err)
			}
		})
	}
	t.Run("a stream is deleted and used again", func(t *testing.T) {
		w := newWorld(t, 1)
		log := w.open(t)
		fill(t, log, 5)
		if _, err := stranger(t, w).DeleteStream(t.Context(), "chirograph.test-1", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
			t.Fatal(err)
		}
		_, err := log.Append(t.Context(), add("test-1", eventstore.Absent(), event(1, 1)))
		if !errors.Is(err, eventstore.ErrUnknownOutcome) || !errors.Is(log.Halted(), eventstore.ErrHalted) {
			t.Errorf("got %v, halted: %v", err, log.Halted())
		}
	})
	t.Run("a stream is cut short", func(t *testing.T) {
		w := newWorld(t, 1)
		log := w.open(t)
		fill(t, log, 15)
		m := esdb.StreamMetadata{}
		m.SetMaxCount(1)
		if _, err := stranger(t, w).SetStreamMetadata(t.Context(), "chirograph.test-1", esdb.AppendToStreamOptions{}, m); err != nil {
			t.Fatal(err)
		}
		for _, err := range log.ReadStream(t.Context(), "test-1", 0) {
			if altered := (*ledger.AlteredError)(nil); !errors.As(err, &altered) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// Events that vanish from the order are noticed before any other is numbered
// wrongly.
func TestVanishedEventsAreNoticed(t *testing.T) {
	w := newWorld(t, 1)
	log := w.open(t)
	fill(t, log, 10)
	settle(t, log)
	c := stranger(t, w)
	m := esdb.StreamMetadata{}
	m.SetMaxCount(1)
	if _, err := c.SetStreamMetadata(t.Context(), "chirograph.test-1", esdb.AppendToStreamOptions{}, m); err != nil {
		t.Fatal(err)
	}
	if n := w.Scavenge(); n == 0 {
		t.Fatal("nothing was removed")
	}
	altered := (*ledger.AlteredError)(nil)
	log.Close()
	// The tail is whole again once there are many events after the gap.
	table := &short{w.options.Table, true}
	w.options.Table = table
	fresh := w.open(t)
	table.short = false
	for e, err := range fresh.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		if !errors.As(err, &altered) {
			t.Errorf("got the event at %d, %v", e.Position, err)
		}
	}
	leaves := 0
	for _, err := range fresh.Leaves(t.Context(), 0, 10) {
		if err != nil {
			t.Fatal(err)
		}
		leaves++
	}
	if leaves != 9 {
		t.Errorf("%d leaves have events", leaves)
	}
}

// short is a table whose last leaves are never asked for at once.
type short struct {
	ledger.Table
	short bool
}

func (s *short) Rows(ctx context.Context, from, to int64) ([]ledger.Row, error) {
	if s.short && to-from > 5 {
		from = 8
	}
	return s.Table.Rows(ctx, from, to)
}

func TestAServerThatIsAwayIsNotAnEmptyOne(t *testing.T) {
	w := newWorld(t, 1)
	w.options.Patience = 200 * time.Millisecond
	w.open(t).Close()
	w.Node(0).Kill()
	began := time.Now()
	log, err := eventstoredb.Open(t.Context(), w.options)
	if err == nil {
		log.Close()
		t.Fatal("it was opened")
	}
	if rollback := (*ledger.RollbackError)(nil); errors.As(err, &rollback) || time.Since(began) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}
