package eventstore

import (
	"context"
	"sync"
)

// A Cache holds the states of streams of one kind in memory. On an
// [Observable] log it is exact: an entry is dropped by the commit that makes it
// old, before the append returns. On a log that other nodes write too it is at
// most [Staleness] behind them, and not behind what this node has committed; it
// reads the stream each time while the journal's [Feed] is older, or if there
// is none.
type Cache[S Decider[S, C, E], C, E any] struct {
	Streams[S, C, E]

	watched watched
	mu      sync.RWMutex
	entries map[string]cached[S]
	moved   uint64 // counts what was told of streams of this kind
}

type cached[S any] struct {
	state    S
	revision Revision
}

// maxCached bounds the entries; beyond it arbitrary ones make room.
const maxCached = 20_000

// NewCache returns an empty cache of the streams of one kind.
func NewCache[S Decider[S, C, E], C, E any](ss Streams[S, C, E]) *Cache[S, C, E] {
	return newCache(ss, false)
}

// NewExactCache returns a cache that is never behind: on a log that other
// nodes write too it holds nothing.
func NewExactCache[S Decider[S, C, E], C, E any](ss Streams[S, C, E]) *Cache[S, C, E] {
	return newCache(ss, true)
}

func newCache[S Decider[S, C, E], C, E any](ss Streams[S, C, E], exactly bool) *Cache[S, C, E] {
	c := &Cache[S, C, E]{Streams: ss, entries: map[string]cached[S]{}}
	c.watched = ss.Journal.watch(Observer{Categories: []string{ss.Kind}, See: c.see, Touched: c.forget, Forget: c.forgetAll}, exactly)
	return c
}

func (c *Cache[S, C, E]) see(events []Event) {
	for _, e := range events {
		if e.Stream.Category() == c.Kind {
			c.forget(e.Stream)
		}
	}
}

func (c *Cache[S, C, E]) forget(s Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved++
	delete(c.entries, s.ID())
}

func (c *Cache[S, C, E]) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved++
	clear(c.entries)
}

// Get returns the current state of a stream and its last revision.
func (c *Cache[S, C, E]) Get(ctx context.Context, id string) (S, Revision, error) {
	knows := c.watched.knows()
	c.mu.RLock()
	entry, found := c.entries[id]
	moved := c.moved
	c.mu.RUnlock()
	if found && knows {
		return entry.state, entry.revision, nil
	}
	state, revision, err := c.Load(ctx, id)
	if err == nil && c.watched.ever() && revision != NoRevision {
		c.keep(id, cached[S]{state, revision}, moved)
	}
	return state, revision, err
}

// keep stores an entry unless something was told since reading it began.
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
