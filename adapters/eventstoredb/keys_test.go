package eventstoredb_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb"
	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
)

func keyed(a eventstore.Append, keys ...eventstore.Once) eventstore.Append {
	a.Once = keys
	return a
}

// A clock that a test moves.
type clock struct{ now atomic.Pointer[time.Time] }

func clockAt(t time.Time) *clock {
	c := &clock{}
	c.now.Store(&t)
	return c
}

func (c *clock) Now() time.Time { return *c.now.Load() }

func (c *clock) forward(d time.Duration) {
	t := c.Now().Add(d)
	c.now.Store(&t)
}

func TestOfManyOnTwoNodesWithOneKeyOneWins(t *testing.T) {
	w := newWorld(t, 3)
	logs := []eventstore.Log{w.open(t), w.open(t)}
	for round := range 5 {
		var won atomic.Int64
		var group sync.WaitGroup
		key := once(fmt.Sprint(round))
		for i := range 64 {
			group.Go(func() {
				a := keyed(add(fmt.Sprintf("test-%d-%d", round, i), eventstore.Absent(), event(i, 1)), key)
				_, err := logs[i%2].Append(t.Context(), a)
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, eventstore.ErrReplay):
					t.Errorf("racer %d: %v", i, err)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d winners", won.Load())
		}
	}
	if head, err := logs[0].Head(t.Context()); head != 5 || err != nil {
		t.Errorf("head %d, %v", head, err)
	}
}

// The bucket of a key must not depend on when it was presented.
func TestAKeyIsFoundWhenItIsPresentedLater(t *testing.T) {
	w := newWorld(t, 1)
	c := clockAt(time.Now())
	w.options.Now = c.Now
	log := w.open(t)
	key := once("k")
	key.Expires = c.Now().Add(time.Hour)
	if _, err := log.Append(t.Context(), keyed(add("test-1", eventstore.Absent(), event(1, 1)), key)); err != nil {
		t.Fatal(err)
	}
	c.forward(50 * time.Minute)
	key.Issued = c.Now()
	for _, log := range []eventstore.Log{log, w.open(t)} {
		if _, err := log.Append(t.Context(), keyed(add("test-2", eventstore.Absent(), event(2, 1)), key)); !errors.Is(err, eventstore.ErrReplay) {
			t.Errorf("got %v", err)
		}
	}
}

func TestRefusedRequestsBurnNoKey(t *testing.T) {
	w := newWorld(t, 1)
	log, other := w.open(t), w.open(t)
	if _, err := log.Append(t.Context(), keyed(add("test-1", eventstore.Absent(), event(1, 1)), once("used"))); err != nil {
		t.Fatal(err)
	}
	var many []eventstore.Once // in many buckets
	for i := range 40 {
		many = append(many, once(fmt.Sprint(i)))
	}
	refusals := map[string][]eventstore.Append{
		"a conflict":         {keyed(add("test-1", eventstore.Absent(), event(2, 1)), many...)},
		"a check that fails": {keyed(add("test-1", eventstore.Absent()), many...), add("test-2", eventstore.Absent(), event(2, 1))},
		"one key that is used": {keyed(add("test-2", eventstore.Absent(), event(2, 1)),
			append(many[:len(many):len(many)], once("used"))...)},
	}
	for name, call := range refusals {
		if _, err := log.Append(t.Context(), call...); !errors.Is(err, eventstore.ErrConflict) && !errors.Is(err, eventstore.ErrReplay) {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if _, err := other.Append(t.Context(), keyed(add("test-3", eventstore.Absent(), event(3, 1)), many...)); err != nil {
		t.Errorf("the keys are burnt: %v", err)
	}
}

// A node that has seen a key taken asks again before it calls it used.
func TestAKeyThatAnotherNodeGivesBackIsFree(t *testing.T) {
	w := newWorld(t, 1)
	log, other := w.open(t), w.open(t)
	if _, err := log.Append(t.Context(), add("test-taken", eventstore.Absent(), event(1, 1))); err != nil {
		t.Fatal(err)
	}
	tried, proceed := make(chan struct{}), make(chan struct{})
	w.Inject(standin.On("chirograph.test-taken", standin.Next(1, func(at standin.Point, _ string, _ int) error {
		if at == standin.BeforeCommit {
			close(tried)
			<-proceed
			return standin.Slow(0)
		}
		return nil
	})))
	refused := make(chan error, 1)
	go func() {
		_, err := other.Append(t.Context(), keyed(add("test-taken", eventstore.Absent(), event(2, 1)), once("k")))
		refused <- err
	}()
	<-tried
	a := keyed(add("test-1", eventstore.Absent(), event(3, 1)), once("k"))
	if _, err := log.Append(t.Context(), a); !errors.Is(err, eventstore.ErrReplay) {
		t.Errorf("while it is taken: %v", err)
	}
	close(proceed)
	if err := <-refused; !errors.Is(err, eventstore.ErrConflict) {
		t.Fatalf("the other node: %v", err)
	}
	if _, err := log.Append(t.Context(), a); err != nil {
		t.Errorf("when it was given back: %v", err)
	}
}

// Who crashes between the keys and the events has spent the keys, for
// everybody but itself.
func TestACrashBetweenKeysAndEvents(t *testing.T) {
	w := newWorld(t, 1)
	w.options.Patience = 300 * time.Millisecond
	c := clockAt(time.Now())
	w.options.Now = c.Now
	crashed := w.open(t)
	call := keyed(add("test-1", eventstore.Absent(), event(1, 1)), once("k"))
	heal := w.Inject(standin.On("chirograph.test-1", standin.At(standin.BeforeCommit, standin.Silent)))
	if _, err := crashed.Append(t.Context(), call); !errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Fatalf("got %v", err)
	}
	crashed.Close()
	heal()
	log := w.open(t)
	if _, err := log.Append(t.Context(), keyed(add("test-2", eventstore.Absent(), event(2, 1)), once("k"))); !errors.Is(err, eventstore.ErrReplay) {
		t.Errorf("somebody else: %v", err)
	}
	if _, err := log.Append(t.Context(), call); err != nil {
		t.Errorf("a repeat: %v", err)
	}
	c.forward(6 * time.Minute)
	again := once("k")
	again.Expires = c.Now().Add(time.Minute)
	if _, err := log.Append(t.Context(), keyed(add("test-2", eventstore.Absent(), event(2, 1)), again)); err != nil {
		t.Errorf("after it has expired: %v", err)
	}
}

// After a day nothing can be read in a bucket, and it goes on.
func TestBucketsExpire(t *testing.T) {
	c := clockAt(time.Now())
	cluster := standin.New(t, standin.Options{Now: c.Now})
	o := eventstoredb.Options{URL: cluster.URL(), Table: &memory.Table{}, Now: c.Now, Patience: 2 * time.Second}
	log := opened(t, o)
	for day := range 3 {
		fresh := opened(t, o)
		for _, log := range []eventstore.Log{log, fresh} {
			key := once(uuid.NewString())
			key.Key[0] = 7 // one bucket
			key.Expires = c.Now().Add(time.Minute)
			s := "test-" + uuid.NewString()
			if _, err := log.Append(t.Context(), keyed(add(s, eventstore.Absent(), event(1, 1)), key)); err != nil {
				t.Fatalf("day %d: %v", day, err)
			}
			if _, err := fresh.Append(t.Context(), keyed(add(s+"x", eventstore.Absent(), event(1, 1)), key)); !errors.Is(err, eventstore.ErrReplay) {
				t.Fatalf("day %d: %v", day, err)
			}
		}
		c.forward(25 * time.Hour)
	}
	if n := cluster.Scavenge(); n == 0 {
		t.Error("nothing of the buckets can be removed")
	}
	if _, err := opened(t, o).Append(t.Context(), keyed(add("test-last", eventstore.Absent(), event(1, 1)), once("last"))); err != nil {
		t.Error(err)
	}
}

func TestKeysThatLiveTooLongAreRefused(t *testing.T) {
	log := newWorld(t, 1).open(t)
	key := once("k")
	key.Expires = time.Now().Add(24 * time.Hour)
	if _, err := log.Append(t.Context(), keyed(add("test-1", eventstore.Absent(), event(1, 1)), key)); !errors.Is(err, eventstore.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

// A bucket that holds many keys is read by a new node no further back than to
// the last that has expired.
func TestANewNodeReadsTheKeysThatCount(t *testing.T) {
	w := newWorld(t, 1)
	c := clockAt(time.Now())
	w.options.Now = c.Now
	log := w.open(t)
	use := func(log eventstore.Log, name string) error {
		key := once(name)
		key.Key[0], key.Expires = 3, c.Now().Add(10*time.Minute)
		_, err := log.Append(t.Context(), keyed(add("test-"+uuid.NewString(), eventstore.Absent(), event(1, 1)), key))
		return err
	}
	for i := range 1500 {
		if i%50 == 0 {
			c.forward(time.Minute)
		}
		if err := use(log, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	var read atomic.Int64
	w.Inject(func(at standin.Point, s string, n int) error {
		if at == standin.ReadMessage && strings.HasPrefix(s, "chirograph.keys.") {
			read.Add(1)
		}
		return nil
	})
	fresh := w.open(t)
	for i := 1499; i > 1499-400; i-- {
		if err := use(fresh, fmt.Sprint(i)); !errors.Is(err, eventstore.ErrReplay) {
			t.Fatalf("key %d: %v", i, err)
		}
	}
	if n := read.Load(); n > 1100 {
		t.Errorf("%d entries were read", n)
	}
}

// A call whose answer was lost may be written. What its repeats meet does not
// free its keys, unless it is certain that it is not.
func TestKeysOfACallThatIsWrittenStayTaken(t *testing.T) {
	noLeader := standin.Refuse(codes.NotFound, "no leader")
	tests := map[string][]standin.Fault{ // of the repeats
		"while nobody leads":       {standin.At(standin.AppendHeader, noLeader)},
		"while it may not be read": {standin.At(standin.AnyCall, standin.Denied)},
		"while writing is refused": {standin.At(standin.BeforeCommit, standin.Denied)},
		"while nobody answers":     {standin.At(standin.AnyCall, standin.Silent)},
		"while all is well":        nil,
	}
	for name, faults := range tests {
		for _, checked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, with a check %v", name, checked), func(t *testing.T) {
				w := newWorld(t, 1)
				w.options.Patience = 300 * time.Millisecond
				log := w.open(t)
				call := []eventstore.Append{keyed(add("test-1", eventstore.Absent(), event(1, 1)), once("k"))}
				if checked {
					call = []eventstore.Append{add("test-0", eventstore.Absent()), call[0], add("test-2", eventstore.Absent(), event(2, 1))}
				}
				heal := w.Inject(standin.On("chirograph.test-1", standin.At(standin.AfterCommit, standin.Silent)))
				if _, err := log.Append(t.Context(), call...); !errors.Is(err, eventstore.ErrUnknownOutcome) {
					t.Fatalf("got %v", err)
				}
				heal()
				if checked { // which fails from now on
					if _, err := log.Append(t.Context(), add("test-0", eventstore.Absent(), event(0, 1))); err != nil {
						t.Fatal(err)
					}
				}
				for _, fault := range faults {
					w.Inject(standin.On("chirograph.test-1", fault))
				}
				for range 2 {
					log.Append(t.Context(), call...)
				}
				w.Heal()
				eventuallyReplayed(t, log, keyed(add("test-3", eventstore.Absent(), event(3, 1)), once("k")))
			})
		}
	}
}

// eventuallyReplayed demands that a call is refused for its key, as soon as the
// server answers again.
func eventuallyReplayed(t *testing.T, log eventstore.Log, a eventstore.Append) {
	t.Helper()
	var err error
	for range 20 {
		if _, err = log.Append(t.Context(), a); err == nil || errors.Is(err, eventstore.ErrReplay) {
			break
		}
	}
	if !errors.Is(err, eventstore.ErrReplay) {
		t.Errorf("another call with the key: %v", err)
	}
}

// A repeat is known by its ids, whatever the clocks say.
func TestARepeatIsFoundWhenTheClockWasSet(t *testing.T) {
	w := newWorld(t, 1)
	c := clockAt(time.Now())
	w.options.Now = c.Now
	log := w.open(t)
	first := add("test-1", eventstore.Unchecked(), event(1, 1))
	for _, a := range []eventstore.Append{first, add("test-1", eventstore.Unchecked(), event(2, 1))} {
		if _, err := log.Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	c.forward(2 * time.Minute)
	if _, err := log.Append(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	onceEach(t, log, []eventstore.Append{first})
}

// The server is told to drop old keys, though not at the first attempt.
func TestBucketsAreLimitedLater(t *testing.T) {
	w := newWorld(t, 1)
	key := func(n int) eventstore.Once {
		k := once(fmt.Sprint(n))
		k.Key[0] = 5
		return k
	}
	heal := w.Inject(standin.On("$$chirograph.keys.5", standin.At(standin.BeforeCommit, standin.Denied)))
	for i := range 3 {
		if i == 2 {
			heal()
		}
		a := keyed(add(fmt.Sprintf("test-%d", i), eventstore.Absent(), event(i, 1)), key(i))
		if _, err := w.open(t).Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	m, err := stranger(t, w).GetStreamMetadata(t.Context(), "chirograph.keys.5", esdb.ReadStreamOptions{})
	if err != nil || m.MaxAge() == nil || *m.MaxAge() != 24*time.Hour {
		t.Errorf("the age is %v, %v", m, err)
	}
}
