package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
	"github.com/chirograph/chirograph/eventstore/storetest"

	"github.com/google/uuid"
)

func journal(log eventstore.Log) *eventstore.Journal {
	return &eventstore.Journal{Log: log, Codec: codec(&memory.Keys{}, append(doorEvents, metNow...))}
}

// heard keeps every call of Append and passes it on.
type heard struct {
	eventstore.Log
	calls [][]eventstore.Append
}

func (h *heard) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	h.calls = append(h.calls, appends)
	return h.Log.Append(ctx, appends...)
}

func TestCommitRepeatsIdentically(t *testing.T) {
	log := &heard{Log: memory.New(time.Now)}
	faulty := &storetest.Faulty{Log: log}
	h := &heard{Log: faulty}
	faulty.Plan(storetest.NotDone, storetest.AnswerLost)
	j := journal(h)
	once := eventstore.Once{Key: [32]byte{1}, Expires: time.Now().Add(time.Minute)}
	_, err := j.Commit(t.Context(), meta,
		eventstore.Draft{Stream: "test-1", Expect: eventstore.Absent(), Events: []any{alice, opened{"ann"}}, Once: []eventstore.Once{once}},
		eventstore.Draft{Stream: "test-2", Expect: eventstore.Unchecked(), Events: []any{alice}})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.calls) != 3 || !reflect.DeepEqual(h.calls[0], h.calls[1]) || !reflect.DeepEqual(h.calls[0], h.calls[2]) {
		t.Errorf("%d calls, or not all alike", len(h.calls))
	}
	seen := map[uuid.UUID]bool{}
	for _, a := range h.calls[0] {
		for _, e := range a.Events {
			if e.ID.Version() != 7 || seen[e.ID] {
				t.Errorf("event id %s is of version %d, or used twice", e.ID, e.ID.Version())
			}
			seen[e.ID] = true
		}
	}
}

// Who waits for a commit may leave in the middle of it; its outcome is found out
// all the same.
func TestAnOutcomeIsFoundOutForNobody(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	log := memory.New(time.Now)
	h := &forgetful{Log: log, before: leave, refuse: eventstore.ErrConflict}
	receipts, err := journal(h).Commit(ctx, meta, eventstore.Draft{Stream: "test-1", Expect: eventstore.Absent(), Events: []any{opened{"ann"}}})
	if !errors.Is(err, eventstore.ErrConflict) || receipts != nil || h.calls != 2 {
		t.Errorf("not done: got %v, %v after %d calls", receipts, err, h.calls)
	}
	ctx, leave = context.WithCancel(t.Context())
	faulty := &storetest.Faulty{Log: log, Release: make(chan struct{})}
	faulty.Plan(storetest.Slow)
	leave()
	receipts, err = journal(faulty).Commit(ctx, meta, eventstore.Draft{Stream: "test-2", Expect: eventstore.Absent(), Events: []any{opened{"ann"}}})
	if err != nil || len(receipts) != 1 || faulty.Calls() != 2 {
		t.Errorf("done: got %v, %v after %d calls", receipts, err, faulty.Calls())
	}
}

// forgetful is a log that knows no repeat: it answers it with a conflict.
type forgetful struct {
	eventstore.Log
	refuse error
	before func()
	calls  int
}

func (l *forgetful) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	if l.calls++; l.calls > 1 {
		return nil, l.refuse
	}
	if l.before != nil {
		l.before()
	}
	if _, err := l.Log.Append(ctx, appends...); err != nil {
		return nil, fmt.Errorf("%w: the answer was lost", eventstore.ErrUnknownOutcome)
	}
	return nil, eventstore.ErrUnknownOutcome
}

func TestAConflictWithOurOwnEventsIsSuccess(t *testing.T) {
	replayed := &eventstore.Replayed{Key: [32]byte{1}}
	conflict := &eventstore.Conflict{Stream: "test-1", Have: 1}
	drafts := []eventstore.Draft{
		{Stream: "test-1", Expect: eventstore.Absent(), Events: []any{opened{"ann"}, closed{}}},
		{Stream: "test-2", Expect: eventstore.Unchecked()},
		{Stream: "test-3", Expect: eventstore.Unchecked(), Events: []any{opened{"bob"}}},
	}
	tests := []struct {
		name   string
		refuse error
		rival  eventstore.Stream // where somebody else was first
		ok     bool
	}{
		{"all of ours are there", conflict, "", true},
		{"all of ours are there, their key is used", replayed, "", true},
		{"another's are there", conflict, "test-1", false},
		{"another's are there, with our key", replayed, "test-1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inner := memory.New(time.Now)
			log := &forgetful{Log: inner, refuse: tt.refuse, before: func() {
				if tt.rival != "" {
					other := eventstore.Proposed{ID: uuid.New(), Type: "test.opened", Version: 1}
					inner.Append(t.Context(), eventstore.Append{Stream: tt.rival, Expect: eventstore.Absent(), Events: []eventstore.Proposed{other, other}})
				}
			}}
			receipts, err := journal(log).Commit(t.Context(), event.Meta{}, drafts...)
			if !tt.ok {
				if !errors.Is(err, tt.refuse) {
					t.Errorf("got %v, %v; want %v", receipts, err, tt.refuse)
				}
				return
			}
			if err != nil || receipts[0].Revision != 1 || receipts[0].Position != 2 || receipts[2].Position != 3 {
				t.Errorf("got %+v, %v", receipts, err)
			}
		})
	}
}

func TestCommitOfWhatCannotBeStored(t *testing.T) {
	log := &heard{Log: memory.New(time.Now)}
	_, err := journal(log).Commit(t.Context(), meta,
		eventstore.Draft{Stream: "test-1", Expect: eventstore.Absent(), Events: []any{alice}},
		eventstore.Draft{Stream: "test-2", Expect: eventstore.Absent(), Events: []any{struct{ X int }{1}}})
	if err == nil || len(log.calls) > 0 {
		t.Errorf("got %v after %d appends", err, len(log.calls))
	}
}

func TestJournalReads(t *testing.T) {
	j := journal(memory.New(time.Now))
	commit := func(s eventstore.Stream, events ...any) {
		t.Helper()
		if _, err := j.Commit(t.Context(), meta, eventstore.Draft{Stream: s, Expect: eventstore.Unchecked(), Events: events}); err != nil {
			t.Fatal(err)
		}
	}
	commit("test-1", alice)
	commit("other-1", opened{"ann"})
	commit("test-1", closed{})

	var got []any
	for d, err := range j.Read(t.Context(), "test-1") {
		if err != nil || d.Metadata != meta || d.Stream != "test-1" {
			t.Fatalf("got %+v, %v", d, err)
		}
		got = append(got, d.Body)
	}
	if !reflect.DeepEqual(got, []any{alice, closed{}}) {
		t.Errorf("read %+v", got)
	}
	got = nil
	for d, err := range j.ReadAll(t.Context(), 1, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d.Body)
	}
	if !reflect.DeepEqual(got, []any{opened{"ann"}, closed{}}) {
		t.Errorf("read %+v", got)
	}
}

func TestReadingEndsAtAnEventThatCannotBeDecoded(t *testing.T) {
	log := memory.New(time.Now)
	j := journal(log)
	good, err := j.Codec.Encode(t.Context(), "test-1", uuid.New(), opened{"ann"}, meta)
	if err != nil {
		t.Fatal(err)
	}
	bad := eventstore.Proposed{ID: uuid.New(), Type: "test.unknown", Version: 1, Data: []byte("{}"), Meta: []byte("{}")}
	a := eventstore.Append{Stream: "test-1", Expect: eventstore.Absent(), Events: []eventstore.Proposed{good, bad, good}}
	if _, err := log.Append(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	var errs []error
	for _, err := range j.Read(t.Context(), "test-1") {
		errs = append(errs, err)
	}
	if len(errs) != 2 || errs[0] != nil || errs[1] == nil {
		t.Errorf("got %v", errs)
	}
}
