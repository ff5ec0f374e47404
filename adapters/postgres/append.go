package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/adapters/internal/turn"
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

// A request is a call to the writer.
type request struct {
	turn.Call
	appends []eventstore.Append
	history []eventstore.Event // instead of appends: to import
	bytes   int
	events  int
	tried   bool // in a transaction whose connection broke
}

func newRequest(appends []eventstore.Append) *request {
	r := &request{appends: appends}
	for _, a := range appends {
		r.bytes += a.Bytes()
		r.events += len(a.Events)
	}
	return r
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
	r.Begin()
	return turn.Wait(ctx, l.writer.queue, r, &r.Call, l.writer.done)
}
