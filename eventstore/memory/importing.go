package memory

import (
	"bytes"
	"context"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/admission"

	"github.com/google/uuid"
)

var _ eventstore.Importer = (*Log)(nil)

// NewAs returns an empty log with the id of another.
func NewAs(id uuid.UUID, now func() time.Time) *Log {
	l := New(now)
	l.id = id
	return l
}

// Import appends all events as another log has them, or none.
func (l *Log) Import(ctx context.Context, events []eventstore.Event) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	added, observers, err := l.adopt(events)
	for _, observe := range observers {
		observe(added)
	}
	return err
}

func (l *Log) adopt(events []eventstore.Event) (added []eventstore.Event, observers []func([]eventstore.Event), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, nil, eventstore.ErrClosed
	}
	var last time.Time
	before := len(l.events)
	if before > 0 {
		last = l.events[before-1].Recorded
	}
	if err := admission.Continues(view{l, l.now()}, int64(before), last, events); err != nil {
		return nil, nil, err
	}
	for _, e := range events {
		e.Data, e.Meta = bytes.Clone(e.Data), bytes.Clone(e.Meta)
		l.add(e)
	}
	added, observers = l.announce(before)
	return added, observers, nil
}
