package eventstoredb_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/eventstore"
)

// Its client alone would wait for ever: see TestASubscriptionDiesInSilence.
func TestASilentSubscriptionIsNoticed(t *testing.T) {
	tests := map[string]func(t *testing.T, w *world, log eventstore.Log){
		"when somebody asks for the head": func(t *testing.T, w *world, log eventstore.Log) {
			w.Node(0).Mute()
		},
		"when nobody does": func(t *testing.T, w *world, log eventstore.Log) {
			w.Node(w.Leader()).Mute()
		},
		"when the leader is shut down with care": func(t *testing.T, w *world, log eventstore.Log) {
			w.Node(w.Leader()).Shutdown()
		},
	}
	for name, silence := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 3)
			m := &metrics{}
			w.options.Metrics = m
			if strings.Contains(name, "somebody") {
				w.options.Watch = time.Hour
			}
			log := w.open(t)
			first, second := event(1, 1), event(2, 1)
			if _, err := log.Append(t.Context(), add("test-1", eventstore.Absent(), first)); err != nil {
				t.Fatal(err)
			}
			silenced := false
			for item, err := range log.Subscribe(t.Context(), 0, eventstore.Filter{}) {
				if err != nil {
					t.Fatal(err)
				}
				if item.Live && !silenced {
					silenced = true
					silence(t, w, log)
					if _, err := log.Append(t.Context(), add("test-1", eventstore.At(0), second)); err != nil {
						t.Fatal(err)
					}
					if w.options.Watch == time.Hour {
						if head, err := log.Head(t.Context()); head != 2 || err != nil {
							t.Errorf("head %d, %v", head, err)
						}
					}
				}
				if item.Event != nil && item.Event.ID == second.ID {
					break
				}
			}
			if m.restarted.Load() == 0 {
				t.Error("no subscription was restarted")
			}
		})
	}
}

func TestSubscribersMissNothingHoweverOftenTheirSourceBreaks(t *testing.T) {
	w := newWorld(t, 3)
	log := w.open(t)
	const events = 120
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	w.Inject(standin.Message(5, standin.At(standin.SubscriptionMessage, standin.Busy)))
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() {
		for i := range events {
			if _, err := log.Append(ctx, add(fmt.Sprintf("test-%d", i%7), eventstore.Unchecked(), event(i, 10))); err != nil {
				t.Error(err)
			}
		}
	})
	next := eventstore.Position(1)
	for item, err := range log.Subscribe(ctx, 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Event == nil {
			continue
		}
		if item.Event.Position != next {
			t.Fatalf("event %d comes after %d", item.Event.Position, next-1)
		}
		if next++; next > events {
			break
		}
	}
}
