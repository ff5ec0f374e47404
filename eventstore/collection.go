package eventstore

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
)

// A Collection holds the states of all streams of one kind, for kinds of which
// there are few: issuers, signing keys. Like a [Cache] it is exact on an
// [Observable] log and otherwise reads the log each time.
type Collection[S Decider[S, C, E], C, E any] struct {
	Streams[S, C, E]

	exact bool
	moved atomic.Uint64
	mu    sync.Mutex
	all   map[string]S
	seen  uint64 // value of moved when all was read
}

// NewCollection returns a collection that is read when it is first asked.
func NewCollection[S Decider[S, C, E], C, E any](ss Streams[S, C, E]) *Collection[S, C, E] {
	c := &Collection[S, C, E]{Streams: ss}
	if log, ok := ss.Journal.Log.(Observable); ok {
		c.exact = true
		log.Observe(func(events []Event) {
			for _, e := range events {
				if e.Stream.Category() == c.Kind {
					c.moved.Add(1)
				}
			}
		})
	}
	return c
}

// All returns every state by id. The map is shared: it must not be changed.
func (c *Collection[S, C, E]) All(ctx context.Context) (map[string]S, error) {
	all, _, err := c.Versioned(ctx)
	return all, err
}

// Versioned is All with a number that changes when the collection does, so
// that what is derived from it can be kept.
func (c *Collection[S, C, E]) Versioned(ctx context.Context) (map[string]S, uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	moved := c.moved.Load()
	if c.exact && c.all != nil && c.seen == moved {
		return c.all, moved, nil
	}
	all, err := c.read(ctx)
	if err != nil {
		return nil, 0, err
	}
	if !c.exact {
		moved = c.moved.Add(1)
	}
	c.all, c.seen = all, moved
	return maps.Clone(all), moved, nil
}

func (c *Collection[S, C, E]) read(ctx context.Context) (map[string]S, error) {
	all := map[string]S{}
	for e, err := range c.Journal.Log.ReadAll(ctx, 0, Filter{Categories: []string{c.Kind}}) {
		if err != nil {
			return nil, err
		}
		body, err := c.Journal.Codec.Body(ctx, e)
		if err != nil {
			return nil, err
		}
		if own, ok := body.(E); ok {
			id := e.Stream.ID()
			all[id] = all[id].Evolve(own)
		}
	}
	return all, nil
}
