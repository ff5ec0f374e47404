package api

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// changes tells requests that wait, long polls and pages that stay open, when
// what they wait for may have moved, so that they need not ask the log again
// and again. A waiter reads the log after it has begun to watch and after each
// time it is woken; it may be woken for nothing, and decides on what it reads.
//
//	woken, stop, ok := s.changes.watch(ofRequest(id)) // or ofCustomer(subject)
//	if !ok { answer at once: too many wait, or the server ends }
//	defer stop()
//	for {
//		read the log; answer if there is something to say
//		select {
//		case <-woken:
//		case <-s.changes.ended: // answer now: the server ends
//		case <-ctx.Done():
//		}
//	}
//
// On an [eventstore.Observable] log a waiter is woken by the commit itself. On
// one that other nodes write too, the journal's feed wakes it; while the feed is
// old, or if there is none, every waiter is woken each second.
type changes struct {
	exact bool
	feed  *eventstore.Feed
	ended chan struct{} // closed when nobody may wait any more

	mu      sync.Mutex
	over    bool
	waiting map[topic]map[chan struct{}]struct{}
	count   int
	ticking bool
}

// A topic is what one can wait for.
type topic struct {
	stream  eventstore.Stream
	subject string
}

// ofRequest is that a backchannel request moves.
func ofRequest(id string) topic { return topic{stream: eventstore.Stream(backchannels + "-" + id)} }

// ofCustomer is that any backchannel request for a customer moves, or comes.
func ofCustomer(subject string) topic { return topic{subject: subject} }

const (
	backchannels = "backchannel"

	// maxWaiters bounds who waits: each holds a connection.
	maxWaiters = 10_000
)

func newChanges(j *eventstore.Journal) *changes {
	c := &changes{ended: make(chan struct{}), waiting: map[topic]map[chan struct{}]struct{}{}}
	if log, ok := j.Log.(eventstore.Observable); ok {
		c.exact = true
		log.Observe(c.see)
	} else if c.feed = j.Feed; c.feed != nil {
		c.feed.Observe(eventstore.Observer{Categories: []string{backchannels}, See: c.see, Forget: c.wakeAll,
			Touched: func(s eventstore.Stream) { c.wake(topic{stream: s}) }})
	}
	return c
}

// EndWaits ends what waits for something to happen, and lets nothing wait any
// more, so that the server can shut down.
func (s *Server) EndWaits() {
	c := s.changes
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.over = true
		close(c.ended)
	}
}

// watch begins to wait for a topic, until stop. It is not ok if too many wait.
func (c *changes) watch(of topic) (woken <-chan struct{}, stop func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || c.count >= maxWaiters {
		return nil, func() {}, false
	}
	own := make(chan struct{}, 1)
	if c.waiting[of] == nil {
		c.waiting[of] = map[chan struct{}]struct{}{}
	}
	c.waiting[of][own] = struct{}{}
	c.count++
	if !c.exact && !c.ticking {
		c.ticking = true
		go c.tick()
	}
	return own, sync.OnceFunc(func() { c.leave(of, own) }), true
}

func (c *changes) leave(of topic, own chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting[of], own)
	if len(c.waiting[of]) == 0 {
		delete(c.waiting, of)
	}
	c.count--
}

// see is called by the log and must be quick.
func (c *changes) see(events []eventstore.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == 0 {
		return
	}
	for _, e := range events {
		if e.Stream.Category() != backchannels {
			continue
		}
		c.rouse(topic{stream: e.Stream})
		var meta struct {
			Subject string `json:"sub"`
		}
		if json.Unmarshal(e.Meta, &meta) == nil && meta.Subject != "" {
			c.rouse(ofCustomer(meta.Subject))
		}
	}
}

func (c *changes) wake(t topic) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rouse(t)
}

func (c *changes) wakeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for t := range c.waiting {
		c.rouse(t)
	}
}

func (c *changes) rouse(t topic) {
	for one := range c.waiting[t] {
		select {
		case one <- struct{}{}:
		default: // woken already, and has not looked yet
		}
	}
}

// tick wakes everybody each second in which nothing else tells what other nodes
// write, as long as anybody waits.
func (c *changes) tick() {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for range every.C {
		if c.idle() {
			return
		}
		if c.feed == nil || !c.feed.Fresh() {
			c.wakeAll()
		}
	}
}

func (c *changes) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ticking = c.count > 0
	return !c.ticking
}
