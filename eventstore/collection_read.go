package eventstore

import (
	"context"
	"time"
)

// A reading brings a [Collection] up to date from the log, for all who wait.
type reading[S any] struct {
	number uint64
	done   chan struct{}
	states states[S]
	err    error
}

// read begins a reading. It goes on without whoever asked first: others may
// wait for it.
func (c *Collection[S, C, E]) read(ctx context.Context) *reading[S] {
	c.count++
	r := &reading[S]{number: c.count, done: make(chan struct{})}
	c.reading = r
	began, from, moved := time.Now(), c.known, c.moved
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		r.states, r.err = c.since(ctx, from)
		c.mu.Lock()
		defer c.mu.Unlock()
		defer close(r.done)
		c.reading = nil
		if r.err != nil {
			return
		}
		if r.states.at >= c.known.at {
			c.known = r.states
		}
		if c.moved == moved && c.watched.ever() {
			c.joined, c.asOf = true, began
		}
	}()
	return r
}

// since returns the states with what the log has after them.
func (c *Collection[S, C, E]) since(ctx context.Context, s states[S]) (states[S], error) {
	head, err := c.Journal.Log.Head(ctx)
	if err != nil {
		return s, err
	}
	var events []Event
	for e, err := range c.Journal.Log.ReadAll(ctx, s.at, Filter{Categories: []string{c.Kind}}) {
		if err != nil {
			return s, err
		}
		events = append(events, e)
	}
	s, err = c.add(ctx, s, events)
	s.at = max(s.at, head)
	return s, err
}
