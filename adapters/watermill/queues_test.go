package watermill

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/domain/delivery"
)

func TestAReceiverThatHangsKeepsNobodyElseWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var now, most int
		var w *world
		w = newWorld(t, func(ctx context.Context, host string, _ int) (delivery.Answer, string) {
			if host != "slow.example" {
				return delivery.Answer{Status: 204}, ""
			}
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			defer func() {
				mu.Lock()
				now--
				mu.Unlock()
			}()
			return w.hangs(ctx)
		})
		w.running(t)
		for range 700 { // more than are looked for at once
			w.deny(t, "slow")
		}
		w.deny(t, "quick")
		began := time.Now()
		for state, _ := w.of(t, "quick"); !state.Delivered(); state, _ = w.of(t, "quick") {
			if time.Since(began) > 30*time.Second {
				t.Fatal("the other receiver waits")
			}
			time.Sleep(100 * time.Millisecond)
		}
		if most != AtReceiver {
			t.Errorf("%d attempts at once were made at one receiver", most)
		}
		if w.BreakersOpen() > 1 || w.Backlog() > maxQueue+AtReceiver+1 {
			t.Errorf("%d breakers are open, %d wait", w.BreakersOpen(), w.Backlog())
		}
	})
}

func TestRetriesOfOthersAreFoundBehindAQueueThatIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *world
		w = newWorld(t, func(ctx context.Context, host string, n int) (delivery.Answer, string) {
			switch {
			case host == "slow.example":
				return w.hangs(ctx)
			case n < 3:
				return delivery.Answer{Status: 500}, ""
			}
			return delivery.Answer{Status: 204}, ""
		})
		w.running(t)
		for range 1200 {
			w.deny(t, "slow")
		}
		time.Sleep(10 * time.Second)
		w.deny(t, "quick")
		time.Sleep(time.Minute)
		if state, told := w.of(t, "quick"); !state.Delivered() {
			t.Errorf("the log tells %q", told)
		}
	})
}

func TestABreakerPostponesWithoutARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		var mu sync.Mutex
		w := newWorld(t, func(context.Context, string, int) (delivery.Answer, string) {
			mu.Lock()
			defer mu.Unlock()
			if down {
				return delivery.Answer{Failure: "the connection was refused"}, ""
			}
			return delivery.Answer{Status: 204}, ""
		})
		w.running(t)
		for range 100 {
			w.deny(t, "one")
		}
		time.Sleep(30 * time.Second)
		sent := len(w.times("one"))
		if sent < tripsAfter || sent > tripsAfter+AtReceiver+16 || w.BreakersOpen() != 1 {
			t.Errorf("in half a minute %d attempts were made; %d breakers are open", sent, w.BreakersOpen())
		}
		recorded, delivered := w.attempts(t)
		if recorded != sent || delivered != 0 {
			t.Errorf("%d attempts are recorded, and %d made; %d are delivered", recorded, sent, delivered)
		}
		mu.Lock()
		down = false
		mu.Unlock()
		time.Sleep(40 * time.Second)
		if _, delivered := w.attempts(t); delivered != 100 || w.BreakersOpen() != 0 {
			t.Errorf("after it came back %d are delivered; %d breakers are open", delivered, w.BreakersOpen())
		}
	})
}

func TestWhatIsPastItsTimeIsParkedAfterAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fails("the connection was refused", false))
		w.running(t)
		for i := range 60 {
			w.deny(t, fmt.Sprint(i))
			for range 4 {
				w.deny(t, "one")
			}
		}
		time.Sleep(lifetime + 30*time.Second) // a breaker would let one through every two
		for i := range 60 {
			if state, told := w.of(t, fmt.Sprint(i)); !state.Parked() || state.Attempts() == 0 {
				t.Errorf("%d: %q", i, told)
			}
		}
		if recorded, _ := w.attempts(t); recorded < 2*240 || w.count(Parked) != 300 {
			t.Errorf("of 240 at one receiver %d attempts and ends are recorded; %d are parked in all", recorded, w.count(Parked))
		}
	})
}

// attempts counts those that are recorded, and what is delivered.
func (w *world) attempts(t *testing.T) (recorded, delivered int) {
	t.Helper()
	_, told := w.of(t, "one")
	for _, what := range told {
		if what == "delivered" {
			delivered++
		} else {
			recorded++
		}
	}
	return recorded, delivered
}

func TestBreakersAreBounded(t *testing.T) {
	b := newBreakers()
	for i := range maxBreakers + 100 {
		done, allowed := b.allow(fmt.Sprint(i))
		if !allowed {
			t.Fatalf("receiver %d is not sent to", i)
		}
		done(errNoAnswer)
	}
	if len(b.all) != maxBreakers {
		t.Errorf("there are %d", len(b.all))
	}
}

func TestQueuesAreBounded(t *testing.T) {
	q := newQueues(newBreakers())
	for i := range maxQueue + 1 {
		if added := q.add(waiting{id: fmt.Sprint(i), receiver: "one"}); added != (i < maxQueue) {
			t.Errorf("delivery %d is added: %v", i, added)
		}
	}
	if q.add(waiting{id: "0", receiver: "one"}) {
		t.Error("a delivery is in it twice")
	}
	for i := range maxQueues {
		if added := q.add(waiting{id: fmt.Sprint("r", i), receiver: fmt.Sprint("r", i)}); added != (i < maxQueues-1) {
			t.Errorf("receiver %d is added: %v", i, added)
		}
	}
	flying := 0
	for w, ready := q.next(time.Now()); ready; w, ready = q.next(time.Now()) {
		if flying++; w.receiver == "one" && q.all["one"].flying > AtReceiver {
			t.Error("one receiver gets too many")
		}
	}
	if flying != inFlight {
		t.Errorf("%d are in flight", flying)
	}
}

func TestOrigin(t *testing.T) {
	for of, want := range map[string]string{
		"https://a.example/b?c#d": "https://a.example", "https://a.example:8443": "https://a.example:8443", "%": "",
	} {
		if got := origin(of); got != want {
			t.Errorf("%s: %s", of, got)
		}
	}
}
