// Package limits says how soon a client or an address may be served again. It
// keeps one token bucket for each, and forgets those that were not used for
// the longest time when there are too many.
package limits

import (
	"fmt"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
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
	buckets *lru.Cache[string, *rate.Limiter]
}

// DefaultBuckets bounds the buckets that are remembered, about 200 bytes each.
const DefaultBuckets = 50_000

// New returns Limits for kinds of keys: the kind of "client:abc" is "client".
// Keys of other kinds are not limited.
func New(kinds map[string]Rate, buckets int) (*Limits, error) {
	cache, err := lru.New[string, *rate.Limiter](buckets)
	if err != nil {
		return nil, fmt.Errorf("limits: %w", err)
	}
	return &Limits{kinds, cache}, nil
}

// Wait returns 0 and counts the request if its key may be served now, or how
// long it must wait. A request that must wait is not counted.
func (l *Limits) Wait(key string, now time.Time) time.Duration {
	kind, _, _ := strings.Cut(key, ":")
	r := l.kinds[kind]
	if !r.limits() {
		return 0
	}
	reserved := l.bucket(key, r).ReserveN(now, 1)
	wait := reserved.DelayFrom(now)
	if wait > 0 {
		reserved.CancelAt(now)
	}
	return wait
}

func (l *Limits) bucket(key string, r Rate) *rate.Limiter {
	if b, found := l.buckets.Get(key); found {
		return b
	}
	b := rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)
	if before, found, _ := l.buckets.PeekOrAdd(key, b); found {
		return before // of a racer
	}
	return b
}
