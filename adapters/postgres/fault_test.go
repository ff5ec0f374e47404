package postgres_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"
)

func add(s eventstore.Stream, e eventstore.Expect, n, size int) eventstore.Append {
	return eventstore.Append{Stream: s, Expect: e, Events: []eventstore.Proposed{proposed(n, size)}}
}

func must(t testing.TB, log eventstore.Log, appends ...eventstore.Append) []eventstore.Receipt {
	t.Helper()
	receipts, err := log.Append(t.Context(), appends...)
	if err != nil {
		t.Fatal(err)
	}
	return receipts
}

// all are the events of a log, which must be numbered without a gap.
func all(t testing.TB, log eventstore.Log) (events []eventstore.Event) {
	t.Helper()
	for e, err := range log.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Position != eventstore.Position(len(events)+1) || e.Leaf != int64(len(events)) {
			t.Fatalf("event %d is at position %d, leaf %d", len(events), e.Position, e.Leaf)
		}
		events = append(events, e)
	}
	return events
}

func TestTheAnswerToACommitIsLost(t *testing.T) {
	for name, expect := range map[string]eventstore.Expect{"at a revision": eventstore.Absent(), "unchecked": eventstore.Unchecked()} {
		t.Run(name, func(t *testing.T) {
			url := pgtest.New(t)
			p := proxied(t, url)
			log, other := opened(t, postgres.Options{URL: p.url}), opened(t, postgres.Options{URL: url})
			p.judged(func(kind byte, body []byte) bool { return kind != completed || string(body) != "COMMIT\x00" })
			call := []eventstore.Append{add("test-a", expect, 1, 10), add("test-b", expect, 2, 10)}
			if _, err := log.Append(t.Context(), call...); !errors.Is(err, eventstore.ErrUnknownOutcome) {
				t.Fatalf("got %v", err)
			}
			p.judged(func(byte, []byte) bool { return true })
			first := must(t, other, call...)
			if again := must(t, log, call...); first[1] != again[1] || first[1].Position != 2 {
				t.Errorf("repeats got %v and %v", first, again)
			}
			if n := len(all(t, log)); n != 2 {
				t.Errorf("%d events, want 2", n)
			}
		})
	}
}

// While a connection only breaks before the commit, nobody is told.
func TestAConnectionBreaksBeforeTheCommit(t *testing.T) {
	p := proxied(t, pgtest.New(t))
	log := opened(t, postgres.Options{URL: p.url})
	must(t, log, add("test-a", eventstore.Absent(), 1, 10))
	p.cut()
	must(t, log, add("test-a", eventstore.At(0), 2, 10))
	var broken atomic.Bool
	p.judged(func(kind byte, body []byte) bool {
		return kind != completed || string(body) != "BEGIN\x00" || broken.Swap(true)
	})
	must(t, log, add("test-a", eventstore.At(1), 3, 10))
	p.cut()
	if n := len(all(t, log)); n != 3 || !broken.Load() {
		t.Errorf("%d events, want 3", n)
	}
}

// A node that holds the lock and does not go on is ended by the server, not by
// the others' patience.
func TestANodeIsPausedInItsTransaction(t *testing.T) {
	url := pgtest.New(t)
	p := proxied(t, url)
	paused, other := opened(t, postgres.Options{URL: p.url}), opened(t, postgres.Options{URL: url})
	reached, resume := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	p.judged(func(kind byte, body []byte) bool {
		if kind == completed && string(body) == "BEGIN\x00" && !once.Swap(true) {
			close(reached)
			<-resume
		}
		return true
	})
	told := make(chan error)
	go func() {
		_, err := paused.Append(context.Background(), add("test-a", eventstore.Absent(), 1, 10))
		told <- err
	}()
	<-reached
	start := time.Now()
	must(t, other, add("test-b", eventstore.Absent(), 2, 10))
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("the other node waited for %v", took)
	}
	close(resume)
	if err := <-told; err != nil {
		t.Errorf("the paused node, on going on: %v", err)
	}
	if n := len(all(t, other)); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}

func TestARefusalOfTheServerIsDefinite(t *testing.T) {
	url := pgtest.New(t)
	log := opened(t, postgres.Options{URL: url})
	execute(t, url, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no space' USING ERRCODE = 'disk_full'; END$$;
		CREATE TRIGGER refuse BEFORE INSERT ON chirograph_log.node EXECUTE FUNCTION refuse();
		CREATE TRIGGER refuse BEFORE UPDATE ON chirograph_log.head EXECUTE FUNCTION refuse()`)
	a := add("test-a", eventstore.Absent(), 1, 10)
	_, err := log.Append(t.Context(), a)
	var refused *postgres.RefusedError
	if !errors.As(err, &refused) || errors.Is(err, eventstore.ErrUnknownOutcome) || !errors.Is(err, eventstore.ErrHalted) {
		t.Errorf("got %v", err)
	}
	if n := len(all(t, log)); n != 0 {
		t.Errorf("%d events were written", n)
	}
	execute(t, url, "DROP TRIGGER refuse ON chirograph_log.head")
	if r := must(t, log, a)[0]; r.Position != 1 {
		t.Errorf("then written at %v", r)
	}
}

func TestAFullDisk(t *testing.T) {
	s := pgtest.Start(t, pgtest.Settings{FileSize: 20 << 20})
	log := opened(t, postgres.Options{URL: s.New(t)})
	written := 0
	var err error
	var last eventstore.Append
	for ; err == nil && written < 1000; written++ {
		last = add("test-a", eventstore.At(eventstore.Revision(written-1)), written, 0)
		if written == 0 {
			last.Expect = eventstore.Absent()
		}
		last.Events[0].Data = incompressible(200 << 10)
		_, err = log.Append(t.Context(), last)
	}
	written--
	var refused *postgres.RefusedError
	if !errors.As(err, &refused) || errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Fatalf("after %d events: %v", written, err)
	}
	if n := len(all(t, log)); n != written {
		t.Errorf("%d events, acknowledged %d", n, written)
	}
	s.Stop(t)
	s.FileSize = 0
	s.Run(t)
	if r := must(t, log, last)[0]; r.Position != eventstore.Position(written+1) {
		t.Errorf("then written at %v", r)
	}
}

func TestADatabaseThatIsAway(t *testing.T) {
	s := pgtest.Start(t, pgtest.Settings{})
	log := opened(t, postgres.Options{URL: s.New(t)})
	must(t, log, add("test-a", eventstore.Absent(), 1, 10))
	s.Stop(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	a := add("test-a", eventstore.At(0), 2, 10)
	if _, err := log.Append(ctx, a); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("who gives up while nothing was begun is told %v", err)
	}
	if _, err := log.Append(t.Context(), a); !errors.Is(err, eventstore.ErrHalted) || errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("who waits is told %v", err)
	} else if !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("who waits is not told that it will pass: %v", err)
	}
	if err := log.Halted(); err == nil {
		t.Error("the log finds nothing wrong")
	}
	for _, err := range log.ReadStream(t.Context(), "test-a", 0) {
		if !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("who reads is told %v", err)
		}
	}
	s.Run(t)
	must(t, log, a)
	eventually(t, "nothing is wrong", func() bool { return log.Halted() == nil })
	if n := len(all(t, log)); n != 2 {
		t.Errorf("%d events", n)
	}
}
