package storetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/chirograph/chirograph/eventstore"
)

// A Fault is what goes wrong with one append.
type Fault int

const (
	None       Fault = iota
	NotDone          // nothing is written and nobody knows
	AnswerLost       // it is written and nobody knows
	Twice            // it arrives twice, and the second answer counts
	Refused          // the log has halted
	Slow             // it is written once Release is closed
)

// Faulty is a log whose appends go wrong as planned, one plan entry each;
// after the plan all goes well.
type Faulty struct {
	eventstore.Log
	Release chan struct{}

	mu    sync.Mutex
	plan  []Fault
	calls int
}

// Plan sets what the next appends meet.
func (l *Faulty) Plan(faults ...Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plan = faults
}

// Calls is how many appends were tried.
func (l *Faulty) Calls() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls
}

func (l *Faulty) next() Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if len(l.plan) == 0 {
		return None
	}
	f := l.plan[0]
	l.plan = l.plan[1:]
	return f
}

func (l *Faulty) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	switch l.next() {
	case NotDone:
		return nil, fmt.Errorf("%w: planned", eventstore.ErrUnknownOutcome)
	case AnswerLost:
		if _, err := l.Log.Append(ctx, appends...); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: planned", eventstore.ErrUnknownOutcome)
	case Twice:
		if _, err := l.Log.Append(ctx, appends...); err != nil {
			return nil, err
		}
	case Refused:
		return nil, fmt.Errorf("%w: planned", eventstore.ErrHalted)
	case Slow:
		select {
		case <-l.Release:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, ctx.Err())
		}
	}
	return l.Log.Append(ctx, appends...)
}
