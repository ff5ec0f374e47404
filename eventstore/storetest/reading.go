package storetest

import (
	"context"
	"fmt"
	"slices"

	"github.com/chirograph/chirograph/eventstore"
)

var readTests = []test{
	{name: "a stream that does not exist is empty", run: func(f *fixture) {
		if n := len(f.stream("test-none")); n != 0 {
			f.Errorf("%d events", n)
		}
	}},
	{name: "a stream is read from a revision on", run: func(f *fixture) {
		events := facts(4)
		f.must(add("test-1", eventstore.Absent(), events...))
		for from := range eventstore.Revision(6) {
			var got []eventstore.Event
			for e, err := range f.ReadStream(f.Context(), "test-1", from) {
				if err != nil {
					f.Fatal(err)
				}
				got = append(got, e)
			}
			f.ids(got, events[min(int(from), 4):]...)
		}
	}},
	{name: "streams whose names begin alike are apart", run: func(f *fixture) {
		a, b := fact(1), fact(2)
		f.must(add("test-1", eventstore.Absent(), a))
		f.must(add("test-11", eventstore.Absent(), b))
		f.must(add("TEST-1", eventstore.Absent(), fact(3)))
		f.ids(f.stream("test-1"), a)
		f.ids(f.stream("test-11"), b)
	}},
	{name: "a long stream is read whole", run: func(f *fixture) {
		events := facts(1000)
		f.must(add("test-1", eventstore.Absent(), events[:500]...))
		f.must(add("test-1", eventstore.At(499), events[500:]...))
		f.ids(f.stream("test-1"), events...)
		f.ids(f.all(0, eventstore.Filter{}), events...)
	}},
	{name: "large events are read whole", run: func(f *fixture) {
		events := []eventstore.Proposed{sized(200 << 10), sized(200 << 10), sized(200 << 10), sized(200 << 10), sized(200 << 10)}
		f.must(add("test-1", eventstore.Absent(), events...))
		f.must(add("test-2", eventstore.Absent(), facts(2)...))
		f.must(add("test-1", eventstore.At(4), sized(200<<10), sized(200<<10)))
		if a, b := len(f.stream("test-1")), len(f.all(0, eventstore.Filter{})); a != 7 || b != 9 {
			f.Errorf("read %d and %d events, want 7 and 9", a, b)
		}
	}},
	{name: "all events are read after any position", run: func(f *fixture) {
		events := facts(20)
		for i, p := range events {
			f.must(add(eventstore.Stream(fmt.Sprintf("test-%d", i%3)), eventstore.Unchecked(), p))
		}
		all := f.all(0, eventstore.Filter{})
		f.ids(all, events...)
		for i, e := range all {
			f.ids(f.all(e.Position, eventstore.Filter{}), events[i+1:]...)
		}
	}},
	{name: "a filter selects categories and types", run: func(f *fixture) {
		a1, a2, b1 := typed("one", 1), typed("two", 2), typed("one", 3)
		f.must(add("a-1", eventstore.Absent(), a1, a2))
		f.must(add("b-1", eventstore.Absent(), b1))
		f.must(add("ab-1", eventstore.Absent(), typed("three", 4)))
		f.ids(f.all(0, eventstore.Filter{Categories: []string{"a"}}), a1, a2)
		f.ids(f.all(0, eventstore.Filter{Types: []string{"one"}}), a1, b1)
		f.ids(f.all(0, eventstore.Filter{Categories: []string{"a", "b"}, Types: []string{"one"}}), a1, b1)
		f.ids(f.all(0, eventstore.Filter{Categories: []string{"b"}, Types: []string{"two"}}))
	}},
	{name: "reading all ends at the head of the moment", run: func(f *fixture) {
		first := facts(3)
		f.must(add("test-1", eventstore.Absent(), first...))
		var got []eventstore.Event
		for e, err := range f.ReadAll(f.Context(), 0, eventstore.Filter{}) {
			if err != nil {
				f.Fatal(err)
			}
			got = append(got, e)
			f.must(add("test-2", eventstore.Unchecked(), fact(9)))
		}
		f.ids(got, first...)
	}},
	{name: "a reader may read and append while it reads", run: func(f *fixture) {
		for i := range 20 {
			f.must(add(eventstore.Stream(fmt.Sprintf("test-%d", i)), eventstore.Absent(), facts(3)...))
		}
		var nest func(depth int)
		nest = func(depth int) {
			if depth == 0 {
				f.must(add("test-deep", eventstore.Unchecked(), fact(1)))
				return
			}
			for range f.ReadAll(f.Context(), 0, eventstore.Filter{}) {
				nest(depth - 1)
				break
			}
		}
		f.racers(8, nil, func(int) error { nest(8); return nil })
	}},
	{name: "a reader may stop", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), facts(500)...))
		for range 50 {
			for range f.ReadStream(f.Context(), "test-1", 0) {
				break
			}
			for range f.ReadAll(f.Context(), 0, eventstore.Filter{}) {
				break
			}
		}
	}},
	{name: "reading ends with its context", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), fact(1)))
		ctx, cancel := context.WithCancel(f.Context())
		cancel()
		var errs []error
		for _, err := range f.ReadStream(ctx, "test-1", 0) {
			errs = append(errs, err)
		}
		for _, err := range f.ReadAll(ctx, 0, eventstore.Filter{}) {
			errs = append(errs, err)
		}
		if len(errs) != 2 || !slices.ContainsFunc(errs, func(err error) bool { return isError(err, context.Canceled) }) {
			f.Errorf("got %v, want that the context ended, twice", errs)
		}
	}},
}
