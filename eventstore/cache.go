package eventstore

import (
	"context"
	"sync"
)

// A Cache holds the states of streams of one kind in memory. On an
// [Observable] log it is exact: an entry is dropped by the commit that makes it
// old, before the append returns. On any other log it reads the stream each
// time.
type Cache[S Decider[S, C, E], C, E any] struct {
	Streams[S, C, E]

	exact   bool
	mu      sync.RWMutex
	entries map[string]cached[S]
	moved   uint64 // counts commits to streams of this kind
}

type cached[S any] struct {
	state    S
	revision Revision
}

// maxCached bounds the entries; beyond it arbitrary ones make room.
const maxCached = 20_000

// NewCache returns an empty cache of the streams of one kind.
func NewCache[S Decider[S, C, E], C, E any](ss Streams[S, C, E]) *Cache[S, C, E] {
	c := &Cache[S, C, E]{Streams: ss, entries: map[string]cached[S]{}}
	if log, ok := ss.Journal.Log.(Observable); ok {
		c.exact = true
		log.Observe(c.forget)
	}
	return c
}

func (c *Cache[S, C, E]) forget(events []Event) {
	for _, e := range events {
		if e.Stream.Category() != c.Kind {
			continue
		}
		c.mu.Lock()
		c.moved++
		delete(c.entries, e.Stream.ID())
		c.mu.Unlock()
	}
}

// Get returns the current state of a stream and its last revision.
func (c *Cache[S, C, E]) Get(ctx context.Context, id string) (S, Revision, error) {
	c.mu.RLock()
	entry, found := c.entries[id]
	moved := c.moved
	c.mu.RUnlock()
	if found {
		return entry.state, entry.revision, nil
	}
	state, revision, err := c.Load(ctx, id)
	if err == nil && c.exact && revision != NoRevision {
		c.keep(id, cached[S]{state, revision}, moved)
	}
	return state, revision, err
}

// keep stores an entry unless a commit came between reading it and now.
func (c *Cache[S, C, E]) keep(id string, entry cached[S], moved uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moved != moved {
		return
	}
	for old := range c.entries {
		if len(c.entries) < maxCached {
			break
		}
		delete(c.entries, old)
	}
	c.entries[id] = entry
}
