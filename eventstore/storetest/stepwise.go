package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/chirograph/chirograph/eventstore"
)

// Stepwise is a log that writes the appends of a call one after the other and
// stops at the first that is refused: what an engine may do that is not
// atomic. A repeat of a call goes on where it stopped. It is not Observable.
//
// The replay keys of a call are used up by its first append with events, so
// that a call that is refused there burns none.
type Stepwise struct {
	eventstore.Log

	mu    sync.Mutex
	plan  []Cut
	sizes []int
}

// A Cut ends a call of Append in its middle. The zero Cut ends none.
type Cut struct {
	At      int   // number of the append, from 1
	Written bool  // after it was written, else before
	Err     error // what the caller is told; [eventstore.ErrUnknownOutcome] if nil
}

// Plan sets where the next calls are cut, one entry each; after the plan none
// is.
func (l *Stepwise) Plan(cuts ...Cut) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plan = cuts
}

// Sizes says how many appends each call so far has had.
func (l *Stepwise) Sizes() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.sizes)
}

func (l *Stepwise) next(size int) (cut Cut) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sizes = append(l.sizes, size)
	if len(l.plan) > 0 {
		cut, l.plan = l.plan[0], l.plan[1:]
	}
	if cut.Err == nil {
		cut.Err = eventstore.ErrUnknownOutcome
	}
	return cut
}

// Append writes appends in order up to the first that is refused or cut.
func (l *Stepwise) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	if err := eventstore.Check(appends...); err != nil {
		return nil, err
	}
	cut := l.next(len(appends))
	var receipts []eventstore.Receipt
	for i, a := range keysFirst(appends) {
		if cut.At == i+1 && !cut.Written {
			return nil, fmt.Errorf("%w: cut before append %d", cut.Err, cut.At)
		}
		r, err := l.Log.Append(ctx, a)
		if errors.Is(err, eventstore.ErrConflict) && len(a.Events) == 0 && l.anyWritten(ctx, appends[i+1:]) {
			r, err = []eventstore.Receipt{{Leaf: -1}}, nil // it held when they were written
		}
		if err != nil {
			return nil, err
		}
		if cut.At == i+1 {
			return nil, fmt.Errorf("%w: cut after append %d", cut.Err, cut.At)
		}
		receipts = append(receipts, r...)
	}
	return receipts, nil
}

// anyWritten reports whether one of appends is a repeat.
func (l *Stepwise) anyWritten(ctx context.Context, appends []eventstore.Append) bool {
	return slices.ContainsFunc(appends, func(a eventstore.Append) bool {
		if len(a.Events) == 0 {
			return false
		}
		for e, err := range l.ReadStream(ctx, a.Stream, 0) {
			if err == nil && e.ID == a.Events[0].ID {
				return true
			}
		}
		return false
	})
}

// keysFirst moves all replay keys of a call to its first append with events.
func keysFirst(appends []eventstore.Append) []eventstore.Append {
	first := slices.IndexFunc(appends, func(a eventstore.Append) bool { return len(a.Events) > 0 })
	if first < 0 {
		return appends
	}
	moved := slices.Clone(appends)
	var keys []eventstore.Once
	for i := range moved {
		keys, moved[i].Once = append(keys, moved[i].Once...), nil
	}
	moved[first].Once = keys
	return moved
}
