package eventstore

import (
	"context"
	"maps"
	"sync"
	"time"
)

// A Collection holds the states of all streams of one kind, for kinds of which
// there are few: issuers, signing keys. It reads the log once, and from then on
// only what has been added to it.
//
// Like a [Cache] it is exact on an [Observable] log. On a log that other nodes
// write too it is at most [Staleness] behind them, and not behind what this
// node has committed: it folds what the journal's [Feed] tells it, and while
// the feed is older it asks the log for what is new, at most once in that
// time and once for all who wait. If the log cannot be read that is an error; no
// older answer is given, but what was read until then need not be read again.
// Without a feed it asks the log each time.
type Collection[S Decider[S, C, E], C, E any] struct {
	Streams[S, C, E]

	watched watched
	mu      sync.Mutex
	known   states[S]
	whole   bool      // whether the log was ever read to its end
	told    []Event   // of this kind, since joined
	joined  bool      // what comes after known will be told
	moved   uint64    // counts how often joined was lost
	asOf    time.Time // when the reading of known began
	reading *reading[S]
	count   uint64 // of readings begun
}

// states are those of all streams up to a position. They are never changed,
// but replaced.
type states[S any] struct {
	all     map[string]S
	at      Position
	version uint64 // position of the last event that is in all
}

// maxTold bounds what is told and not yet folded; beyond it the log is read.
const maxTold = 256

// NewCollection returns a collection that is read when it is first asked.
func NewCollection[S Decider[S, C, E], C, E any](ss Streams[S, C, E]) *Collection[S, C, E] {
	c := &Collection[S, C, E]{Streams: ss, known: states[S]{all: map[string]S{}}}
	c.watched = ss.Journal.watch(Observer{
		Categories: []string{ss.Kind}, See: c.see, Touched: func(Stream) { c.part() }, Forget: c.part,
	}, false)
	return c
}

func (c *Collection[S, C, E]) see(events []Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range events {
		if e.Stream.Category() == c.Kind {
			c.told = append(c.told, e)
		}
	}
	if len(c.told) > maxTold {
		c.parted()
	}
}

// part makes the next answer one that is read from the log.
func (c *Collection[S, C, E]) part() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parted()
}

func (c *Collection[S, C, E]) parted() {
	c.told, c.joined, c.asOf = nil, false, time.Time{}
	c.moved++
}

// All returns every state by id. The map is shared: it must not be changed.
func (c *Collection[S, C, E]) All(ctx context.Context) (map[string]S, error) {
	all, _, err := c.Versioned(ctx)
	return all, err
}

// Versioned is All with a number that changes when the collection does, so
// that what is derived from it can be kept.
func (c *Collection[S, C, E]) Versioned(ctx context.Context) (map[string]S, uint64, error) {
	knows := c.watched.knows()
	c.mu.Lock()
	begun := c.count
	for {
		if c.joined && (knows || c.recent()) {
			defer c.mu.Unlock()
			err := c.fold(ctx)
			return c.known.all, c.known.version, err
		}
		r := c.reading
		if r == nil {
			r = c.read(ctx)
		}
		r.waiting++
		c.mu.Unlock()
		select {
		case <-r.done:
		case <-ctx.Done():
			c.leave(r)
			return nil, 0, ctx.Err()
		}
		if r.err != nil {
			return nil, 0, r.err
		}
		if r.number > begun { // it has seen what was there when we came
			return r.states.all, r.states.version, nil
		}
		c.mu.Lock()
	}
}

// recent reports whether the last reading is young enough for a log that other
// nodes write too.
func (c *Collection[S, C, E]) recent() bool {
	return c.watched.feed != nil && time.Since(c.asOf) <= Staleness
}

// fold adds what was told to what is known.
func (c *Collection[S, C, E]) fold(ctx context.Context) error {
	next, err := c.add(ctx, c.known, c.told)
	if err == nil {
		c.known, c.told = next, nil
	}
	return err
}

// add returns the states after events, of which it skips what it has seen.
func (c *Collection[S, C, E]) add(ctx context.Context, s states[S], events []Event) (states[S], error) {
	cloned := false
	for _, e := range events {
		if e.Position <= s.at {
			continue
		}
		body, err := c.Journal.Codec.Body(ctx, e)
		if err != nil {
			return s, err
		}
		s.at = e.Position
		own, ok := body.(E)
		if !ok {
			continue
		}
		if !cloned {
			s.all, cloned = maps.Clone(s.all), true
		}
		s.version = uint64(e.Position)
		id := e.Stream.ID()
		s.all[id] = s.all[id].Evolve(own)
	}
	return s, nil
}
