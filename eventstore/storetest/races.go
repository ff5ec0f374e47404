package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// racers run f at once and counts who wins; losers must lose with want.
func (f *fixture) racers(n int, want error, try func(i int) error) (wins int64) {
	f.Helper()
	var won atomic.Int64
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range n {
		done.Go(func() {
			start.Wait()
			switch err := try(i); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, want):
				f.Errorf("racer %d lost with %v, want %v", i, err, want)
			}
		})
	}
	start.Done()
	done.Wait()
	return won.Load()
}

var raceTests = []test{
	{name: "of many racers for an absent stream exactly one wins", run: func(f *fixture) {
		for round := range 20 {
			s := eventstore.Stream(fmt.Sprintf("test-%d", round))
			wins := f.racers(16, eventstore.ErrConflict, func(i int) error {
				_, err := f.Append(f.Context(), add(s, eventstore.Absent(), fact(i)))
				return err
			})
			if n := len(f.stream(s)); wins != 1 || n != 1 {
				f.Fatalf("%d winners, %d events", wins, n)
			}
		}
	}},
	{name: "of many racers for a revision exactly one wins", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), fact(0)))
		for round := range eventstore.Revision(20) {
			wins := f.racers(16, eventstore.ErrConflict, func(i int) error {
				_, err := f.Append(f.Context(), add("test-1", eventstore.At(round), fact(i)))
				return err
			})
			if wins != 1 {
				f.Fatalf("%d winners", wins)
			}
		}
	}},
	{name: "of many racers with one replay key exactly one wins", run: func(f *fixture) {
		for round := range 20 {
			wins := f.racers(16, eventstore.ErrReplay, func(i int) error {
				s := eventstore.Stream(fmt.Sprintf("test-%d-%d", round, i))
				_, err := f.Append(f.Context(), keyed(add(s, eventstore.Absent(), fact(i)), once(fmt.Sprint(round))))
				return err
			})
			if wins != 1 {
				f.Fatalf("%d winners", wins)
			}
		}
	}},
	{name: "many repeats of one append are all told the same", run: func(f *fixture) {
		a := add("test-1", eventstore.Absent(), fact(1))
		var mu sync.Mutex
		told := map[eventstore.Receipt]bool{}
		wins := f.racers(16, nil, func(int) error {
			r, err := f.Append(f.Context(), a)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				told[r[0]] = true
			}
			return err
		})
		if wins != 16 || len(told) != 1 || len(f.stream("test-1")) != 1 {
			f.Errorf("%d successes, receipts %v", wins, told)
		}
	}},
	{name: "the order of receipts is the order of the log", run: func(f *fixture) {
		var mu sync.Mutex
		at := map[uuid.UUID]eventstore.Receipt{}
		f.racers(64, nil, func(i int) error {
			for n := range 8 {
				p := fact(i*8 + n)
				r, err := f.Append(f.Context(), add(eventstore.Stream(fmt.Sprintf("test-%d", i)), eventstore.After(eventstore.Revision(n-1)), p))
				if err != nil {
					return err
				}
				mu.Lock()
				at[p.ID] = r[0]
				mu.Unlock()
			}
			return nil
		})
		last := eventstore.Position(0)
		for _, e := range f.all(0, eventstore.Filter{}) {
			if e.Position <= last {
				f.Fatalf("position %d after %d", e.Position, last)
			}
			f.places(at[e.ID], e)
			last = e.Position
			delete(at, e.ID)
		}
		if len(at) > 0 {
			f.Errorf("%d acknowledged events are missing", len(at))
		}
	}},
	{name: "who is refused does not touch who is written beside it", run: func(f *fixture) {
		f.must(keyed(add("test-taken", eventstore.Absent(), fact(0)), once("taken")))
		good := f.racers(64, nil, func(i int) error {
			s := eventstore.Stream(fmt.Sprintf("test-%d", i))
			var want error
			a := add(s, eventstore.Absent(), fact(i))
			switch i % 4 {
			case 1:
				a, want = add("test-taken", eventstore.Absent(), fact(i)), eventstore.ErrConflict
			case 2:
				a, want = keyed(a, once("taken")), eventstore.ErrReplay
			case 3:
				a, want = eventstore.Append{Stream: s, Events: facts(1)}, eventstore.ErrInvalid
			}
			if _, err := f.Append(f.Context(), a); !errors.Is(err, want) {
				return fmt.Errorf("racer %d: got %v, want %v", i, err, want)
			}
			return nil
		})
		if n := len(f.all(0, eventstore.Filter{})); good != 64 || n != 17 {
			f.Errorf("%d answers were right, %d events", good, n)
		}
	}},
}
