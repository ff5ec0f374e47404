package eventstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
	"github.com/chirograph/chirograph/eventstore/storetest"

	"github.com/google/uuid"
)

// door is an aggregate: it is opened by one person and closed by anybody.
type door struct {
	open  bool
	times int
}

type (
	opened struct {
		By string `json:"by"`
	}
	closed struct{}

	doorEvent   interface{ isDoorEvent() }
	doorCommand interface{ isDoorCommand() }
	openDoor    struct{ opened }
	closeDoor   struct{}
)

func (opened) isDoorEvent()      {}
func (closed) isDoorEvent()      {}
func (openDoor) isDoorCommand()  {}
func (closeDoor) isDoorCommand() {}

var errOpen = errors.New("the door is open")

func (d door) Decide(c doorCommand) ([]doorEvent, error) {
	switch c := c.(type) {
	case openDoor:
		if d.open {
			return nil, errOpen
		}
		return []doorEvent{c.opened}, nil
	default:
		if !d.open {
			return nil, nil
		}
		return []doorEvent{closed{}}, nil
	}
}

func (d door) Evolve(e doorEvent) door {
	_, d.open = e.(opened)
	d.times++
	return d
}

var doorEvents = []event.Declaration{
	event.Type[opened]{Name: "test.opened", Audit: func(opened, event.Names) string { return "" }},
	event.Type[closed]{Name: "test.closed", Audit: func(closed, event.Names) string { return "" }},
}

func doors(log eventstore.Log) eventstore.Streams[door, doorCommand, doorEvent] {
	return eventstore.Streams[door, doorCommand, doorEvent]{Journal: journal(log), Kind: "door"}
}

func TestExecute(t *testing.T) {
	ctx := t.Context()
	log := &heard{Log: memory.New(time.Now)}
	ss := doors(log)
	tests := []struct {
		name    string
		command doorCommand
		err     error
		then    door
		appends int
	}{
		{"what is asked of nothing is decided on nothing", openDoor{opened{"ann"}}, nil, door{true, 1}, 1},
		{"a refusal is told and nothing recorded", openDoor{opened{"bob"}}, errOpen, door{true, 1}, 0},
		{"a decision is recorded and its state returned", closeDoor{}, nil, door{false, 2}, 1},
		{"what is already so is recorded again by nobody", closeDoor{}, nil, door{false, 2}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log.calls = nil
			got, err := ss.Execute(ctx, meta, "1", tt.command)
			if !errors.Is(err, tt.err) || got != tt.then || len(log.calls) != tt.appends {
				t.Errorf("got %+v, %v after %d appends", got, err, len(log.calls))
			}
			if state, revision, err := ss.Load(ctx, "1"); state != tt.then || revision != eventstore.Revision(tt.then.times-1) || err != nil {
				t.Errorf("loaded %+v at %d, %v", state, revision, err)
			}
		})
	}
	if state, revision, err := ss.Load(ctx, "none"); state != (door{}) || revision != eventstore.NoRevision || err != nil {
		t.Errorf("a stream that does not exist: %+v at %d, %v", state, revision, err)
	}
}

// rival is a log where somebody else is a moment faster, as often as it has
// events to append.
type rival struct {
	eventstore.Log
	stream eventstore.Stream
	first  []any
	codec  *eventstore.Codec
	ids    map[uuid.UUID]bool // that were tried
}

func (r *rival) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	for _, a := range appends {
		for _, e := range a.Events {
			if r.ids[e.ID] {
				return nil, errors.New("a new decision with the ids of an old one")
			}
			r.ids[e.ID] = true
		}
	}
	if len(r.first) > 0 {
		e := r.first[0]
		if e == nil {
			e = closed{}
		}
		p, err := r.codec.Encode(ctx, r.stream, uuid.New(), e, event.Meta{})
		if err != nil {
			return nil, err
		}
		r.first = r.first[1:]
		if _, err := r.Log.Append(ctx, eventstore.Append{Stream: r.stream, Expect: eventstore.Unchecked(), Events: []eventstore.Proposed{p}}); err != nil {
			return nil, err
		}
	}
	return r.Log.Append(ctx, appends...)
}

func rivalled(stream eventstore.Stream, first ...any) (*rival, eventstore.Streams[door, doorCommand, doorEvent]) {
	r := &rival{Log: memory.New(time.Now), stream: stream, first: first, ids: map[uuid.UUID]bool{}}
	ss := doors(r)
	r.codec = ss.Journal.Codec
	return r, ss
}

func TestExecuteDecidesAfresh(t *testing.T) {
	t.Run("and refuses what the new state forbids", func(t *testing.T) {
		_, ss := rivalled("door-1", opened{"bob"})
		if got, err := ss.Execute(t.Context(), meta, "1", openDoor{opened{"ann"}}); !errors.Is(err, errOpen) {
			t.Errorf("got %+v, %v", got, err)
		}
		if state, _, _ := ss.Load(t.Context(), "1"); state != (door{true, 1}) {
			t.Errorf("the stream says %+v", state)
		}
	})
	t.Run("and builds on the new state, with new ids", func(t *testing.T) {
		r, ss := rivalled("door-1", closed{}, closed{})
		got, err := ss.Execute(t.Context(), meta, "1", openDoor{opened{"ann"}})
		if err != nil || got != (door{true, 3}) || len(r.ids) != 3 {
			t.Errorf("got %+v, %v in %d attempts", got, err, len(r.ids))
		}
	})
	t.Run("but not for ever", func(t *testing.T) {
		_, ss := rivalled("door-1", make([]any, 100)...)
		if got, err := ss.Execute(t.Context(), meta, "1", openDoor{opened{"ann"}}); !errors.Is(err, eventstore.ErrConflict) {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestExecuteWith(t *testing.T) {
	ctx, log := t.Context(), memory.New(time.Now)
	ss := doors(log)
	book := eventstore.Draft{Stream: "book-1", Expect: eventstore.Absent(), Events: []any{alice}}
	follow := func(d door) []eventstore.Draft {
		if d != (door{true, 1}) {
			t.Errorf("what follows is asked for state %+v", d)
		}
		return []eventstore.Draft{book}
	}
	once := eventstore.Once{Key: [32]byte{1}, Expires: time.Now().Add(time.Minute)}
	if got, err := ss.ExecuteWith(ctx, meta, "1", openDoor{opened{"ann"}}, follow, once); err != nil || got != (door{true, 1}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if head, err := log.Head(ctx); head != 2 || err != nil {
		t.Errorf("%d events, %v; want two", head, err)
	}
	never := func(door) []eventstore.Draft { t.Error("asked what follows from nothing"); return nil }
	if _, err := ss.ExecuteWith(ctx, meta, "2", closeDoor{}, never); err != nil {
		t.Errorf("nothing to do: %v", err)
	}
	if _, err := ss.ExecuteWith(ctx, meta, "1", openDoor{opened{"bob"}}, never); !errors.Is(err, errOpen) {
		t.Errorf("refused: %v", err)
	}
	var conflict *eventstore.Conflict
	if _, err := ss.ExecuteWith(ctx, meta, "2", openDoor{opened{"ann"}}, follow); !errors.As(err, &conflict) || conflict.Stream != "book-1" {
		t.Errorf("what follows is taken: %v", err)
	}
	if _, err := ss.Execute(ctx, meta, "3", openDoor{opened{"ann"}}, once); !errors.Is(err, eventstore.ErrReplay) {
		t.Errorf("a used key: %v", err)
	}
	for _, id := range []string{"2", "3"} {
		if _, revision, _ := ss.Load(ctx, id); revision != eventstore.NoRevision {
			t.Errorf("door %s has revision %d after refusals", id, revision)
		}
	}
}

func TestExecuteIsToldOfAnUnknownOutcome(t *testing.T) {
	log := &storetest.Faulty{Log: memory.New(time.Now)}
	log.Plan(storetest.NotDone, storetest.NotDone, storetest.NotDone, storetest.NotDone, storetest.NotDone)
	got, err := doors(log).Execute(t.Context(), meta, "1", openDoor{opened{"ann"}})
	if !errors.Is(err, eventstore.ErrUnknownOutcome) || got != (door{}) || log.Calls() != 5 {
		t.Errorf("got %+v, %v after %d appends", got, err, log.Calls())
	}
}

func TestDraft(t *testing.T) {
	ss := doors(memory.New(time.Now))
	draft, err := ss.Draft("1", door{}, eventstore.NoRevision, openDoor{opened{"ann"}})
	if err != nil || draft.Stream != "door-1" || draft.Expect != eventstore.Absent() || len(draft.Events) != 1 {
		t.Errorf("got %+v, %v", draft, err)
	}
	draft, err = ss.Draft("1", door{open: true}, 4, closeDoor{})
	if err != nil || draft.Expect != eventstore.At(4) {
		t.Errorf("got %+v, %v", draft, err)
	}
	if _, err := ss.Draft("1", door{open: true}, 4, openDoor{}); !errors.Is(err, errOpen) {
		t.Errorf("got %v", err)
	}
}

func TestStreamNames(t *testing.T) {
	for name, want := range map[eventstore.Stream][2]string{
		"consent-0198-aa": {"consent", "0198-aa"},
		"consent":         {"consent", ""},
		"-x":              {"", "x"},
		"":                {"", ""},
	} {
		if name.Category() != want[0] || name.ID() != want[1] {
			t.Errorf("%q is %q of %q", name, name.ID(), name.Category())
		}
	}
}

func TestExpect(t *testing.T) {
	const some eventstore.Revision = 3
	tests := []struct {
		name    string
		expect  eventstore.Expect
		holds   []eventstore.Revision
		fails   []eventstore.Revision
		demands bool
	}{
		{"absent", eventstore.Absent(), []eventstore.Revision{eventstore.NoRevision}, []eventstore.Revision{0, some}, true},
		{"at", eventstore.At(some), []eventstore.Revision{some}, []eventstore.Revision{eventstore.NoRevision, 0, 4}, true},
		{"unchecked", eventstore.Unchecked(), []eventstore.Revision{eventstore.NoRevision, 0, some}, nil, false},
		{"none", eventstore.Expect{}, nil, []eventstore.Revision{eventstore.NoRevision, 0, some}, false},
	}
	for _, tt := range tests {
		for _, have := range tt.holds {
			if !tt.expect.Holds(have) {
				t.Errorf("%s does not hold at %d", tt.name, have)
			}
		}
		for _, have := range tt.fails {
			if tt.expect.Holds(have) {
				t.Errorf("%s holds at %d", tt.name, have)
			}
		}
		if _, demands := tt.expect.Revision(); demands != tt.demands || tt.expect.Valid() != (tt.name != "none") {
			t.Errorf("%s demands a revision: %t, valid: %t", tt.name, demands, tt.expect.Valid())
		}
	}
	if eventstore.After(eventstore.NoRevision) != eventstore.Absent() || eventstore.After(some) != eventstore.At(some) {
		t.Error("After expects another place than was read")
	}
}
