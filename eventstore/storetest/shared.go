package storetest

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/chirograph/chirograph/eventstore"
)

// Shared is a log as nodes share it: it is not Observable, and its newest
// events are unnumbered until somebody asks for the head.
type Shared struct {
	eventstore.Log
	numbered atomic.Uint64
}

// Append returns receipts that say nothing of the place.
func (l *Shared) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	receipts, err := l.Log.Append(ctx, appends...)
	for i := range receipts {
		receipts[i].Position, receipts[i].Leaf = eventstore.Unnumbered, -1
	}
	return receipts, err
}

// ReadStream yields events of which the last may be unnumbered.
func (l *Shared) ReadStream(ctx context.Context, s eventstore.Stream, from eventstore.Revision) iter.Seq2[eventstore.Event, error] {
	return func(yield func(eventstore.Event, error) bool) {
		for e, err := range l.Log.ReadStream(ctx, s, from) {
			if uint64(e.Position) > l.numbered.Load() {
				e.Position, e.Leaf = eventstore.Unnumbered, -1
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Head numbers what is there.
func (l *Shared) Head(ctx context.Context) (eventstore.Position, error) {
	head, err := l.Log.Head(ctx)
	for {
		old := l.numbered.Load()
		if uint64(head) <= old || l.numbered.CompareAndSwap(old, uint64(head)) {
			return head, err
		}
	}
}

// Interrupted is a log at whose appends something else can happen.
type Interrupted struct {
	eventstore.Log
	mu            sync.Mutex
	before, after interruption
}

type interruption struct {
	left int
	then func()
}

// Before has something happen before the nth append from now, counted from 1.
func (l *Interrupted) Before(n int, then func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.before = interruption{n, then}
}

// After has something happen after it, and before its answer.
func (l *Interrupted) After(n int, then func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.after = interruption{n, then}
}

func (l *Interrupted) due(i *interruption) func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i.left--; i.left != 0 {
		return func() {}
	}
	return i.then
}

// Append appends, and whatever was to happen meanwhile happens.
func (l *Interrupted) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	l.due(&l.before)()
	after := l.due(&l.after)
	defer after()
	return l.Log.Append(ctx, appends...)
}
