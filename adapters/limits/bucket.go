package limits

import (
	"math"
	"sync"
	"time"
)

// A bucket holds the tokens of one key. It may owe some.
type bucket struct {
	mu     sync.Mutex
	tokens float64
	last   time.Time
}

// take takes one token, or returns how long it takes until there is one.
func (b *bucket) take(r Rate, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(r, now)
	if b.tokens < 1 {
		return time.Duration(math.Ceil((1 - b.tokens) / r.PerSecond * float64(time.Second)))
	}
	b.tokens--
	return 0
}

// give puts a token back.
func (b *bucket) give(r Rate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(float64(r.Burst), b.tokens+1)
}

// owe takes tokens that may not be there, but not so many that somebody waits
// longer than most because of it.
func (b *bucket) owe(r Rate, n int, now time.Time, most time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(r, now)
	least := min(b.tokens, 1-r.PerSecond*most.Seconds())
	b.tokens = max(b.tokens-float64(max(n, 0)), least)
}

func (b *bucket) refill(r Rate, now time.Time) {
	if passed := now.Sub(b.last); passed > 0 {
		b.tokens = min(float64(r.Burst), b.tokens+passed.Seconds()*r.PerSecond)
		b.last = now
	}
}
