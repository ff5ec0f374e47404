package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// once is a replay key that lives for five minutes from noon.
func once(name string) eventstore.Once {
	return eventstore.Once{Key: sha256.Sum256([]byte(name)), Issued: noon, Expires: noon.Add(5 * time.Minute)}
}

func keyed(a eventstore.Append, keys ...eventstore.Once) eventstore.Append {
	a.Once = keys
	return a
}

var onceTests = []test{
	{name: "a key is good once", run: func(f *fixture) {
		f.must(keyed(add("test-1", eventstore.Absent(), fact(1)), once("k")))
		f.refused(eventstore.ErrReplay, keyed(add("test-2", eventstore.Absent(), fact(2)), once("k")))
		if n := len(f.stream("test-2")); n != 0 {
			f.Errorf("%d events were written with a used key", n)
		}
	}},
	{name: "a used key is named", run: func(f *fixture) {
		f.must(keyed(add("test-1", eventstore.Absent(), fact(1)), once("used")))
		_, err := f.Append(f.Context(), keyed(add("test-2", eventstore.Absent(), fact(2)), once("new"), once("used")))
		var replayed *eventstore.Replayed
		if !errors.As(err, &replayed) || replayed.Key != once("used").Key {
			f.Errorf("got %v", err)
		}
	}},
	{name: "also within one call", run: func(f *fixture) {
		f.refused(eventstore.ErrReplay, keyed(add("test-1", eventstore.Absent(), fact(1)), once("k"), once("k")))
		f.refused(eventstore.ErrReplay,
			keyed(add("test-1", eventstore.Absent(), fact(1)), once("k")),
			keyed(add("test-2", eventstore.Absent(), fact(1)), once("k")))
	}},
	{name: "and across reopening", reopens: true, run: func(f *fixture) {
		f.must(keyed(add("test-1", eventstore.Absent(), fact(1)), once("k")))
		f.Log = f.reopen()
		f.refused(eventstore.ErrReplay, keyed(add("test-2", eventstore.Absent(), fact(2)), once("k")))
	}},
	{name: "other keys are not touched", run: func(f *fixture) {
		f.must(keyed(add("test-1", eventstore.Absent(), fact(1)), once("a"), once("b")))
		f.must(keyed(add("test-2", eventstore.Absent(), fact(2)), once("c")))
		f.refused(eventstore.ErrReplay, keyed(add("test-3", eventstore.Absent(), fact(3)), once("d"), once("b")))
	}},
	{name: "a refused append burns no key", run: func(f *fixture) {
		f.must(keyed(add("test-1", eventstore.Absent(), fact(1)), once("used")))
		f.refused(eventstore.ErrConflict, keyed(add("test-1", eventstore.Absent(), fact(2)), once("k")))
		f.refused(eventstore.ErrReplay, keyed(add("test-2", eventstore.Absent(), fact(2)), once("k"), once("used")))
		f.must(keyed(add("test-2", eventstore.Absent(), fact(2)), once("k")))
	}},
	{name: "an expired key is free again", run: func(f *fixture) {
		f.must(keyed(add("test-1", eventstore.Absent(), fact(1)), once("k")))
		f.clock.set(noon.Add(5*time.Minute - 1))
		f.refused(eventstore.ErrReplay, keyed(add("test-2", eventstore.Absent(), fact(2)), once("k")))
		f.clock.set(noon.Add(5 * time.Minute))
		again := once("k")
		again.Expires = noon.Add(10 * time.Minute)
		f.must(keyed(add("test-2", eventstore.Absent(), fact(2)), again))
		f.refused(eventstore.ErrReplay, keyed(add("test-3", eventstore.Absent(), fact(3)), again))
	}},
	{name: "keys expire by the clock, though the log is ahead of it", run: func(f *fixture) {
		f.clock.set(noon.Add(time.Hour)) // it was wrong
		f.must(add("test-1", eventstore.Absent(), fact(1)))
		f.clock.set(noon)
		f.must(keyed(add("test-2", eventstore.Absent(), fact(2)), once("k")))
		f.must(keyed(add("test-3", eventstore.Absent(), fact(3)), once("other")))
		f.refused(eventstore.ErrReplay, keyed(add("test-4", eventstore.Absent(), fact(4)), once("k")))
	}},
	{name: "a repeat gets the first receipt although its keys are used", run: func(f *fixture) {
		a := keyed(add("test-1", eventstore.Absent(), fact(1)), once("k"))
		first := f.must(a)[0]
		if again := f.must(a)[0]; again != first {
			f.Errorf("got %+v, want %+v", again, first)
		}
	}},
	{name: "a repeat without a demanded revision too", run: func(f *fixture) {
		a := keyed(add("test-1", eventstore.Unchecked(), fact(1)), once("k"))
		first := f.must(a)[0]
		if again := f.must(a)[0]; again != first {
			f.Errorf("got %+v, want %+v", again, first)
		}
	}},
	{name: "many keys that expire are forgotten without a trace", run: func(f *fixture) {
		for i := range 100 {
			key := once(string(rune('a' + i)))
			key.Expires = noon.Add(time.Second)
			f.must(keyed(add("test-1", eventstore.Unchecked(), fact(i)), key))
		}
		f.clock.set(noon.Add(time.Minute))
		for i := range 100 {
			key := once(string(rune('a' + i)))
			f.must(keyed(add("test-1", eventstore.Unchecked(), fact(i)), key))
			f.refused(eventstore.ErrReplay, keyed(add("test-1", eventstore.Unchecked(), fact(i)), key))
		}
	}},
}

func sized(n int) eventstore.Proposed {
	return eventstore.Proposed{ID: uuid.New(), Type: "test.large", Version: 1, Data: bytes.Repeat([]byte("x"), n)}
}

var limitTests = []test{
	{name: "an expectation is required", run: func(f *fixture) {
		f.refused(eventstore.ErrInvalid, eventstore.Append{Stream: "test-1", Events: facts(1)})
	}},
	{name: "something to append is required", run: func(f *fixture) { f.refused(eventstore.ErrInvalid) }},
	{name: "stream names are a category, a dash and an id in printable ASCII", run: func(f *fixture) {
		for _, name := range []eventstore.Stream{"", "test", "-1", "test-", "test-\n", "test-\x00", "test-é"} {
			f.refused(eventstore.ErrInvalid, add(name, eventstore.Absent(), fact(1)))
		}
		f.must(add(`test-https://a.example/?q="~ `, eventstore.Absent(), fact(1)))
	}},
	{name: "of 256 bytes and no more", run: func(f *fixture) {
		name := eventstore.Stream("test-" + string(bytes.Repeat([]byte("x"), eventstore.MaxStreamName-5)))
		f.must(add(name, eventstore.Absent(), fact(1)))
		f.refused(eventstore.ErrTooLarge, add(name+"x", eventstore.Absent(), fact(1)))
	}},
	{name: "an event needs an id, a type and a version", run: func(f *fixture) {
		for _, change := range []func(*eventstore.Proposed){
			func(p *eventstore.Proposed) { p.ID = uuid.Nil },
			func(p *eventstore.Proposed) { p.Type = "" },
			func(p *eventstore.Proposed) { p.Version = 0 },
		} {
			p := fact(1)
			change(&p)
			f.refused(eventstore.ErrInvalid, add("test-1", eventstore.Absent(), p))
		}
	}},
	{name: "an event of 256 KiB and no more", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), sized(eventstore.MaxEventBytes)))
		f.refused(eventstore.ErrTooLarge, add("test-2", eventstore.Absent(), sized(eventstore.MaxEventBytes+1)))
		if n := len(f.stream("test-1")[0].Data); n != eventstore.MaxEventBytes {
			f.Errorf("read %d bytes", n)
		}
	}},
	{name: "a call of 1 MiB and no more", run: func(f *fixture) {
		largest := eventstore.MaxAppendBytes
		if f.engine.AppendBytes > 0 {
			largest = f.engine.AppendBytes
		}
		quarter := largest/4 - 64
		f.must(add("test-1", eventstore.Absent(), sized(quarter), sized(quarter), sized(quarter), sized(quarter)))
		f.refused(eventstore.ErrTooLarge, add("test-2", eventstore.Absent(), sized(quarter), sized(quarter), sized(quarter), sized(quarter), sized(quarter)))
	}},
	{name: "a call of 512 events and no more", run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), facts(eventstore.MaxAppendEvents)...))
		f.refused(eventstore.ErrTooLarge, add("test-2", eventstore.Absent(), facts(eventstore.MaxAppendEvents+1)...))
		if n := len(f.stream("test-1")); n != eventstore.MaxAppendEvents {
			f.Errorf("read %d events", n)
		}
	}},
}
