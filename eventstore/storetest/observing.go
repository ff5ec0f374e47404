package storetest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

var observeTests = []test{
	{name: "an observer has seen an event before its append returns", observable: true, run: func(f *fixture) {
		var mu sync.Mutex
		seen := map[uuid.UUID]bool{}
		f.Log.(eventstore.Observable).Observe(func(events []eventstore.Event) {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range events {
				seen[e.ID] = true
			}
		})
		f.racers(32, nil, func(i int) error {
			p := fact(i)
			_, err := f.Append(f.Context(), add(eventstore.Stream(fmt.Sprintf("test-%d", i)), eventstore.Absent(), p))
			mu.Lock()
			defer mu.Unlock()
			if !seen[p.ID] {
				f.Errorf("append %d returned before its event was observed", i)
			}
			return err
		})
	}},
	{name: "observers see every event once, in the order of the log, as it is stored", observable: true, run: func(f *fixture) {
		var got [2][]eventstore.Event
		for i := range got {
			f.Log.(eventstore.Observable).Observe(func(events []eventstore.Event) { got[i] = append(got[i], events...) })
		}
		f.racers(32, nil, func(i int) error {
			_, err := f.Append(f.Context(), add("test-1", eventstore.Unchecked(), facts(3)...))
			return err
		})
		want := f.all(0, eventstore.Filter{})
		for _, seen := range got {
			same := slices.EqualFunc(seen, want, func(a, b eventstore.Event) bool {
				return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b)
			})
			if !same {
				f.Errorf("observed %v, stored %v", brief(seen), brief(want))
			}
		}
	}},
	{name: "what an observer is told is in the log, and behind its head", observable: true, run: func(f *fixture) {
		f.Log.(eventstore.Observable).Observe(func(events []eventstore.Event) {
			last := events[len(events)-1]
			if head, err := f.Log.Head(f.Context()); err != nil || head < last.Position {
				f.Errorf("told of %d, the head is %d, %v", last.Position, head, err)
			}
			for stored, err := range f.Log.ReadStream(f.Context(), last.Stream, last.Revision) {
				if err != nil || stored.ID != last.ID {
					f.Errorf("told of %s, stored is %s, %v", last.ID, stored.ID, err)
				}
				return
			}
			f.Errorf("told of %d, which is not stored", last.Position)
		})
		for i := range 8 {
			f.must(add(eventstore.Stream(fmt.Sprintf("test-%d", i)), eventstore.Absent(), facts(i+1)...))
		}
	}},
	{name: "what is refused or repeated is not observed", observable: true, run: func(f *fixture) {
		a := add("test-1", eventstore.Absent(), fact(1))
		f.must(a)
		f.Log.(eventstore.Observable).Observe(func(events []eventstore.Event) { f.Errorf("observed %v", brief(events)) })
		f.must(a)
		f.refused(eventstore.ErrConflict, add("test-1", eventstore.Absent(), fact(2)))
		f.must(add("test-1", eventstore.At(0)))
	}},
	{name: "an observer that was stopped sees nothing more", observable: true, run: func(f *fixture) {
		var first, second int
		stop := f.Log.(eventstore.Observable).Observe(func([]eventstore.Event) { first++ })
		f.Log.(eventstore.Observable).Observe(func([]eventstore.Event) { second++ })
		f.must(add("test-1", eventstore.Absent(), fact(1)))
		stop()
		f.must(add("test-1", eventstore.At(0), fact(2)))
		if first != 1 || second != 2 {
			f.Errorf("the stopped one saw %d, the other %d commits", first, second)
		}
	}},
}
