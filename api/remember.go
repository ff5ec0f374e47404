package api

import (
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// recent remembers the replay keys of requests that append nothing, in bounded
// memory of this node.
type recent struct {
	mu   sync.Mutex
	seen map[[32]byte]time.Time
}

const maxRecent = 100_000

// remember refuses a caller whose assertion or proof was used before for a
// request that appends nothing.
func (s *Server) remember(c *caller) error { return replayed(c, s.rememberKeys(c.Once)) }

// rememberKeys takes keys that must be new, and answers with an
// [*eventstore.Replayed] if one is not. Where the memory is full of live keys it
// refuses too: a replay must never pass.
func (s *Server) rememberKeys(keys []eventstore.Once) error {
	now := s.Now()
	s.recent.mu.Lock()
	defer s.recent.mu.Unlock()
	if s.recent.seen == nil {
		s.recent.seen = map[[32]byte]time.Time{}
	}
	if err := s.recent.has(keys, now); err != nil {
		return err
	}
	if len(s.recent.seen) >= maxRecent {
		s.recent.sweep(now)
	}
	if len(s.recent.seen) >= maxRecent {
		return tooMany(time.Second)
	}
	for _, once := range keys {
		s.recent.seen[once.Key] = once.Expires
	}
	return nil
}

// remembered answers with an [*eventstore.Replayed] if a request that appended
// nothing took one of the keys, so that it is not good for one that appends.
func (s *Server) remembered(keys []eventstore.Once) error {
	now := s.Now()
	s.recent.mu.Lock()
	defer s.recent.mu.Unlock()
	return s.recent.has(keys, now)
}

func (r *recent) has(keys []eventstore.Once, now time.Time) error {
	for _, once := range keys {
		if until, found := r.seen[once.Key]; found && now.Before(until) {
			return &eventstore.Replayed{Key: once.Key}
		}
	}
	return nil
}

func (r *recent) sweep(now time.Time) {
	for key, until := range r.seen {
		if !now.Before(until) {
			delete(r.seen, key)
		}
	}
}
