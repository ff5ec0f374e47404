package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// second opens the log of f as another node does.
func (f *fixture) second() eventstore.Log {
	f.Helper()
	other := f.engine.Second(f.T, f.Log)
	f.Cleanup(func() { other.Close() })
	if other.ID() != f.ID() {
		f.Fatalf("log %s is %s to another node", f.ID(), other.ID())
	}
	return other
}

var nodeTests = []test{
	{name: "what one node has acknowledged another reads", shared: true, run: func(f *fixture) {
		other, events := f.second(), facts(3)
		f.must(add("test-1", eventstore.Absent(), events...))
		var got []eventstore.Event
		for e, err := range other.ReadStream(f.Context(), "test-1", 0) {
			if err != nil {
				f.Fatal(err)
			}
			got = append(got, e)
		}
		f.ids(got, events...)
		head, err := other.Head(f.Context())
		if own, ownErr := f.Head(f.Context()); head != 3 || head != own || err != nil || ownErr != nil {
			f.Errorf("heads %d and %d, %v, %v", own, head, ownErr, err)
		}
	}},
	{name: "of racers on two nodes for a stream exactly one wins", shared: true, run: func(f *fixture) {
		logs := []eventstore.Log{f.Log, f.second()}
		for round := range 20 {
			s := eventstore.Stream(fmt.Sprintf("test-%d", round))
			wins := f.racers(16, eventstore.ErrConflict, func(i int) error {
				_, err := logs[i%2].Append(f.Context(), add(s, eventstore.Absent(), fact(i)))
				return err
			})
			if n := len(f.stream(s)); wins != 1 || n != 1 {
				f.Fatalf("%d winners, %d events", wins, n)
			}
		}
	}},
	{name: "of racers on two nodes with one replay key exactly one wins", shared: true, run: func(f *fixture) {
		logs := []eventstore.Log{f.Log, f.second()}
		for round := range 20 {
			wins := f.racers(16, eventstore.ErrReplay, func(i int) error {
				s := eventstore.Stream(fmt.Sprintf("test-%d-%d", round, i))
				_, err := logs[i%2].Append(f.Context(), keyed(add(s, eventstore.Absent(), fact(i)), once(fmt.Sprint(round))))
				return err
			})
			if n := len(f.all(0, eventstore.Filter{})); wins != 1 || n != round+1 {
				f.Fatalf("%d winners, %d events after %d rounds", wins, n, round+1)
			}
		}
	}},
	{name: "a key that one node has used is used on the other", shared: true, run: func(f *fixture) {
		other := f.second()
		f.must(keyed(add("test-1", eventstore.Absent(), fact(1)), once("k")))
		if _, err := other.Append(f.Context(), keyed(add("test-2", eventstore.Absent(), fact(2)), once("k"))); !errors.Is(err, eventstore.ErrReplay) {
			f.Errorf("got %v", err)
		}
		if _, err := other.Append(f.Context(), keyed(add("test-2", eventstore.Absent(), fact(2)), once("other"))); err != nil {
			f.Error(err)
		}
	}},
	{name: "a key counts on one node though the clock of the other is a minute ahead", shared: true, run: func(f *fixture) {
		other := f.second()
		f.must(keyed(add("test-1", eventstore.Absent(), fact(1)), once("k")))
		f.clock.set(noon.Add(6 * time.Minute)) // there the key has expired, which is forgotten with others
		for i := range 10 {
			key := once(fmt.Sprint(i))
			key.Issued, key.Expires = key.Issued.Add(6*time.Minute), key.Expires.Add(6*time.Minute)
			s := eventstore.Stream(fmt.Sprintf("test-other-%d", i))
			if _, err := other.Append(f.Context(), keyed(add(s, eventstore.Absent(), fact(i)), key)); err != nil {
				f.Fatal(err)
			}
		}
		f.clock.set(noon.Add(5*time.Minute - 1))
		f.refused(eventstore.ErrReplay, keyed(add("test-2", eventstore.Absent(), fact(2)), once("k")))
	}},
	{name: "a repeat on another node gets the first receipt", shared: true, run: func(f *fixture) {
		other := f.second()
		for _, a := range []eventstore.Append{
			keyed(add("test-1", eventstore.Absent(), facts(2)...), once("k")),
			keyed(add("test-2", eventstore.Unchecked(), facts(2)...), once("l")),
		} {
			first := f.must(a)[0]
			again, err := other.Append(f.Context(), a)
			if err != nil || again[0] != first || len(f.stream(a.Stream)) != 2 {
				f.Errorf("got %+v, %v; want %+v", again, err, first)
			}
		}
	}},
	{name: "a subscription on one sees what both append, in the order of the log", shared: true, run: func(f *fixture) {
		const writers, each = 16, 8
		logs := []eventstore.Log{f.Log, f.second()}
		var wg sync.WaitGroup
		defer wg.Wait()
		for w := range writers {
			wg.Go(func() {
				for n := range each {
					s := eventstore.Stream(fmt.Sprintf("test-%d", w))
					if _, err := logs[w%2].Append(context.WithoutCancel(f.Context()), add(s, eventstore.Unchecked(), fact(n))); err != nil {
						f.Error(err)
					}
				}
			})
		}
		var got []eventstore.Event
		f.follow(f.Context(), 0, eventstore.Filter{}, func(i eventstore.Item) bool {
			if i.Event != nil {
				got = append(got, *i.Event)
			}
			return len(got) < writers*each
		})
		for i, e := range got {
			if e.Position != eventstore.Position(i+1) {
				f.Fatalf("item %d is the event at %d", i, e.Position)
			}
		}
		f.samePlaces(logs[1], got)
	}},
}

// samePlaces demands that another handle on the log gives events the same
// places.
func (f *fixture) samePlaces(log eventstore.Log, want []eventstore.Event) {
	f.Helper()
	i := 0
	for e, err := range log.ReadAll(f.Context(), 0, eventstore.Filter{}) {
		if err != nil {
			f.Fatal(err)
		}
		if i >= len(want) || fmt.Sprintf("%+v", e) != fmt.Sprintf("%+v", want[i]) {
			f.Fatalf("event %d is %+v", i, e)
		}
		i++
	}
	if i != len(want) {
		f.Errorf("%d events, want %d", i, len(want))
	}
}
