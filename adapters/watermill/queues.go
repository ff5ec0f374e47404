package watermill

import (
	"slices"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// AtReceiver is how many attempts are made at once at one receiver.
const AtReceiver = 8

const (
	maxQueue  = 256 // deliveries that wait for one receiver; the log keeps the others
	maxQueues = 1_024
)

// A waiting delivery is due, as far as is known.
type waiting struct {
	id       string
	receiver string
	until    time.Time
}

// queues are what is due, a queue for each receiver, so that one that is slow or
// gone keeps nobody else waiting. A delivery is in them, or in flight, once.
type queues struct {
	breakers *breakers
	changed  chan struct{} // holds a token when something may be ready

	mu     sync.Mutex
	known  map[string]bool // by delivery
	all    map[string]*queue
	flying int
}

type queue struct {
	waiting []waiting
	flying  int
}

func newQueues(b *breakers) *queues {
	return &queues{breakers: b, changed: make(chan struct{}, 1), known: map[string]bool{}, all: map[string]*queue{}}
}

// add puts a delivery in its queue, unless it is known or there is no room, and
// reports whether it did.
func (q *queues) add(w waiting) (added bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.known[w.id] {
		return false
	}
	own, found := q.all[w.receiver]
	if !found {
		if len(q.all) >= maxQueues {
			return false
		}
		own = &queue{}
		q.all[w.receiver] = own
	}
	if len(own.waiting) >= maxQueue {
		return false
	}
	q.known[w.id] = true
	own.waiting = append(own.waiting, w)
	q.wake()
	return true
}

// next takes a delivery that may be tried now, of any receiver.
func (q *queues) next(now time.Time) (w waiting, ready bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.flying >= inFlight {
		return w, false
	}
	for receiver, own := range q.all { // in no order, so in turn
		i := own.ready(q.breakers.state(receiver), now)
		if i < 0 {
			continue
		}
		w = own.waiting[i]
		own.waiting = slices.Delete(own.waiting, i, i+1)
		own.flying++
		q.flying++
		return w, true
	}
	return w, false
}

// ready is which of a queue may be tried now, -1 if none. What is past its time
// may be parked whatever the receiver does.
func (own *queue) ready(breaker gobreaker.State, now time.Time) int {
	switch {
	case len(own.waiting) == 0 || own.flying >= AtReceiver:
		return -1
	case breaker == gobreaker.StateClosed, breaker == gobreaker.StateHalfOpen && own.flying == 0:
		return 0
	}
	return slices.IndexFunc(own.waiting, func(w waiting) bool { return now.After(w.until) })
}

// land ends a flight.
func (q *queues) land(w waiting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.known, w.id)
	q.flying--
	own := q.all[w.receiver]
	own.flying--
	if own.flying == 0 && len(own.waiting) == 0 {
		delete(q.all, w.receiver)
	}
	q.wake()
}

func (q *queues) wake() {
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

// size is how many deliveries wait or are in flight.
func (q *queues) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.known)
}
