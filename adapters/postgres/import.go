package postgres

import (
	"context"
	"fmt"

	"github.com/chirograph/chirograph/eventstore"
)

// importEvents bounds one transaction of an import.
const importEvents = 2048

// Import appends events as another log has them, many at a time; each of
// those parts is all or nothing.
func (l *Log) Import(ctx context.Context, events []eventstore.Event) error {
	for len(events) > 0 {
		n, bytes := 0, 0
		for n < min(len(events), importEvents) && bytes < 4*maxBatchBytes {
			bytes += len(events[n].Data) + len(events[n].Meta)
			n++
		}
		r := &request{history: events[:n]}
		if _, err := l.submit(ctx, r); err != nil {
			return fmt.Errorf("import from position %d: %w", events[0].Position, err)
		}
		events = events[n:]
	}
	return nil
}

// adopt adds events as they are, if each is the one that comes next in the
// log and in its stream.
func (t *transaction) adopt(history []eventstore.Event) error {
	for _, e := range history {
		last := eventstore.NoRevision
		if s, there := t.streams[e.Stream]; there {
			last = s.last
		}
		recorded := e.Recorded.UnixNano()
		if int64(e.Position) != t.size+1 || e.Leaf != t.size || e.Revision != last+1 || t.size > 0 && recorded < t.recorded {
			return fmt.Errorf("postgres: event %s at position %d of %s, revision %d, does not come next", e.ID, e.Position, e.Stream, e.Revision)
		}
		t.recorded = recorded
		t.insert(e)
	}
	return nil
}
