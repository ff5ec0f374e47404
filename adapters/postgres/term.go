package postgres

import (
	"context"
	"sync"
	"time"
)

// A term is the context of a leader. Its end is put off by each renewal; after
// a pause it has ended even before its timer has noticed.
type term struct {
	context.Context
	end context.CancelFunc

	mu    sync.Mutex
	until time.Time
	timer *time.Timer
}

func newTerm(parent context.Context, until time.Time) *term {
	ctx, end := context.WithCancel(parent)
	t := &term{Context: ctx, end: end, until: until}
	t.timer = time.AfterFunc(time.Until(until), t.expire)
	context.AfterFunc(ctx, func() { t.timer.Stop() })
	return t
}

// prolong puts the end off, if it has not come.
func (t *term) prolong(until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Context.Err() == nil && time.Now().Before(t.until) {
		t.until = until
		t.timer.Reset(time.Until(until))
	}
}

func (t *term) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !time.Now().Before(t.until) {
		t.end()
	}
}

// Deadline is when the term ends unless it is prolonged, which nobody can
// rely on.
func (t *term) Deadline() (time.Time, bool) { return time.Time{}, false }

func (t *term) Err() error {
	t.expire()
	return t.Context.Err()
}
