package eventstore

import (
	"context"
	"fmt"
	"time"
)

// A reading brings a [Collection] up to date from the log, for all who wait.
type reading[S any] struct {
	number  uint64
	began   time.Time
	cancel  context.CancelFunc
	waiting int  // those who wait, and have not gone
	late    bool // it was abandoned
	done    chan struct{}
	states  states[S]
	err     error
}

// read begins a reading. It goes on without whoever asked first: others may
// wait for it. Only patience bounds it, but the first has the whole log to
// read and may take as long as anybody waits.
func (c *Collection[S, C, E]) read(ctx context.Context) *reading[S] {
	c.count++
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &reading[S]{number: c.count, began: time.Now(), cancel: cancel, done: make(chan struct{})}
	c.reading = r
	late := time.AfterFunc(patience, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.abandon(r)
	})
	from, moved := c.known, c.moved
	go func() {
		defer cancel()
		defer late.Stop()
		r.states, r.err = c.since(ctx, from)
		c.mu.Lock()
		defer c.mu.Unlock()
		defer close(r.done)
		c.ended(r, moved)
	}()
	return r
}

// ended keeps what a reading has come to, also if it has failed.
func (c *Collection[S, C, E]) ended(r *reading[S], moved uint64) {
	if c.reading == r {
		c.reading = nil
	}
	c.keep(r.states)
	if r.err != nil {
		if r.late {
			r.err = fmt.Errorf("%w: the log was not read within %s: %v", ErrUnavailable, patience, r.err)
		}
		return
	}
	c.whole = true
	if c.moved == moved && c.watched.ever() {
		c.joined, c.asOf = true, r.began
	}
}

// leave is told of somebody who waits no longer.
func (c *Collection[S, C, E]) leave(r *reading[S]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.waiting--; time.Since(r.began) >= patience {
		c.abandon(r)
	}
}

// abandon ends a reading that takes longer than patience, unless it is the
// first and somebody waits for it.
func (c *Collection[S, C, E]) abandon(r *reading[S]) {
	if !c.whole && r.waiting > 0 {
		return
	}
	r.late = true
	r.cancel()
	if c.reading == r { // the next who asks begins another
		c.reading = nil
	}
}

// keep remembers states, unless newer ones are known.
func (c *Collection[S, C, E]) keep(s states[S]) {
	if s.at >= c.known.at {
		c.known = s
	}
}

// since returns the states with what the log has after them. If it fails they
// are those up to where it has come.
func (c *Collection[S, C, E]) since(ctx context.Context, s states[S]) (states[S], error) {
	head, err := c.Journal.Log.Head(ctx)
	if err != nil {
		return s, err
	}
	var events []Event
	for e, failure := range c.Journal.Log.ReadAll(ctx, s.at, Filter{Categories: []string{c.Kind}}) {
		if err = failure; err != nil {
			break
		}
		if events = append(events, e); len(events) < maxTold {
			continue
		}
		if s, err = c.add(ctx, s, events); err != nil {
			return s, err
		}
		events = nil
		c.mu.Lock()
		c.keep(s)
		c.mu.Unlock()
	}
	s, failure := c.add(context.WithoutCancel(ctx), s, events)
	if err == nil && failure == nil {
		s.at = max(s.at, head)
		return s, nil
	}
	if err == nil {
		err = failure
	}
	return s, err
}
