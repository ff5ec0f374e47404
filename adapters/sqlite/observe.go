package sqlite

import (
	"sync"

	"github.com/chirograph/chirograph/eventstore"
)

// observers are called in the order in which they came.
type observers struct {
	mu    sync.RWMutex
	next  int
	calls []observer
}

type observer struct {
	id int
	f  func([]eventstore.Event)
}

// Observe calls f with the events of each commit from now on, after they are
// durable and before their append returns. f must not change them.
func (l *Log) Observe(f func([]eventstore.Event)) (stop func()) {
	o := &l.observers
	o.mu.Lock()
	defer o.mu.Unlock()
	id := o.next
	o.next++
	o.calls = append(o.calls[:len(o.calls):len(o.calls)], observer{id, f})
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		var rest []observer
		for _, call := range o.calls {
			if call.id != id {
				rest = append(rest, call)
			}
		}
		o.calls = rest
	}
}

func (o *observers) tell(events []eventstore.Event) {
	o.mu.RLock()
	calls := o.calls
	o.mu.RUnlock()
	for _, call := range calls {
		call.f(events)
	}
}

// A broadcast wakes everybody who waits for it, once.
type broadcast struct {
	mu sync.Mutex
	ch chan struct{}
}

func (b *broadcast) reset() { b.ch = make(chan struct{}) }

func (b *broadcast) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ch
}

func (b *broadcast) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.ch)
	b.reset()
}
