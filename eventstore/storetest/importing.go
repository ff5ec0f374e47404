package storetest

import (
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// copy is an empty log with the id of the one of f.
func (f *fixture) copy() eventstore.Log {
	f.Helper()
	log := f.engine.Copy(f.T, f.ID(), f.clock.Now)
	f.Cleanup(func() { log.Close() })
	if log.ID() != f.ID() {
		f.Fatalf("the copy of log %s is %s", f.ID(), log.ID())
	}
	return log
}

// history fills the log of f with streams of several lengths and returns all
// of its events.
func (f *fixture) history() []eventstore.Event {
	f.Helper()
	for i := range 40 {
		f.clock.set(noon.Add(time.Duration(i) * time.Millisecond))
		s := eventstore.Stream(fmt.Sprintf("test-%d", i%7))
		f.must(add(s, eventstore.Unchecked(), facts(1+i%4)...), add("test-other", eventstore.Unchecked(), fact(i)))
	}
	p := fact(1)
	p.Data, p.Meta = []byte("{\"a\" : 1}\n"), nil
	f.must(add("test-odd", eventstore.Absent(), p))
	f.clock.set(noon.Add(time.Hour))
	return f.all(0, eventstore.Filter{})
}

func (f *fixture) imported(log eventstore.Log, events []eventstore.Event) {
	f.Helper()
	if err := log.(eventstore.Importer).Import(f.Context(), events); err != nil {
		f.Fatalf("import: %v", err)
	}
}

func (f *fixture) rootOf(log eventstore.Log) [32]byte {
	f.Helper()
	if f.engine.Settle != nil {
		f.engine.Settle(f.T, log)
	}
	size, err := log.(source).Size(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	root, err := ledger.Root(f.Context(), log.(source), size)
	if err != nil {
		f.Fatal(err)
	}
	return root
}

var importTests = []test{
	{name: "a copy has the same events at the same places, and the same root", imports: true, run: func(f *fixture) {
		events := f.history()
		log := f.copy()
		f.imported(log, events)
		f.samePlaces(log, events)
		if _, tree := f.Log.(source); tree && f.rootOf(log) != f.rootOf(f.Log) {
			f.Error("the roots differ")
		}
	}},
	{name: "in pieces too", imports: true, run: func(f *fixture) {
		events := f.history()
		log := f.copy()
		for i := 0; i < len(events); i += 9 {
			f.imported(log, events[i:min(i+9, len(events))])
		}
		f.samePlaces(log, events)
	}},
	{name: "it goes on like the log it was copied from", imports: true, run: func(f *fixture) {
		log := f.copy()
		f.imported(log, f.history())
		last := len(f.stream("test-odd"))
		if _, err := log.Append(f.Context(), add("test-odd", eventstore.At(eventstore.Revision(last-1)), fact(1))); err != nil {
			f.Error(err)
		}
	}},
	{name: "what does not follow on what is there is refused", imports: true, run: func(f *fixture) {
		events := f.history()
		log := f.copy()
		importer := log.(eventstore.Importer)
		f.imported(log, events[:10])
		for name, wrong := range map[string][]eventstore.Event{
			"events that are there already": events[9:12],
			"events after a gap":            events[11:14],
			"a gap within":                  {events[10], events[12]},
			"an order of its own":           {events[11], events[10]},
			"a revision that cannot be":     {altered(events[10], func(e *eventstore.Event) { e.Revision += 7 })},
			"a time before the last":        {altered(events[10], func(e *eventstore.Event) { e.Recorded = noon.Add(-time.Hour) })},
		} {
			if err := importer.Import(f.Context(), wrong); err == nil {
				f.Errorf("%s were imported", name)
			}
		}
		f.samePlaces(log, events[:10])
		f.imported(log, events[10:])
		f.samePlaces(log, events)
	}},
}

func altered(e eventstore.Event, change func(*eventstore.Event)) eventstore.Event {
	change(&e)
	return e
}
