package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/chirograph/chirograph/eventstore"
)

// A RefusedError says that nothing was written, and why. It is an
// [eventstore.ErrHalted], for as long as its reason lasts, and an
// [eventstore.ErrUnavailable] if that is that the database is not reachable.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string        { return fmt.Sprintf("postgres: nothing was written: %v", e.Err) }
func (e *RefusedError) Unwrap() error        { return e.Err }
func (e *RefusedError) Is(target error) bool { return target == eventstore.ErrHalted }

// refused is err as a definite refusal, unless it is one of the port's.
func refused(err error) error {
	if errors.Is(err, eventstore.ErrUnknownOutcome) || errors.Is(err, eventstore.ErrClosed) {
		return err
	}
	return &RefusedError{unavailable(err)}
}

// A request waits in the queue of the writer until it is taken, or until the
// caller withdraws it; only one of the two can happen.
type request struct {
	appends []eventstore.Append
	history []eventstore.Event // instead of appends: to import
	bytes   int
	events  int
	settled atomic.Bool
	tried   bool // in a transaction whose connection broke

	receipts []eventstore.Receipt
	err      error
	done     chan struct{}
}

func newRequest(appends []eventstore.Append) *request {
	r := &request{appends: appends, done: make(chan struct{})}
	for _, a := range appends {
		r.bytes += a.Bytes()
		r.events += len(a.Events)
	}
	return r
}

// take reports whether the caller still waits and can no longer withdraw.
func (r *request) take() bool { return r.settled.CompareAndSwap(false, true) }

// withdraw reports whether the request will never be carried out.
func (r *request) withdraw() bool { return r.settled.CompareAndSwap(false, true) }

func (r *request) answer(err error) {
	if err != nil {
		r.receipts, r.err = nil, err
	}
	close(r.done)
}

// Append writes all appends or none. If ctx ends while the commit is under
// way the outcome is unknown; if it ends before, nothing is written. The data
// of the events must not be changed afterwards.
func (l *Log) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	if err := eventstore.Check(appends...); err != nil {
		return nil, err
	}
	return l.submit(ctx, newRequest(appends))
}

func (l *Log) submit(ctx context.Context, r *request) ([]eventstore.Receipt, error) {
	if l.writer == nil {
		return nil, ErrReadOnly
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case l.writer.queue <- r:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.writer.done:
		return nil, eventstore.ErrClosed
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		if r.withdraw() {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, ctx.Err())
	case <-l.writer.done:
		if r.withdraw() {
			return nil, eventstore.ErrClosed
		}
		<-r.done
	}
	return r.receipts, r.err
}
