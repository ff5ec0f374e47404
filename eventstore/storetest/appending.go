package storetest

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

func isError(err, want error) bool { return err != nil && errors.Is(err, want) }

var appendTests = []test{
	{name: "what was appended is read back byte for byte", run: func(f *fixture) {
		p := eventstore.Proposed{ID: uuid.New(), Type: "test.happened", Version: 3, Data: []byte("{\"a\" : 1}\n"), Meta: nil}
		r := f.must(add("test-1", eventstore.Absent(), p))[0]
		got := f.stream("test-1")
		f.ids(got, p)
		e := got[0]
		if !bytes.Equal(e.Data, p.Data) || len(e.Meta) != 0 || e.Type != p.Type || e.Version != 3 || e.Stream != "test-1" {
			f.Errorf("got %+v", e)
		}
		f.places(r, e)
		if e.Revision != 0 {
			f.Errorf("event at revision %d", e.Revision)
		}
		if !e.Recorded.Equal(noon) || e.Recorded.Location() != time.UTC {
			f.Errorf("recorded at %v, want noon in UTC", e.Recorded)
		}
	}},
	{name: "an empty log has head 0", run: func(f *fixture) {
		if head, err := f.Head(f.Context()); head != 0 || err != nil {
			f.Errorf("got %d, %v", head, err)
		}
	}},
	{name: "the head is the position of the last event", run: func(f *fixture) {
		r := f.must(add("test-1", eventstore.Absent(), facts(3)...))[0]
		want := f.position(r, "test-1")
		if head, err := f.Head(f.Context()); head != want || err != nil {
			f.Errorf("got %d, %v; want %d", head, err, want)
		}
	}},
	{name: "several events of one append follow each other", run: func(f *fixture) {
		events := facts(3)
		r := f.must(add("test-1", eventstore.Absent(), events...))[0]
		got := f.stream("test-1")
		f.ids(got, events...)
		for i, e := range got {
			if e.Revision != eventstore.Revision(i) || i > 0 && e.Position <= got[i-1].Position {
				f.Errorf("event %d is at revision %d, position %d", i, e.Revision, e.Position)
			}
		}
		if r.Revision != 2 {
			f.Errorf("receipt names revision %d, want the last", r.Revision)
		}
	}},
	{name: "absent holds once", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), fact(1)))
		f.refused(eventstore.ErrConflict, add("test-1", eventstore.Absent(), fact(2)))
	}},
	{name: "a revision holds only where the stream is", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), facts(2)...))
		f.refused(eventstore.ErrConflict, add("test-1", eventstore.At(0), fact(3)))
		f.refused(eventstore.ErrConflict, add("test-1", eventstore.At(2), fact(3)))
		f.must(add("test-1", eventstore.At(1), fact(3)))
	}},
	{name: "a revision never holds for a stream without events", run: func(f *fixture) {
		f.refused(eventstore.ErrConflict, add("test-1", eventstore.At(0), fact(1)))
	}},
	{name: "unchecked always holds", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Unchecked(), fact(1)))
		f.must(add("test-1", eventstore.Unchecked(), fact(2)))
	}},
	{name: "a conflict says where the stream is", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), facts(3)...))
		_, err := f.Append(f.Context(), add("test-1", eventstore.At(0), fact(9)))
		var c *eventstore.Conflict
		if !errors.As(err, &c) || c.Stream != "test-1" || c.Have != 2 || c.Want != eventstore.At(0) {
			f.Errorf("got %#v", err)
		}
	}},
	{name: "a refused append leaves no trace", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), fact(1)))
		f.refused(eventstore.ErrConflict, add("test-1", eventstore.Absent(), fact(2)))
		if n := len(f.all(0, eventstore.Filter{})); n != 1 {
			f.Errorf("%d events in the log, want 1", n)
		}
	}},
	{name: "an append without events only checks", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), fact(1)))
		f.must(add("test-1", eventstore.At(0)))
		f.refused(eventstore.ErrConflict, add("test-1", eventstore.Absent()))
		if n := len(f.stream("test-1")); n != 1 {
			f.Errorf("%d events, want 1", n)
		}
	}},
	{name: "several appends are written in order", run: func(f *fixture) {
		a, b, c := fact(1), fact(2), fact(3)
		receipts := f.must(
			add("test-b", eventstore.Absent(), a),
			add("test-a", eventstore.Absent(), b),
			add("test-b", eventstore.At(0), c),
		)
		all := f.all(0, eventstore.Filter{})
		f.ids(all, a, b, c)
		for i, r := range receipts {
			f.places(r, all[i])
		}
		if receipts[2].Revision != 1 {
			f.Errorf("receipts %+v", receipts)
		}
	}},
	{name: "a call counts its own earlier appends", run: func(f *fixture) {
		f.refused(eventstore.ErrConflict, add("test-a", eventstore.Absent(), fact(1)), add("test-a", eventstore.Absent(), fact(2)))
	}},
	{name: "if one of several is refused nothing is written", atomic: true, run: func(f *fixture) {
		f.must(add("test-b", eventstore.Absent(), fact(0)))
		f.refused(eventstore.ErrConflict, add("test-a", eventstore.Absent(), fact(1)), add("test-b", eventstore.Absent(), fact(2)))
		f.refused(eventstore.ErrConflict, add("test-a", eventstore.Absent(), fact(1)), add("test-b", eventstore.At(7)))
		if n := len(f.all(0, eventstore.Filter{})); n != 1 {
			f.Errorf("%d events in the log, want 1", n)
		}
	}},
	{name: "recorded time never decreases", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), fact(1)))
		f.clock.set(noon.Add(-time.Hour))
		f.must(add("test-1", eventstore.At(0), fact(2)))
		f.clock.set(noon.Add(time.Second))
		f.must(add("test-1", eventstore.At(1), fact(3)))
		got := f.stream("test-1")
		if !got[1].Recorded.Equal(noon) || !got[2].Recorded.Equal(noon.Add(time.Second)) {
			f.Errorf("recorded at %v, %v", got[1].Recorded, got[2].Recorded)
		}
	}},
	{name: "nor across reopening", reopens: true, run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), fact(1)))
		f.clock.set(noon.Add(-time.Hour))
		f.Log = f.reopen()
		f.must(add("test-1", eventstore.At(0), fact(2)))
		if got := f.stream("test-1"); !got[1].Recorded.Equal(noon) {
			f.Errorf("recorded at %v", got[1].Recorded)
		}
	}},
	{name: "everything survives reopening", reopens: true, run: func(f *fixture) {
		id, events := f.ID(), facts(3)
		f.must(add("test-1", eventstore.Absent(), events...))
		before := f.all(0, eventstore.Filter{})
		f.Log = f.reopen()
		f.ids(f.all(0, eventstore.Filter{}), events...)
		if after := f.all(0, eventstore.Filter{}); f.ID() != id || after[2].Position != before[2].Position || after[2].Leaf != before[2].Leaf {
			f.Errorf("log %s has %v after reopening, %s had %v", f.ID(), brief(after), id, brief(before))
		}
		f.must(add("test-1", eventstore.At(2), fact(4)))
	}},
	{name: "a closed log takes and gives nothing", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), fact(1)))
		f.Close()
		f.refused(eventstore.ErrClosed, add("test-1", eventstore.At(0), fact(2)))
		for _, err := range f.ReadStream(f.Context(), "test-1", 0) {
			if !isError(err, eventstore.ErrClosed) {
				f.Errorf("read stream: %v", err)
			}
		}
		for _, err := range f.ReadAll(f.Context(), 0, eventstore.Filter{}) {
			if !isError(err, eventstore.ErrClosed) {
				f.Errorf("read all: %v", err)
			}
		}
	}},
	{name: "closing twice is harmless", run: func(f *fixture) {
		if err := errors.Join(f.Close(), f.Close()); err != nil {
			f.Error(err)
		}
	}},
	{name: "a context that has ended appends nothing", run: func(f *fixture) {
		ctx, cancel := context.WithCancel(f.Context())
		cancel()
		if _, err := f.Append(ctx, add("test-1", eventstore.Absent(), fact(1))); !isError(err, context.Canceled) || errors.Is(err, eventstore.ErrUnknownOutcome) {
			f.Errorf("got %v, want a definite refusal", err)
		}
		if n := len(f.stream("test-1")); n != 0 {
			f.Errorf("%d events, want none", n)
		}
	}},
}

var repeatTests = []test{
	{name: "the same append again gets the first receipt", run: func(f *fixture) {
		a := add("test-1", eventstore.Absent(), facts(2)...)
		first := f.must(a)[0]
		f.must(add("test-1", eventstore.At(1), fact(9)))
		if again := f.must(a)[0]; again != first {
			f.Errorf("got %+v, want %+v", again, first)
		}
		if n := len(f.stream("test-1")); n != 3 {
			f.Errorf("%d events, want 3", n)
		}
	}},
	{name: "at a revision too", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), fact(1)))
		a := add("test-1", eventstore.At(0), facts(2)...)
		first := f.must(a)[0]
		if again := f.must(a)[0]; again != first {
			f.Errorf("got %+v, want %+v", again, first)
		}
	}},
	{name: "without a demanded revision too", run: func(f *fixture) {
		a := add("test-1", eventstore.Unchecked(), facts(2)...)
		first := f.must(a)[0]
		f.must(add("test-1", eventstore.Unchecked(), fact(9)))
		if again := f.must(a)[0]; again != first {
			f.Errorf("got %+v, want %+v", again, first)
		}
		if n := len(f.stream("test-1")); n != 3 {
			f.Errorf("%d events, want 3", n)
		}
	}},
	{name: "after reopening too", reopens: true, run: func(f *fixture) {
		for _, a := range []eventstore.Append{
			add("test-1", eventstore.Absent(), facts(2)...),
			add("test-2", eventstore.Unchecked(), facts(2)...),
		} {
			first := f.must(a)[0]
			f.Log = f.reopen()
			if again := f.must(a)[0]; again != first {
				f.Errorf("got %+v, want %+v", again, first)
			}
		}
	}},
	{name: "other ids are a conflict", run: func(f *fixture) {
		events := facts(2)
		f.must(add("test-1", eventstore.Absent(), events...))
		f.refused(eventstore.ErrConflict, add("test-1", eventstore.Absent(), facts(2)...))
		f.refused(eventstore.ErrConflict, add("test-1", eventstore.Absent(), events[0], fact(2)))
		f.refused(eventstore.ErrConflict, add("test-1", eventstore.Absent(), events[0], events[1], fact(3)))
	}},
	{name: "the same ids in another stream are no repeat", run: func(f *fixture) {
		p := fact(1)
		f.must(add("test-1", eventstore.Unchecked(), p))
		f.must(add("test-2", eventstore.Unchecked(), p))
		if n := len(f.stream("test-2")); n != 1 {
			f.Errorf("%d events, want 1", n)
		}
	}},
	{name: "several appends again get their first receipts", run: func(f *fixture) {
		call := []eventstore.Append{add("test-1", eventstore.Absent(), fact(1)), add("test-2", eventstore.Absent(), fact(2))}
		first := f.must(call...)
		again := f.must(call...)
		if first[0] != again[0] || first[1] != again[1] {
			f.Errorf("got %+v, want %+v", again, first)
		}
	}},
	{name: "a check that held the first time is not asked again", run: func(f *fixture) {
		f.must(add("test-g", eventstore.Absent(), fact(0)))
		call := []eventstore.Append{add("test-g", eventstore.At(0)), add("test-1", eventstore.Absent(), fact(1))}
		first := f.must(call...)
		f.must(add("test-g", eventstore.At(0), fact(9)))
		if again := f.must(call...); again[1] != first[1] {
			f.Errorf("got %+v, want %+v", again, first)
		}
	}},
	{name: "what was written before is completed", run: func(f *fixture) {
		a, b := add("test-1", eventstore.Absent(), fact(1)), add("test-2", eventstore.Absent(), fact(2))
		first := f.must(a)[0]
		both := f.must(a, b)
		if both[0] != first || len(f.stream("test-2")) != 1 {
			f.Errorf("got %+v", both)
		}
	}},
}
