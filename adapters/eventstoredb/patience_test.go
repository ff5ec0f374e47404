package eventstoredb_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// Whoever waits for a turn while nobody answers leaves when its own time is
// over, not each some time after the one before; and a read leaves sooner.
func TestNobodyWaitsLongerForOthers(t *testing.T) {
	tests := map[string]func(w *world) func(i int) eventstore.Append{
		"for one bucket of keys": func(*world) func(i int) eventstore.Append {
			return func(i int) eventstore.Append {
				key := once(fmt.Sprint(i))
				key.Key[0] = 1
				return keyed(add(fmt.Sprintf("test-%d", i), eventstore.Absent(), event(i, 1)), key)
			}
		},
		"for the end of one stream": func(*world) func(i int) eventstore.Append {
			return func(i int) eventstore.Append { return add("test-1", eventstore.Unchecked(), event(i, 1)) }
		},
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			w.options.Patience = 400 * time.Millisecond
			log := w.open(t)
			of := call(w)
			w.Node(0).Kill()
			began := time.Now()
			var group sync.WaitGroup
			for i := range 20 {
				group.Go(func() {
					if _, err := log.Append(t.Context(), of(i)); !errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, eventstore.ErrUnknownOutcome) {
						t.Errorf("got %v", err)
					}
				})
			}
			group.Wait()
			if took := time.Since(began); took > 3*w.options.Patience {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestReadsGiveUpSooner(t *testing.T) {
	w := newWorld(t, 1)
	w.options.Patience = 2 * time.Second
	log := w.open(t)
	w.Node(0).Kill()
	reads := map[string]func() error{
		"the head": func() error { _, err := log.Head(t.Context()); return err },
		"a stream": func() (last error) {
			for _, err := range log.ReadStream(t.Context(), "test-1", 0) {
				last = err
			}
			return last
		},
		"everything": func() (last error) {
			for _, err := range log.ReadAll(t.Context(), 0, eventstore.Filter{}) {
				last = err
			}
			return last
		},
	}
	for name, read := range reads {
		began := time.Now()
		if err := read(); !errors.Is(err, eventstore.ErrUnavailable) || time.Since(began) > 3*w.options.Patience/4 {
			t.Errorf("%s: %v after %v", name, err, time.Since(began))
		}
	}
}
