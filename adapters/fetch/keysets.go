package fetch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// ErrUnavailable means that a client's keys cannot be had, neither fresh nor
// within the age that they may serve.
var ErrUnavailable = errors.New("key set is unavailable")

const (
	maxServed   = 10 * time.Minute // no set serves longer, whatever its owner allows
	minInterval = time.Minute      // between two fetches for one client
)

// KeySets are the key sets that clients publish at their jwks_uri, as K. A set
// is fetched when it is first needed, when it has aged, and when a key is
// missing from it, but never more than once a minute for each client. While
// its owner cannot be reached the last good one serves for ten minutes.
type KeySets[K any] struct {
	fetch func(ctx context.Context, url string) (Document, error)
	parse func([]byte) (K, error)
	now   func() time.Time

	entries *lru.Cache[location, *entry[K]]
}

type location struct{ client, url string }

// A Set is a key set and where it is from.
type Set[K any] struct {
	Keys      K
	URL       string
	FetchedAt time.Time
}

type entry[K any] struct {
	mu     sync.Mutex
	good   Set[K]
	fresh  time.Time     // until when good needs no fetch
	tried  time.Time     // the last fetch, whatever came of it
	failed error         // why it failed
	flight chan struct{} // closed when the fetch under way, if any, has ended
}

// NewKeySets returns KeySets for at most size clients, the least recently used
// being forgotten first. parse may refuse a document; then it is as if it
// could not be fetched.
func NewKeySets[K any](client *Client, size int, parse func([]byte) (K, error)) (*KeySets[K], error) {
	entries, err := lru.New[location, *entry[K]](size)
	if err != nil {
		return nil, err
	}
	return &KeySets[K]{fetch: client.Document, parse: parse, now: client.now, entries: entries}, nil
}

// Of returns the key set that a client publishes at url.
func (s *KeySets[K]) Of(ctx context.Context, client, url string) (Set[K], error) {
	return s.of(ctx, location{client, url}, false)
}

// Anew is [KeySets.Of] for a caller who misses a key in what that returned: the
// set is fetched again, unless it was within the last minute.
func (s *KeySets[K]) Anew(ctx context.Context, client, url string) (Set[K], error) {
	return s.of(ctx, location{client, url}, true)
}

func (s *KeySets[K]) of(ctx context.Context, at location, anew bool) (Set[K], error) {
	e := s.entry(at)
	flight, mine := e.board(s.now(), anew)
	if mine {
		go s.refresh(context.WithoutCancel(ctx), at.url, e) // others wait for it, even if this caller leaves
	}
	if flight != nil {
		select {
		case <-flight:
		case <-ctx.Done():
			return Set[K]{}, ctx.Err()
		}
	}
	return e.serve(s.now())
}

func (s *KeySets[K]) entry(at location) *entry[K] {
	fresh := &entry[K]{}
	if known, found, _ := s.entries.PeekOrAdd(at, fresh); found {
		s.entries.Get(at) // it is in use
		return known
	}
	return fresh
}

// refresh fetches and keeps what is good.
func (s *KeySets[K]) refresh(ctx context.Context, url string, e *entry[K]) {
	document, err := s.fetch(ctx, url)
	var keys K
	if err == nil {
		keys, err = s.parsed(document.Body)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.flight)
	e.flight, e.failed = nil, err
	if err != nil {
		return
	}
	e.good = Set[K]{keys, url, document.FetchedAt}
	e.fresh = document.FetchedAt.Add(served(document.MaxAge))
}

// parsed is parse, except that a panic on what a stranger wrote does not end
// the process: no request's recovery covers a flight.
func (s *KeySets[K]) parsed(body []byte) (keys K, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("parse key set: %v", reason)
		}
	}()
	return s.parse(body)
}

// served is how long a set needs no fetch: as its owner says, within bounds.
func served(maxAge time.Duration) time.Duration {
	if maxAge < 0 {
		return maxServed
	}
	return min(max(maxAge, minInterval), maxServed)
}

// board returns the fetch that the caller waits for, nil if none, and whether
// it is the caller's to make.
func (e *entry[K]) board(now time.Time, anew bool) (flight <-chan struct{}, mine bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch wanted := anew || !now.Before(e.fresh); {
	case !wanted:
		return nil, false
	case e.flight != nil:
		return e.flight, false
	case now.Sub(e.tried) < minInterval:
		return nil, false
	}
	e.tried, e.flight = now, make(chan struct{})
	return e.flight, true
}

func (e *entry[K]) serve(now time.Time) (Set[K], error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.good.FetchedAt.IsZero() || now.Sub(e.good.FetchedAt) >= maxServed {
		return Set[K]{}, fmt.Errorf("%w: %w", ErrUnavailable, e.failed)
	}
	return e.good, nil
}
