package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// persistent appends until it is known that everything is there, as a journal
// does: whatever the outcome, it repeats the identical append.
func persistent(ctx context.Context, log eventstore.Log, a eventstore.Append) (unknown int, err error) {
	for ctx.Err() == nil {
		_, err = log.Append(ctx, a)
		switch {
		case err == nil:
			return unknown, nil
		case errors.Is(err, eventstore.ErrUnknownOutcome):
			unknown++
		case !errors.Is(err, eventstore.ErrHalted):
			return unknown, err
		}
	}
	return unknown, err
}

// The server ends and comes back, again and again, under load from two nodes.
// No acknowledged event is lost, none is there twice, and a subscription goes
// on as if nothing had happened.
func TestTheServerRestartsUnderLoad(t *testing.T) {
	s := pgtest.Start(t, pgtest.Settings{Fsync: true})
	nodes := cluster(t, s.New(t), 2)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	followed := make(chan uuid.UUID, 1<<20)
	go follow(ctx, t, nodes[1], followed)

	var mu sync.Mutex
	acknowledged := map[uuid.UUID]bool{}
	unknown := 0
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			stream := eventstore.Stream(fmt.Sprintf("test-%d", w))
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				a := add(stream, eventstore.After(eventstore.Revision(n-1)), n, 100)
				if w%2 == 0 {
					a.Expect = eventstore.Unchecked()
				}
				u, err := persistent(ctx, nodes[w/2%2], a)
				if err != nil {
					t.Errorf("writer %d, event %d: %v", w, n, err)
					return
				}
				mu.Lock()
				acknowledged[a.Events[0].ID] = true
				unknown += u
				mu.Unlock()
			}
		})
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(acknowledged) }
	for _, end := range []func(testing.TB){s.Kill, s.Stop, s.Kill, s.Stop, s.Kill} {
		before := count()
		eventually(t, "events are written", func() bool { return count() > before+300 })
		end(t)
		s.Run(t)
	}
	close(stop)
	wg.Wait()
	events := all(t, nodes[0])
	for _, e := range events {
		select {
		case id := <-followed:
			if id != e.ID {
				t.Fatalf("a subscription saw something else at %d", e.Position)
			}
		case <-ctx.Done():
			t.Fatalf("a subscription did not see %d of %d events", e.Position, len(events))
		}
		if !acknowledged[e.ID] {
			t.Errorf("event %d is there twice, or was never acknowledged", e.Position)
		}
		delete(acknowledged, e.ID)
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d acknowledged events are lost", len(acknowledged))
	}
	t.Logf("%d events, %d unknown outcomes", len(events), unknown)
}

// follow puts the ids of all events into a channel, in order.
func follow(ctx context.Context, t *testing.T, log eventstore.Log, ids chan<- uuid.UUID) {
	for item, err := range log.Subscribe(ctx, 0, eventstore.Filter{}) {
		switch {
		case err != nil && ctx.Err() != nil: // the test has ended
			return
		case err != nil:
			t.Errorf("the subscription ended: %v", err)
			return
		case item.Event != nil:
			ids <- item.Event.ID
		}
	}
}
