package sqlite

import (
	"context"
	"errors"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/admission"
)

var _ eventstore.Importer = (*Log)(nil)

// Bounds of one transaction of an import.
const (
	importEvents = 4096
	importBytes  = 4 << 20
)

// Import appends events as another log has them, many at a time; each of
// those parts is all or nothing.
func (l *Log) Import(ctx context.Context, events []eventstore.Event) error {
	for len(events) > 0 {
		n, bytes := 0, 0
		for n < min(len(events), importEvents) && bytes < importBytes {
			bytes += len(events[n].Data) + len(events[n].Meta)
			n++
		}
		if _, err := l.submit(ctx, &request{history: events[:n]}); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// adopt adds events as they are, if they are the ones that come next.
func (t *transaction) adopt(history []eventstore.Event) (refused, err error) {
	err = admission.Continues(t.view(), t.tree.Size(), t.last, history)
	if errors.Is(err, admission.ErrNotNext) {
		return err, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range history {
		sid, err := t.sid(e.Stream)
		if err == nil && sid == 0 {
			sid, err = t.open(e.Stream)
		}
		if err == nil {
			err = t.insert(sid, e)
		}
		if err != nil {
			return nil, err
		}
		t.events, t.now = append(t.events, e), e.Recorded
	}
	return nil, nil
}
