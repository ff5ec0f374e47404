package sqlite

import (
	"context"

	"github.com/chirograph/chirograph/adapters/internal/turn"
	"github.com/chirograph/chirograph/eventstore"

	"zombiezen.com/go/sqlite"
)

// A request is a call to the writer.
type request struct {
	turn.Call
	appends []eventstore.Append
	task    func(*sqlite.Conn) error // instead of appends: a transaction of its own
	history []eventstore.Event       // instead of appends: events of another log, likewise
	bytes   int
	events  int
}

func newRequest(appends []eventstore.Append) *request {
	r := &request{appends: appends}
	for _, a := range appends {
		r.bytes += a.Bytes()
		r.events += len(a.Events)
	}
	return r
}

// alone reports whether the request shares no transaction.
func (r *request) alone() bool { return r.task != nil || r.history != nil }

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
	_, err := l.submit(ctx, &request{task: task})
	return err
}

func (l *Log) submit(ctx context.Context, r *request) ([]eventstore.Receipt, error) {
	if l.writer == nil {
		return nil, ErrReadOnly
	}
	r.Begin()
	return turn.Wait(ctx, l.writer.queue, r, &r.Call, l.writer.done)
}
