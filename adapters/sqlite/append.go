package sqlite

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/chirograph/chirograph/eventstore"

	"zombiezen.com/go/sqlite"
)

// A request waits in the queue of the writer until it is taken, or until the
// caller withdraws it; only one of the two can happen.
type request struct {
	appends []eventstore.Append
	task    func(*sqlite.Conn) error // instead of appends: a transaction of its own
	history []eventstore.Event       // instead of appends: events of another log, likewise
	bytes   int
	events  int
	settled atomic.Bool

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

// alone reports whether the request shares no transaction.
func (r *request) alone() bool { return r.task != nil || r.history != nil }

// take reports whether the caller still waits and can no longer withdraw.
func (r *request) take() bool { return r.settled.CompareAndSwap(false, true) }

// withdraw reports whether the request will never be carried out.
func (r *request) withdraw() bool { return r.settled.CompareAndSwap(false, true) }

func (r *request) answer(receipts []eventstore.Receipt, err error) {
	r.receipts, r.err = receipts, err
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

// exclusive runs a task on the write connection, in a transaction of its own.
func (l *Log) exclusive(ctx context.Context, task func(*sqlite.Conn) error) error {
	_, err := l.submit(ctx, &request{task: task, done: make(chan struct{})})
	return err
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
