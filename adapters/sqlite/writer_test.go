package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

func open(t testing.TB) *Log {
	t.Helper()
	l, err := Open(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func happened() eventstore.Proposed {
	return eventstore.Proposed{ID: uuid.New(), Type: "test.happened", Version: 1, Data: []byte("{}")}
}

func add(s string, e eventstore.Expect) eventstore.Append {
	return eventstore.Append{Stream: eventstore.Stream(s), Expect: e, Events: []eventstore.Proposed{happened()}}
}

// together appends calls so that they share one commit, and returns what each
// was told.
func together(t *testing.T, l *Log, calls ...[]eventstore.Append) []error {
	t.Helper()
	errs := make([]error, len(calls))
	entered, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		l.exclusive(t.Context(), func(*sqlite.Conn) error { close(entered); <-release; return errors.New("only to hold the writer") })
	})
	<-entered
	for i, call := range calls {
		r := newRequest(call)
		r.Begin()
		l.writer.queue <- r
		wg.Go(func() { <-r.Answered(); errs[i] = r.Err })
	}
	close(release)
	wg.Wait()
	return errs
}

func TestNeighboursInABatch(t *testing.T) {
	l := open(t)
	commits := 0
	l.Observe(func([]eventstore.Event) { commits++ })
	key := eventstore.Once{Key: [32]byte{1}, Expires: time.Now().Add(time.Hour)}
	keyed := func(a eventstore.Append) eventstore.Append { a.Once = []eventstore.Once{key}; return a }
	first := add("test-a", eventstore.Absent())
	tests := []struct {
		name string
		call []eventstore.Append
		want error
	}{
		{"the first wins", []eventstore.Append{first}, nil},
		{"the second for the same stream loses to it", []eventstore.Append{add("test-a", eventstore.Absent())}, eventstore.ErrConflict},
		{"one that builds on the first is written", []eventstore.Append{add("test-a", eventstore.At(0))}, nil},
		{"one of two parts is refused, so both are", []eventstore.Append{add("test-b", eventstore.Absent()), add("test-a", eventstore.At(7))}, eventstore.ErrConflict},
		{"the stream that it would have begun is still absent", []eventstore.Append{add("test-b", eventstore.Absent())}, nil},
		{"a key is used", []eventstore.Append{keyed(add("test-c", eventstore.Absent()))}, nil},
		{"and used up", []eventstore.Append{keyed(add("test-d", eventstore.Absent()))}, eventstore.ErrReplay},
		{"a repeat of the first is told the same", []eventstore.Append{first}, nil},
		{"one with nothing but a check", []eventstore.Append{{Stream: "test-a", Expect: eventstore.At(1)}}, nil},
	}
	var calls [][]eventstore.Append
	for _, tt := range tests {
		calls = append(calls, tt.call)
	}
	for i, err := range together(t, l, calls...) {
		if !errors.Is(err, tests[i].want) {
			t.Errorf("%s: got %v, want %v", tests[i].name, err, tests[i].want)
		}
	}
	if size, err := l.Size(t.Context()); size != 4 || err != nil || commits != 1 {
		t.Errorf("%d events in %d commits, %v; want 4 in 1", size, commits, err)
	}
}

func TestABatchIsBounded(t *testing.T) {
	l := open(t)
	var commits []int
	l.Observe(func(events []eventstore.Event) { commits = append(commits, len(events)) })
	var calls [][]eventstore.Append
	for i := range 5 {
		a := eventstore.Append{Stream: eventstore.Stream(fmt.Sprintf("test-%d", i)), Expect: eventstore.Absent()}
		for range 200 {
			a.Events = append(a.Events, happened())
		}
		calls = append(calls, []eventstore.Append{a})
	}
	for _, err := range together(t, l, calls...) {
		if err != nil {
			t.Error(err)
		}
	}
	if fmt.Sprint(commits) != "[400 400 200]" {
		t.Errorf("commits of %v events, want [400 400 200]", commits)
	}
}

func TestAFailedCommitHaltsTheLog(t *testing.T) {
	l := open(t)
	l.writer.conn.SetAuthorizer(sqlite.AuthorizeFunc(func(a sqlite.Action) sqlite.AuthResult {
		if a.Type() == sqlite.OpTransaction && a.Operation() == "COMMIT" {
			return sqlite.AuthResultDeny
		}
		return sqlite.AuthResultOK
	}))
	a := add("test-a", eventstore.Absent())
	for i, err := range together(t, l, []eventstore.Append{a}, []eventstore.Append{add("test-a", eventstore.Absent())}) {
		if !errors.Is(err, eventstore.ErrUnknownOutcome) {
			t.Errorf("append %d of the failed batch: %v", i, err)
		}
	}
	if err := l.Halted(); !errors.Is(err, eventstore.ErrHalted) {
		t.Errorf("says of itself: %v", err)
	}
	l.writer.conn.SetAuthorizer(nil) // even if the disk is well again
	if _, err := l.Append(t.Context(), a); !errors.Is(err, eventstore.ErrHalted) || errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("the append after it: %v", err)
	}
	if err := l.KeepCheckpoint(t.Context(), 1, 1, nil); !errors.Is(err, eventstore.ErrHalted) {
		t.Errorf("a checkpoint after it: %v", err)
	}
	if size, err := l.Size(t.Context()); size != 0 || err != nil {
		t.Errorf("%d events, %v", size, err)
	}
}

func TestAFailureBeforeTheCommitIsDefinite(t *testing.T) {
	l := open(t)
	if err := l.Halted(); err != nil {
		t.Errorf("at first: %v", err)
	}
	const trigger = "CREATE TEMP TRIGGER full BEFORE INSERT ON main.event BEGIN SELECT raise(ABORT, 'disk full'); END"
	if err := sqlitex.ExecuteTransient(l.writer.conn, trigger, nil); err != nil {
		t.Fatal(err)
	}
	_, err := l.Append(t.Context(), add("test-a", eventstore.Absent()))
	if !errors.Is(err, eventstore.ErrHalted) || errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	for range l.ReadStream(t.Context(), "test-a", 0) {
		t.Error("something was written")
	}
}

func TestACallerThatGivesUp(t *testing.T) {
	l := open(t)
	entered, release := make(chan struct{}), make(chan struct{})
	go l.exclusive(t.Context(), func(*sqlite.Conn) error { close(entered); <-release; return nil })
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan error)
	go func() {
		_, err := l.Append(ctx, add("test-a", eventstore.Absent()))
		told <- err
	}()
	for len(l.writer.queue) == 0 { // until it waits in the queue
		runtime.Gosched()
	}
	cancel()
	if err := <-told; !errors.Is(err, context.Canceled) || errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("got %v, want a definite refusal", err)
	}
	close(release)
	if _, err := l.Append(t.Context(), add("test-a", eventstore.Absent())); err != nil {
		t.Errorf("what was withdrawn has been written: %v", err)
	}
}

func TestACallerThatGivesUpDuringTheCommit(t *testing.T) {
	l := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	committed, release := make(chan struct{}), make(chan struct{})
	l.Observe(func([]eventstore.Event) { close(committed); <-release })
	told := make(chan error)
	go func() {
		_, err := l.Append(ctx, add("test-a", eventstore.Absent()))
		told <- err
	}()
	<-committed
	cancel()
	if err := <-told; !errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	close(release)
}

func TestExpiredKeysAreSwept(t *testing.T) {
	l := open(t)
	at := time.Now()
	l.now = func() time.Time { return at }
	for i := range 50 {
		a := add("test-a", eventstore.Unchecked())
		a.Once = []eventstore.Once{{Key: [32]byte{byte(i)}, Expires: at.Add(time.Second)}}
		if i == 49 {
			at = at.Add(time.Minute)
			a.Once[0].Expires = at.Add(time.Minute)
		}
		if _, err := l.Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	var left string
	if err := l.exclusive(t.Context(), func(c *sqlite.Conn) (err error) {
		left, err = queryText(c, "SELECT count(*) FROM once")
		return err
	}); err != nil || left != "48" {
		t.Errorf("%s keys are left, want 48: two are forgotten for each that comes", left)
	}
}

func TestVersionsOfSQLite(t *testing.T) {
	for version, ok := range map[string]bool{
		"3.51.3": true, "3.51.10": true, "3.52.0": true, "4.0.0": true, "3.54.1": true,
		"3.51.2": false, "3.50.9": false, "2.99.9": false, "3.51": false, "": false, "x.y.z": false,
	} {
		if atLeast(version, 3, 51, 3) != ok {
			t.Errorf("%q: want %t", version, ok)
		}
	}
}

func TestSettingsAreAskedBack(t *testing.T) {
	c := open(t).writer.conn
	if err := configure(c, [][2]string{{"synchronous = OFF", "2"}}); err == nil {
		t.Error("a setting that did not take was not noticed")
	}
}
