package eventstoredb_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb"
	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/eventstore/memory"
)

func fill(t testing.TB, log eventstore.Log, n int) {
	t.Helper()
	for i := range n {
		if _, err := log.Append(t.Context(), add(fmt.Sprintf("test-%d", i%max(5, n/5)), eventstore.Unchecked(), event(i, 20))); err != nil {
			t.Fatal(err)
		}
	}
}

// read returns all that ReadAll yields after a position.
func read(t testing.TB, log eventstore.Log, after eventstore.Position) (events []eventstore.Event) {
	t.Helper()
	for e, err := range log.ReadAll(t.Context(), after, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// What was appended a moment ago has no number, and gets one.
func TestEventsAreNumberedLater(t *testing.T) {
	w := newWorld(t, 1)
	log := w.open(t)
	heal := w.Inject(standin.At(standin.SubscriptionMessage, standin.Slow(200*time.Millisecond)))
	defer heal()
	r, err := log.Append(t.Context(), add("test-1", eventstore.Absent(), event(1, 1)))
	if err != nil || r[0] != (eventstore.Receipt{Revision: 0, Position: eventstore.Unnumbered, Leaf: -1}) {
		t.Fatalf("receipt %+v, %v", r, err)
	}
	for e, err := range log.ReadStream(t.Context(), "test-1", 0) {
		if err != nil || e.Position != eventstore.Unnumbered || e.Leaf != -1 {
			t.Errorf("read at once: %d, %d, %v", e.Position, e.Leaf, err)
		}
	}
	if head, err := log.Head(t.Context()); head != 1 || err != nil {
		t.Errorf("head %d, %v", head, err)
	}
	for e, err := range log.ReadStream(t.Context(), "test-1", 0) {
		if err != nil || e.Position != 1 || e.Leaf != 0 {
			t.Errorf("read after the head: %d, %d, %v", e.Position, e.Leaf, err)
		}
	}
}

// A node that starts has only the table to know what is older.
func TestANewNodeKnowsOldNumbers(t *testing.T) {
	w := newWorld(t, 1)
	log := w.open(t)
	fill(t, log, 2500)
	want := read(t, log, 0)
	settle(t, log)
	fill(t, log, 10)
	fresh := w.open(t)
	for _, e := range want[:5] {
		i := 0
		for got, err := range fresh.ReadStream(t.Context(), e.Stream, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if i++; i == 1 && (got.Position != e.Position || got.Leaf != e.Leaf || !got.Recorded.Equal(e.Recorded)) {
				t.Errorf("%s begins at %d, not at %d", e.Stream, got.Position, e.Position)
			}
		}
	}
	for _, after := range []eventstore.Position{0, 1, 999, 1000, 1001, 2499, 2500, 2505, 2510} {
		got := read(t, fresh, after)
		if len(got) != 2510-int(after) {
			t.Fatalf("%d events after %d", len(got), after)
		}
		for i, e := range got {
			if e.Position != after+1+eventstore.Position(i) || int(e.Position) <= len(want) && e.ID != want[e.Position-1].ID {
				t.Fatalf("event %d after %d is at %d", i, after, e.Position)
			}
		}
	}
}

// Every node numbers what lies beyond the table as the follower will.
func TestNodesAgreeWithoutAFollower(t *testing.T) {
	w := newWorld(t, 3)
	c := clockAt(time.Now())
	w.options.Now = c.Now
	first := w.open(t)
	fill(t, first, 30)
	settle(t, first)
	c.forward(-time.Hour) // the writers' clocks differ
	fill(t, w.open(t), 30)
	c.forward(2 * time.Hour)
	fill(t, first, 30)
	want := read(t, first, 0)
	fresh := w.open(t)
	for i, e := range read(t, fresh, 0) {
		if e.ID != want[i].ID || e.Position != want[i].Position || !e.Recorded.Equal(want[i].Recorded) || i > 0 && e.Recorded.Before(want[i-1].Recorded) {
			t.Fatalf("event %d is %s at %d, recorded %v", i, e.ID, e.Position, e.Recorded)
		}
	}
	settle(t, fresh)
	for leaf, err := range fresh.Leaves(t.Context(), 0, 90) {
		if err != nil || leaf.ID != want[leaf.Leaf].ID || ledger.LeafHash(ledger.Record(first.ID(), leaf.Event)) != leaf.Hash {
			t.Fatalf("leaf %d: %v", leaf.Leaf, err)
		}
	}
}

// Two that follow do not end, nor read again and again what was compared once.
func TestTwoMayFollow(t *testing.T) {
	w := newWorld(t, 1)
	counted := &asked{Table: w.options.Table}
	w.options.Table = counted
	a, b := w.open(t), w.open(t)
	fill(t, a, 100)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ends := make(chan error, 2)
	for _, log := range []*eventstoredb.Log{a, b} {
		go func() { ends <- log.Follow(ctx) }()
	}
	for i := 0; counted.deposed.Load() < 2; i++ {
		if i == 5000 {
			t.Fatal("none is late")
		}
		fill(t, a, 1)
	}
	head, err := a.Head(t.Context())
	for size := int64(0); err == nil && size < int64(head); {
		size, err = a.Size(t.Context())
	}
	if err != nil || len(ends) > 0 {
		t.Fatalf("%d have ended, %v", len(ends), err)
	}
	if n := counted.rows.Load(); n > int64(head)/2 {
		t.Errorf("%d leaves were read for %d events", n, head)
	}
	root, err := ledger.Root(t.Context(), b, int64(head))
	if again := hashed(t, b, int(head)); err != nil || root != again {
		t.Errorf("root %v, %v; want %v", root, err, again)
	}
	stop()
	for range 2 {
		if err := <-ends; !errors.Is(err, context.Canceled) {
			t.Errorf("one ended with %v", err)
		}
	}
}

// asked is a table that counts what it is asked for.
type asked struct {
	ledger.Table
	rows, deposed atomic.Int64
}

func (a *asked) Rows(ctx context.Context, from, to int64) ([]ledger.Row, error) {
	rows, err := a.Table.Rows(ctx, from, to)
	a.rows.Add(int64(len(rows)))
	return rows, err
}

func (a *asked) Extend(ctx context.Context, rows []ledger.Row, nodes []ledger.Node) error {
	err := a.Table.Extend(ctx, rows, nodes)
	if errors.Is(err, ledger.ErrDeposed) {
		a.deposed.Add(1)
	}
	return err
}

// hashed is the root of a tree over all events, hashed anew.
func hashed(t *testing.T, log *eventstoredb.Log, size int) [32]byte {
	t.Helper()
	n, _, err := ledger.Resume(t.Context(), log.ID(), &memory.Table{})
	if err != nil {
		t.Fatal(err)
	}
	table := &memory.Table{}
	for _, e := range read(t, log, 0)[:size] {
		row, nodes := n.Number(&e, uint64(e.Position))
		if err := table.Extend(t.Context(), []ledger.Row{row}, nodes); err != nil {
			t.Fatal(err)
		}
	}
	f, err := ledger.ReadFrontier(t.Context(), table, int64(size))
	if err != nil {
		t.Fatal(err)
	}
	return f.Root()
}

// flaky is a table that fails, and one whose answer to Extend may be lost.
type flaky struct {
	*memory.Table
	failures int
}

var errFlaky = errors.New("the table does not answer")

func (f *flaky) Extend(ctx context.Context, rows []ledger.Row, nodes []ledger.Node) error {
	if f.failures++; f.failures%3 == 0 {
		return f.Table.Extend(ctx, rows, nodes)
	}
	if f.failures%3 == 1 {
		if err := f.Table.Extend(ctx, rows, nodes); err != nil {
			return err
		}
	}
	return errFlaky
}

func TestTheFollowerSurvivesItsTable(t *testing.T) {
	w := newWorld(t, 1)
	w.options.Table = &flaky{Table: &memory.Table{}}
	log := w.open(t)
	for range 4 {
		fill(t, log, 20)
		settle(t, log)
	}
	if head, err := log.Head(t.Context()); head != 80 || err != nil {
		t.Errorf("head %d, %v", head, err)
	}
}

// The whole audit of a log that was followed.
func TestAFollowedLogIsVerified(t *testing.T) {
	w := newWorld(t, 1)
	log := w.open(t)
	fill(t, log, 1200)
	settle(t, log)
	count := 0
	for leaf, err := range log.Leaves(t.Context(), 0, 1200) {
		if err != nil || leaf.Leaf != int64(count) || ledger.LeafHash(ledger.Record(log.ID(), leaf.Event)) != leaf.Hash {
			t.Fatalf("leaf %d: %v", count, err)
		}
		count++
	}
	if count != 1200 {
		t.Errorf("%d leaves", count)
	}
	root, err := ledger.Root(t.Context(), log, 1200)
	if want := hashed(t, log, 1200); err != nil || root != want {
		t.Errorf("root %v, %v; want %v", root, err, want)
	}
}
