package watermill

import (
	"context"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/projections"

	"github.com/ThreeDotsLabs/watermill/message"
)

const (
	lookEvery = time.Second
	lookFor   = 500 // deliveries at once
	inFlight  = 64  // attempts at once

	lookAtMost = 8 // times in a row
)

// A release is Watermill's subscriber of what is due: of what was scheduled
// just now, and, every second, of whatever the log says is due. So a restart
// forgets nothing. A message's UUID is the delivery's id; it is in flight until
// it is acknowledged or refused, and is due again when the log says so.
type release struct {
	due  Due
	now  func() time.Time
	tell func(error)

	queues  *queues
	last    projections.Delivery // that was looked at; zero when all were
	ending  context.Context
	end     context.CancelFunc
	mu      sync.Mutex
	running sync.WaitGroup
}

var _ message.Subscriber = (*release)(nil)

func newRelease(d *Deliveries) *release {
	r := &release{due: d.Due, now: d.Now, tell: d.tell, queues: newQueues(d.breakers)}
	r.ending, r.end = context.WithCancel(context.Background())
	return r
}

// offer has a delivery sent as soon as there is room.
func (r *release) offer(w waiting) { r.queues.add(w) }

// Subscribe implements [message.Subscriber]. There is one topic.
func (r *release) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ending.Err() != nil {
		return nil, eventstore.ErrClosed
	}
	out := make(chan *message.Message)
	r.running.Go(func() { defer close(out); r.run(ctx, out) })
	return out, nil
}

// Close releases nothing more. What is in flight is the router's to wait for.
func (r *release) Close() error {
	r.mu.Lock()
	r.end()
	r.mu.Unlock()
	r.running.Wait()
	return nil
}

func (r *release) run(ctx context.Context, out chan<- *message.Message) {
	releasing, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(r.ending, stop)()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	r.look(releasing)
	for {
		for w, ready := r.queues.next(r.now()); ready; w, ready = r.queues.next(r.now()) {
			if !r.fly(releasing, w, out) {
				return
			}
		}
		select {
		case <-r.queues.changed:
		case <-look.C:
			r.look(releasing)
		case <-releasing.Done():
			return
		}
	}
}

// look asks for what is due, until it has enough to do. It looks further as long
// as most of what it finds is in the way of others: it waits already, or its
// receiver has a queue that is full. The next look goes on behind the last,
// until there is no more: so a receiver that is slow, and for which there is now
// and then some room, hides nobody either.
func (r *release) look(ctx context.Context) {
	now, added, all := r.now(), 0, r.last == (projections.Delivery{})
	for range lookAtMost {
		found, err := r.due.Due(ctx, now, lookFor, r.last)
		if err != nil {
			r.tell(err)
			return
		}
		for _, f := range found {
			if r.queues.add(waiting{f.ID, origin(f.Receiver), f.Until}) {
				added++
			}
			r.last = f
		}
		end := len(found) < lookFor
		if end {
			r.last = projections.Delivery{}
		}
		if added >= lookFor || end && all {
			return
		}
		all = all || end // once more from the beginning
	}
}

// fly hands one delivery out. It lands when its handler is done, also after the
// end: what was sent is recorded.
func (r *release) fly(releasing context.Context, w waiting, out chan<- *message.Message) bool {
	m := message.NewMessage(w.id, nil)
	m.SetContext(context.WithoutCancel(releasing))
	select {
	case out <- m:
	case <-releasing.Done():
		r.queues.land(w)
		return false
	}
	go func() {
		select {
		case <-m.Acked():
		case <-m.Nacked():
		}
		r.queues.land(w)
	}()
	return true
}
