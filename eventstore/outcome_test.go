package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
	"github.com/chirograph/chirograph/eventstore/storetest"

	"github.com/google/uuid"
)

// three is a decision on three streams, with a key.
func three() []eventstore.Draft {
	return []eventstore.Draft{
		{Stream: "test-1", Expect: eventstore.Absent(), Events: []any{opened{"ann"}, closed{}}, Once: []eventstore.Once{{Key: [32]byte{1}, Expires: time.Now().Add(time.Hour)}}},
		{Stream: "test-2", Expect: eventstore.Unchecked(), Events: []any{opened{"ann"}}},
		{Stream: "test-3", Expect: eventstore.Absent(), Events: []any{opened{"ann"}}},
	}
}

// first has somebody else write to a stream.
func first(t *testing.T, log eventstore.Log, s eventstore.Stream, keys ...eventstore.Once) {
	t.Helper()
	other := eventstore.Proposed{ID: uuid.New(), Type: "test.opened", Version: 1, Data: []byte(`{}`), Meta: []byte(`{}`)}
	a := eventstore.Append{Stream: s, Expect: eventstore.Unchecked(), Events: []eventstore.Proposed{other}, Once: keys}
	if _, err := log.Append(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func TestADecisionThatStoppedHalfwayIsCompleted(t *testing.T) {
	for at := 1; at <= 3; at++ {
		for _, written := range []bool{false, true} {
			t.Run(fmt.Sprintf("at append %d, written %t", at, written), func(t *testing.T) {
				log := &storetest.Stepwise{Log: memory.New(time.Now)}
				cut := storetest.Cut{At: at, Written: written}
				log.Plan(cut, cut)
				receipts, err := journal(log).Commit(t.Context(), meta, three()...)
				if err != nil || len(receipts) != 3 || receipts[0].Revision != 1 || receipts[0].Position != 2 || receipts[2].Position != 4 {
					t.Errorf("got %+v, %v", receipts, err)
				}
				if head, _ := log.Head(t.Context()); head != 4 {
					t.Errorf("%d events, want 4", head)
				}
			})
		}
	}
}

func TestWhatARefusalMeans(t *testing.T) {
	afterFirst := storetest.Cut{At: 1, Written: true}
	tests := []struct {
		name  string
		given func(*testing.T, *storetest.Stepwise)
		plan  []storetest.Cut
		want  error
		wrote int
	}{
		{"nothing is written if the first stream has moved", func(t *testing.T, l *storetest.Stepwise) { first(t, l.Log, "test-1") }, nil, eventstore.ErrConflict, 0},
		{"or the key is used", func(t *testing.T, l *storetest.Stepwise) { first(t, l.Log, "test-9", three()[0].Once...) }, nil, eventstore.ErrReplay, 0},
		{"also if an answer was lost before", func(t *testing.T, l *storetest.Stepwise) { first(t, l.Log, "test-1") }, []storetest.Cut{{At: 1}}, eventstore.ErrConflict, 0},
		{"a decision that is refused halfway is no conflict", func(t *testing.T, l *storetest.Stepwise) { first(t, l.Log, "test-3") }, nil, eventstore.ErrUnknownOutcome, 3},
		{"nor one that is refused when it is completed", func(t *testing.T, l *storetest.Stepwise) { first(t, l.Log, "test-3") }, []storetest.Cut{afterFirst}, eventstore.ErrUnknownOutcome, 3},
		{"one that never gets further is not known", func(*testing.T, *storetest.Stepwise) {}, []storetest.Cut{afterFirst, afterFirst, afterFirst, afterFirst, afterFirst}, eventstore.ErrUnknownOutcome, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log := &storetest.Stepwise{Log: memory.New(time.Now)}
			tt.given(t, log)
			before, _ := log.Head(t.Context())
			log.Plan(tt.plan...)
			receipts, err := journal(log).Commit(t.Context(), meta, three()...)
			if !errors.Is(err, tt.want) || receipts != nil {
				t.Errorf("got %v, %v; want %v", receipts, err, tt.want)
			}
			if tt.want == eventstore.ErrUnknownOutcome && errors.Is(err, eventstore.ErrConflict) {
				t.Errorf("%v may be decided afresh", err)
			}
			if head, _ := log.Head(t.Context()); int(head-before) != tt.wrote {
				t.Errorf("%d events were written, want %d", head-before, tt.wrote)
			}
		})
	}
}

// unreadable is a log whose streams cannot be read.
type unreadable struct{ eventstore.Log }

func (unreadable) ReadStream(context.Context, eventstore.Stream, eventstore.Revision) iter.Seq2[eventstore.Event, error] {
	return func(yield func(eventstore.Event, error) bool) {
		yield(eventstore.Event{}, errors.New("the server is gone"))
	}
}

func TestARefusalThatCannotBeComparedIsUnknown(t *testing.T) {
	log := memory.New(time.Now)
	first(t, log, "test-1")
	if _, err := journal(unreadable{log}).Commit(t.Context(), meta, three()...); !errors.Is(err, eventstore.ErrUnknownOutcome) || errors.Is(err, eventstore.ErrConflict) {
		t.Errorf("got %v", err)
	}
}
