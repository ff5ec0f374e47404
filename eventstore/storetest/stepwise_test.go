package storetest_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
	"github.com/chirograph/chirograph/eventstore/storetest"

	"github.com/google/uuid"
)

func TestStepwiseIsALog(t *testing.T) {
	storetest.Run(t, storetest.Engine{
		Open: func(_ *testing.T, now func() time.Time) (eventstore.Log, func() eventstore.Log) {
			return &storetest.Stepwise{Log: memory.New(now)}, nil
		},
	})
}

func TestStepwiseCuts(t *testing.T) {
	tests := []struct {
		name string
		cut  storetest.Cut
		want int
		err  error
	}{
		{"nowhere", storetest.Cut{}, 3, nil},
		{"before the first", storetest.Cut{At: 1}, 0, eventstore.ErrUnknownOutcome},
		{"after the first", storetest.Cut{At: 1, Written: true}, 1, eventstore.ErrUnknownOutcome},
		{"before the last", storetest.Cut{At: 3, Err: eventstore.ErrHalted}, 2, eventstore.ErrHalted},
		{"after the last", storetest.Cut{At: 3, Written: true}, 3, eventstore.ErrUnknownOutcome},
		{"beyond the last", storetest.Cut{At: 4}, 3, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log := &storetest.Stepwise{Log: memory.New(time.Now)}
			log.Plan(tt.cut)
			call := []eventstore.Append{one("a-1"), one("b-1"), one("c-1")}
			if _, err := log.Append(t.Context(), call...); !errors.Is(err, tt.err) {
				t.Errorf("got %v", err)
			}
			if head, _ := log.Head(t.Context()); int(head) != tt.want {
				t.Errorf("%d events were written, want %d", head, tt.want)
			}
			receipts, err := log.Append(t.Context(), call...)
			if err != nil || len(receipts) != 3 || receipts[2].Position != 3 {
				t.Errorf("repeated: %+v, %v", receipts, err)
			}
			if !slices.Equal(log.Sizes(), []int{3, 3}) {
				t.Errorf("calls of %v appends", log.Sizes())
			}
		})
	}
}

func TestStepwiseStopsAtTheFirstRefusal(t *testing.T) {
	log := &storetest.Stepwise{Log: memory.New(time.Now)}
	if _, err := log.Append(t.Context(), one("b-1")); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), one("a-1"), one("b-1"), one("c-1")); !errors.Is(err, eventstore.ErrConflict) {
		t.Errorf("got %v", err)
	}
	if head, _ := log.Head(t.Context()); head != 2 {
		t.Errorf("%d events were written, want 2", head)
	}
}

func TestStepwiseBurnsNoKeyOfARefusedCall(t *testing.T) {
	log := &storetest.Stepwise{Log: memory.New(time.Now)}
	last := one("b-1")
	last.Once = []eventstore.Once{{Key: [32]byte{1}, Expires: time.Now().Add(time.Hour)}}
	if _, err := log.Append(t.Context(), one("a-1"), last); err != nil {
		t.Fatal(err)
	}
	last.Stream, last.Events = "d-1", one("d-1").Events
	if _, err := log.Append(t.Context(), one("c-1"), last); !errors.Is(err, eventstore.ErrReplay) {
		t.Errorf("got %v", err)
	}
	if head, _ := log.Head(t.Context()); head != 2 {
		t.Errorf("a used key let %d events in", head-2)
	}
}

func one(s eventstore.Stream) eventstore.Append {
	event := eventstore.Proposed{ID: uuid.New(), Type: "test.happened", Version: 1, Data: []byte("{}"), Meta: []byte("{}")}
	return eventstore.Append{Stream: s, Expect: eventstore.Absent(), Events: []eventstore.Proposed{event}}
}
