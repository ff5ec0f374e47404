package api

import (
	"context"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// recent remembers the replay keys of requests that append nothing, in bounded
// memory, and none of its clients at the cost of the others. It is for a node
// that has the log alone.
type recent struct {
	mu    sync.Mutex
	of    map[string]map[[32]byte]int64 // by client: when keys expire, in nanoseconds
	total int
	swept time.Time
}

const (
	maxRecent = 300_000
	maxShare  = maxRecent / 3 // of one client

	// sweepEvery is how often a full memory is searched for what has expired.
	sweepEvery = time.Second
)

// remember refuses a caller whose assertion or proof was used before for a
// request that appends nothing.
func (s *Server) remember(ctx context.Context, c *caller, keys []eventstore.Once) error {
	return replayed(c, s.rememberKeys(ctx, c.ID, keys))
}

// rememberKeys takes keys of a client that must be new, and answers with an
// [*eventstore.Replayed] if one is not. Nodes that share a log take them there.
func (s *Server) rememberKeys(ctx context.Context, client string, keys []eventstore.Once) error {
	if s.alone() {
		return s.recent.take(client, keys, s.Now())
	}
	if len(keys) == 0 {
		return nil
	}
	_, err := s.Journal.Log.Append(ctx, eventstore.Append{Stream: s.Clients.Stream(client), Expect: eventstore.Unchecked(), Once: keys})
	return err
}

// alone reports whether no other node writes to the log.
func (s *Server) alone() bool {
	_, alone := s.Journal.Log.(eventstore.Observable)
	return alone
}

// take takes keys that must be new. Where the memory is full of live ones it
// refuses too: a replay must never pass.
func (r *recent) take(client string, keys []eventstore.Once, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.has(client, keys, now); err != nil || len(keys) == 0 {
		return err
	}
	if r.full(client) {
		r.sweep(now)
	}
	if r.full(client) {
		return tooMany(sweepEvery)
	}
	r.add(client, keys)
	return nil
}

// used answers with an [*eventstore.Replayed] if a request that appended nothing
// took one of the keys, so that it is not good for one that appends.
func (r *recent) used(client string, keys []eventstore.Once, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.has(client, keys, now)
}

func (r *recent) has(client string, keys []eventstore.Once, now time.Time) error {
	for _, once := range keys {
		if until, found := r.of[client][once.Key]; found && now.UnixNano() < until {
			return &eventstore.Replayed{Key: once.Key}
		}
	}
	return nil
}

func (r *recent) full(client string) bool {
	return r.total >= maxRecent || len(r.of[client]) >= maxShare
}

func (r *recent) add(client string, keys []eventstore.Once) {
	if r.of == nil {
		r.of = map[string]map[[32]byte]int64{}
	}
	if r.of[client] == nil {
		r.of[client] = map[[32]byte]int64{}
	}
	r.total -= len(r.of[client])
	for _, once := range keys {
		r.of[client][once.Key] = once.Expires.UnixNano()
	}
	r.total += len(r.of[client])
}

func (r *recent) sweep(now time.Time) {
	if since := now.Sub(r.swept); since >= 0 && since < sweepEvery {
		return
	}
	r.swept, r.total = now, 0
	for client, keys := range r.of {
		for key, until := range keys {
			if until <= now.UnixNano() {
				delete(keys, key)
			}
		}
		if r.total += len(keys); len(keys) == 0 {
			delete(r.of, client)
		}
	}
}
