package eventstoredb_test

import (
	"crypto/sha256"
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

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func once(name string) eventstore.Once {
	now := time.Now()
	return eventstore.Once{Key: sha256.Sum256([]byte(name)), Issued: now, Expires: now.Add(5 * time.Minute)}
}

// redemption is what the redemption of a code appends, and leaves room for.
func redemption(t *testing.T, log eventstore.Log, id, key string) []eventstore.Append {
	t.Helper()
	if _, err := log.Append(t.Context(), add("authorization-"+id, eventstore.Absent(), event(0, 10))); err != nil {
		t.Fatal(err)
	}
	redeem := add("authorization-"+id, eventstore.At(0), event(1, 10))
	redeem.Once = []eventstore.Once{once(key)}
	return []eventstore.Append{redeem, add("token-"+id, eventstore.Absent(), event(2, 10)), add("refresh-"+id, eventstore.Absent(), event(3, 10))}
}

// onceEach demands that every event of a call is in its stream once.
func onceEach(t *testing.T, log eventstore.Log, call []eventstore.Append) {
	t.Helper()
	for _, a := range call {
		found := 0
		for _, id := range ids(t, log, string(a.Stream)) {
			if id == a.Events[0].ID {
				found++
			}
		}
		if found != 1 {
			t.Errorf("the event of %s is there %d times", a.Stream, found)
		}
	}
}

// at strikes an append to a stream whose name begins so, once.
func strike(prefix string, p standin.Point, result error) standin.Fault {
	return standin.Next(1, func(at standin.Point, stream string, n int) error {
		if at != p || !strings.HasPrefix(stream, prefix) {
			return nil
		}
		return result
	})
}

func TestEveryAnswerMayBeLost(t *testing.T) {
	w := newWorld(t, 3)
	w.options.Patience = 2 * time.Second
	log := w.open(t)
	faults := map[string]error{
		"unavailable":            standin.Busy,
		"a time-out":             status.Error(codes.DeadlineExceeded, ""),
		"aborted":                status.Error(codes.Aborted, ""),
		"an internal error":      status.Error(codes.Internal, ""),
		"a connection that cuts": standin.Drop,
		"no answer at all":       standin.Silent,
		"a late answer":          standin.Slow(30 * time.Millisecond),
	}
	points := map[string]standin.Point{"before it is written": standin.BeforeCommit, "after it": standin.AfterCommit}
	streams := []string{"chirograph.keys.", "chirograph.authorization-", "chirograph.token-", "chirograph.refresh-"}
	for fault, result := range faults {
		for when, point := range points {
			for _, stream := range streams {
				t.Run(fmt.Sprintf("%s %s %s", stream, fault, when), func(t *testing.T) {
					id := uuid.NewString()
					call := redemption(t, log, id, id)
					defer w.Inject(strike(stream, point, result))()
					if _, err := log.Append(t.Context(), call...); err != nil {
						t.Fatal(err)
					}
					onceEach(t, log, call)
					replay := add("authorization-"+id, eventstore.At(1), event(9, 1))
					replay.Once = call[0].Once
					if _, err := log.Append(t.Context(), replay); !errors.Is(err, eventstore.ErrReplay) {
						t.Errorf("the key is free: %v", err)
					}
				})
			}
		}
	}
}

func TestAnotherLeaderIsFound(t *testing.T) {
	w := newWorld(t, 3)
	log := w.open(t)
	for i := range 6 {
		w.Elect(i % 3)
		call := redemption(t, log, uuid.NewString(), fmt.Sprint(i))
		if _, err := log.Append(t.Context(), call...); err != nil {
			t.Fatal(err)
		}
		onceEach(t, log, call)
	}
	if head, err := log.Head(t.Context()); head != 6*4 || err != nil {
		t.Errorf("head %d, %v", head, err)
	}
}

func TestWhatStaysUnknownIsRefusedAndCanBeRepeated(t *testing.T) {
	w := newWorld(t, 1)
	w.options.Patience = 400 * time.Millisecond
	log := w.open(t)
	call := redemption(t, log, "1", "k")
	for _, point := range []standin.Point{standin.BeforeCommit, standin.AfterCommit} {
		heal := w.Inject(standin.On("chirograph.token-1", standin.At(point, standin.Silent)))
		if _, err := log.Append(t.Context(), call...); !errors.Is(err, eventstore.ErrUnknownOutcome) {
			t.Errorf("got %v", err)
		}
		heal()
	}
	if _, err := log.Append(t.Context(), call...); err != nil {
		t.Fatal(err)
	}
	onceEach(t, log, call)
}

func TestOneAppendOfUnknownOutcome(t *testing.T) {
	tests := map[string]func(w *world){
		"no answer": func(w *world) {
			w.Inject(standin.At(standin.BeforeCommit, standin.Silent))
		},
		"only busy answers": func(w *world) {
			w.Inject(standin.At(standin.BeforeCommit, standin.Busy))
		},
		"a refusal after no answer": func(w *world) {
			w.Inject(standin.Next(1, standin.At(standin.AfterCommit, standin.Silent)))
			var tries atomic.Int64
			w.Inject(func(at standin.Point, stream string, _ int) error {
				if at == standin.BeforeCommit && tries.Add(1) > 1 {
					return standin.Denied
				}
				return nil
			})
		},
	}
	for name, fault := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			w.options.Patience = 300 * time.Millisecond
			log := w.open(t)
			a := add("test-1", eventstore.Absent(), event(1, 1))
			fault(w)
			if _, err := log.Append(t.Context(), a); !errors.Is(err, eventstore.ErrUnknownOutcome) {
				t.Errorf("got %v", err)
			}
			w.Heal()
			for range 20 { // the next client may come later than patience ends
				if _, err := log.Append(t.Context(), a); err == nil {
					break
				}
			}
			onceEach(t, log, []eventstore.Append{a})
		})
	}
}

// A server that never had anything is a definite failure.
func TestAnAppendThatWasNeverSentIsADefiniteFailure(t *testing.T) {
	w := newWorld(t, 1)
	w.options.Patience = 300 * time.Millisecond
	log := w.open(t)
	heal := w.Inject(standin.At(standin.BeforeCommit, standin.ToLeader))
	defer heal()
	if _, err := log.Append(t.Context(), add("test-1", eventstore.Absent(), event(1, 1))); !errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	w.Node(0).Kill()
	for _, err := range log.ReadStream(t.Context(), "test-1", 0) {
		if !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("reading says %v", err)
		}
	}
}

func TestARefusalIsNotRepeated(t *testing.T) {
	w := newWorld(t, 1)
	m := &metrics{}
	w.options.Metrics = m
	log := w.open(t)
	for name, point := range map[string]standin.Point{"told": standin.BeforeCommit, "or masked": standin.AppendHeader} {
		heal := w.Inject(standin.At(point, standin.Denied))
		healReads := w.Inject(standin.On("chirograph.test-1", standin.At(standin.AnyCall, standin.Denied)))
		for range 20 {
			_, err := log.Append(t.Context(), add("test-1", eventstore.Absent(), event(1, 200<<10), event(2, 200<<10), event(3, 200<<10)))
			if err == nil || errors.Is(err, eventstore.ErrUnknownOutcome) || errors.Is(err, eventstore.ErrConflict) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		heal()
		healReads()
	}
}

// Once a call has written something, whatever else stops it leaves the outcome
// unknown.
func TestAHalfWrittenCallIsNoDefiniteFailure(t *testing.T) {
	w := newWorld(t, 1)
	log := w.open(t)
	call := redemption(t, log, "1", "k")
	heal := w.Inject(standin.On("chirograph.token-1", standin.At(standin.BeforeCommit, standin.Denied)))
	if _, err := log.Append(t.Context(), call...); !errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	heal()
	if _, err := log.Append(t.Context(), call...); err != nil {
		t.Fatal(err)
	}
	onceEach(t, log, call)
}

func TestTheLeaderDiesUnderManyWriters(t *testing.T) {
	w := newWorld(t, 3)
	w.options.Patience = 20 * time.Second
	logs := []*eventstoredb.Log{w.open(t), w.open(t)}
	const writers, each = 32, 12
	var mu sync.Mutex
	var acknowledged []eventstore.Append
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			for n := range each {
				a := add(fmt.Sprintf("test-%d", i), eventstore.After(eventstore.Revision(n-1)), event(n, 50))
				if i%2 == 1 {
					a.Expect = eventstore.Unchecked()
				}
				if _, err := logs[i%2].Append(t.Context(), a); err != nil {
					t.Errorf("writer %d: %v", i, err)
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, a)
				kill := len(acknowledged)%100 == 50
				mu.Unlock()
				if kill {
					killLeader(t, w)
				}
			}
		})
	}
	group.Wait()
	if len(acknowledged) != writers*each {
		t.Fatalf("%d appends were acknowledged", len(acknowledged))
	}
	onceEach(t, logs[0], acknowledged)
	for _, log := range logs {
		if head, err := log.Head(t.Context()); head != writers*each || err != nil {
			t.Errorf("head %d, %v", head, err)
		}
	}
}

// killLeader starts the other nodes that are down, so that there is a majority.
func killLeader(t *testing.T, w *world) {
	leader := w.Leader()
	for i := range 3 {
		if i == leader {
			continue
		}
		if err := w.Node(i).Start(); err != nil {
			t.Error(err)
		}
	}
	if leader >= 0 {
		w.Node(leader).Kill()
	}
}

func TestAServerThatIsStartedAgain(t *testing.T) {
	w := newWorld(t, 1)
	log := w.open(t)
	seen := make(chan uuid.UUID)
	go func() {
		for item, err := range log.Subscribe(t.Context(), 0, eventstore.Filter{}) {
			if err != nil {
				return
			}
			if item.Event != nil {
				seen <- item.Event.ID
			}
		}
	}()
	for i := range 5 {
		call := redemption(t, log, fmt.Sprint(i), fmt.Sprint(i))
		w.Node(0).Kill()
		if err := w.Node(0).Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(t.Context(), call...); err != nil {
			t.Fatal(err)
		}
		<-seen
		for _, a := range call {
			if id := <-seen; id != a.Events[0].ID {
				t.Fatalf("the subscriber got %s, not %s", id, a.Events[0].ID)
			}
		}
	}
}

// A node that lags is never read, though it is the one that was asked.
func TestALaggingFollowerIsNotRead(t *testing.T) {
	w := newWorld(t, 3)
	o := w.options
	o.URL = w.Node(1).URL()
	log := opened(t, o)
	w.Node(1).Lag()
	w.Node(2).Lag()
	for i := range 10 {
		s := fmt.Sprintf("test-%d", i)
		a := add(s, eventstore.Absent(), event(i, 10))
		if _, err := log.Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		onceEach(t, log, []eventstore.Append{a})
		if head, err := log.Head(t.Context()); head != eventstore.Position(i+1) || err != nil {
			t.Errorf("head %d, %v", head, err)
		}
	}
}
