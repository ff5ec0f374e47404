// Package limits says how soon a client or an address may be served again. It
// keeps one token bucket for each, and forgets those that were not used for
// the longest time when there are too many. Nodes that exchange what they let
// through hold the limits together.
package limits

import (
	"fmt"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// A Rate is how many requests a second are served in the long run, and how
// many at once. The zero Rate sets no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

func (r Rate) limits() bool { return r.PerSecond > 0 && r.Burst > 0 }

// Limits are the buckets of one node. They are safe for concurrent use.
type Limits struct {
	kinds   map[string]Rate
	buckets *lru.Cache[string, *bucket]
	most    int // buckets

	mu    sync.Mutex
	spent map[string]int // nil as long as nobody asks
}

// DefaultBuckets bounds the buckets that are remembered, about 200 bytes each.
const DefaultBuckets = 50_000

// New returns Limits for kinds of keys: the kind of "client:abc" is "client".
// Keys of other kinds are not limited.
func New(kinds map[string]Rate, buckets int) (*Limits, error) {
	cache, err := lru.New[string, *bucket](buckets)
	if err != nil {
		return nil, fmt.Errorf("limits: %w", err)
	}
	return &Limits{kinds: kinds, buckets: cache, most: buckets}, nil
}

// Wait returns 0 and counts the request if its key may be served now, or how
// long it must wait. A request that must wait is not counted.
func (l *Limits) Wait(key string, now time.Time) time.Duration {
	r := l.rate(key)
	if !r.limits() {
		return 0
	}
	wait := l.bucket(key, r, now).take(r, now)
	if wait == 0 {
		l.count(key)
	}
	return wait
}

// Return takes back that a request was counted, which Wait let through.
func (l *Limits) Return(key string) {
	r := l.rate(key)
	b, found := l.buckets.Peek(key)
	if !r.limits() || !found {
		return
	}
	b.give(r)
	l.uncount(key)
}

func (l *Limits) rate(key string) Rate {
	kind, _, _ := strings.Cut(key, ":")
	return l.kinds[kind]
}

func (l *Limits) bucket(key string, r Rate, now time.Time) *bucket {
	if b, found := l.buckets.Get(key); found {
		return b
	}
	b := &bucket{tokens: float64(r.Burst), last: now}
	if before, found, _ := l.buckets.PeekOrAdd(key, b); found {
		return before // of a racer
	}
	return b
}
