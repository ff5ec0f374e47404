// Package storetest holds what every event log engine must pass.
package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// An Engine is what [Run] tests.
type Engine struct {
	// Open returns a new, empty log that takes the time from now, and a
	// function that closes it and opens it again; nil if the engine keeps
	// nothing. The test closes whatever is open at its end.
	Open func(t *testing.T, now func() time.Time) (log eventstore.Log, reopen func() eventstore.Log)

	// Atomic engines make every call of Append all or nothing.
	Atomic bool

	// Settle is for engines that number events after they acknowledge them:
	// it returns when all that the log has acknowledged is numbered, and in
	// its tree. Without it receipts and events must be numbered at once.
	Settle func(t *testing.T, log eventstore.Log)

	// Second opens a log once more, as another node does beside the first;
	// nil if a log has one writer. The test closes it.
	Second func(t *testing.T, first eventstore.Log) eventstore.Log

	// Copy opens a new, empty log that has the id of another, to import that
	// one into it; nil if the engine is no [eventstore.Importer]. The test
	// closes it.
	Copy func(t *testing.T, id uuid.UUID, now func() time.Time) eventstore.Log

	// AppendBytes is how large an append to one stream may be if the engine
	// takes less than [eventstore.MaxAppendBytes].
	AppendBytes int
}

// Run tests an engine against the contract of [eventstore.Log].
func Run(t *testing.T, e Engine) {
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"append", appendTests},
		{"repeat", repeatTests},
		{"replay keys", onceTests},
		{"limits", limitTests},
		{"races", raceTests},
		{"read", readTests},
		{"subscribe", subscribeTests},
		{"observe", observeTests},
		{"faults", faultTests},
		{"tree", treeTests},
		{"nodes", nodeTests},
		{"import", importTests},
	} {
		t.Run(group.name, func(t *testing.T) { runAll(t, e, group.tests) })
	}
}

// A test may need an ability that not every engine has.
type test struct {
	name string
	run  func(*fixture)

	atomic, reopens, observable, tree, shared, imports bool
}

func (tt test) runsOn(e Engine, log eventstore.Log, reopen func() eventstore.Log) bool {
	_, observable := log.(eventstore.Observable)
	_, tree := log.(source)
	return (e.Atomic || !tt.atomic) && (reopen != nil || !tt.reopens) && (observable || !tt.observable) &&
		(tree || !tt.tree) && (e.Second != nil || !tt.shared) && (e.Copy != nil || !tt.imports)
}

func runAll(t *testing.T, e Engine, tests []test) {
	for _, tt := range tests {
		f := &fixture{T: t, engine: e, clock: clock{now: noon}}
		log, reopen := e.Open(t, f.clock.Now)
		if !tt.runsOn(e, log, reopen) {
			log.Close()
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			f.T, f.Log, f.reopen = t, log, reopen
			defer func() { f.Log.Close() }()
			tt.run(f)
		})
	}
}

var noon = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

// A clock stands still unless it is set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// A fixture is an empty log and what tests do with it.
type fixture struct {
	*testing.T
	eventstore.Log
	engine Engine
	reopen func() eventstore.Log
	clock  clock
}

// settle returns when all that the log has acknowledged is numbered.
func (f *fixture) settle() {
	f.Helper()
	if f.engine.Settle != nil {
		f.engine.Settle(f.T, f.Log)
	}
}

func (f *fixture) must(appends ...eventstore.Append) []eventstore.Receipt {
	f.Helper()
	receipts, err := f.Append(f.Context(), appends...)
	if err != nil {
		f.Fatalf("append: %v", err)
	}
	if len(receipts) != len(appends) {
		f.Fatalf("%d receipts for %d appends", len(receipts), len(appends))
	}
	return receipts
}

func (f *fixture) refused(want error, appends ...eventstore.Append) {
	f.Helper()
	receipts, err := f.Append(f.Context(), appends...)
	if !isError(err, want) {
		f.Fatalf("append: got %v, %v; want %v", receipts, err, want)
	}
}

// places demands that a receipt names the place of an event.
func (f *fixture) places(r eventstore.Receipt, e eventstore.Event) {
	f.Helper()
	switch later := f.engine.Settle != nil && r.Position == eventstore.Unnumbered && r.Leaf == -1; {
	case r.Revision != e.Revision || !later && (r.Position != e.Position || r.Leaf != e.Leaf):
		f.Errorf("receipt %+v, event at %d, %d, %d", r, e.Revision, e.Position, e.Leaf)
	case e.Leaf < 0 || e.Position != eventstore.Position(e.Leaf+1):
		f.Errorf("event at position %d is leaf %d", e.Position, e.Leaf)
	}
}

// position is where the last event of an append is.
func (f *fixture) position(r eventstore.Receipt, s eventstore.Stream) eventstore.Position {
	f.Helper()
	events := f.stream(s)
	if int(r.Revision) >= len(events) {
		f.Fatalf("receipt names revision %d of %s, which has %d events", r.Revision, s, len(events))
	}
	f.places(r, events[r.Revision])
	return events[r.Revision].Position
}

// stream returns all events of a stream, numbered.
func (f *fixture) stream(s eventstore.Stream) (events []eventstore.Event) {
	f.Helper()
	f.settle()
	for e, err := range f.ReadStream(f.Context(), s, 0) {
		if err != nil {
			f.Fatalf("read %s: %v", s, err)
		}
		events = append(events, e)
	}
	return events
}

// all returns all events after a position that a filter selects.
func (f *fixture) all(after eventstore.Position, filter eventstore.Filter) (events []eventstore.Event) {
	f.Helper()
	for e, err := range f.ReadAll(f.Context(), after, filter) {
		if err != nil {
			f.Fatalf("read all: %v", err)
		}
		events = append(events, e)
	}
	return events
}

// ids names the events that are expected, in order.
func (f *fixture) ids(got []eventstore.Event, want ...eventstore.Proposed) {
	f.Helper()
	if !slices.EqualFunc(got, want, func(e eventstore.Event, p eventstore.Proposed) bool { return e.ID == p.ID }) {
		f.Fatalf("got events %v, want %v", brief(got), want)
	}
}

func brief(events []eventstore.Event) (out []string) {
	for _, e := range events {
		out = append(out, fmt.Sprintf("%s@%d#%d %s", e.Stream, e.Revision, e.Position, e.ID))
	}
	return out
}

// fact is a new event with a body that names n.
func fact(n int) eventstore.Proposed { return typed("test.happened", n) }

func typed(name string, n int) eventstore.Proposed {
	return eventstore.Proposed{
		ID:      uuid.New(),
		Type:    name,
		Version: 1,
		Data:    fmt.Appendf(nil, `{"n":%d}`, n),
		Meta:    []byte(`{"actor":"test"}`),
	}
}

func facts(n int) (all []eventstore.Proposed) {
	for i := range n {
		all = append(all, fact(i))
	}
	return all
}

// add is an append without replay keys.
func add(s eventstore.Stream, e eventstore.Expect, events ...eventstore.Proposed) eventstore.Append {
	return eventstore.Append{Stream: s, Expect: e, Events: events}
}
