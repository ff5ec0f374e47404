package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// Import appends the events of another log of the same id. Those of one stream
// that follow each other are written at once. What it has written stays if it
// fails: [Log.Head] says where to go on.
func (l *Log) Import(ctx context.Context, events []eventstore.Event) error {
	if err := l.Halted(); err != nil {
		return err
	}
	head, err := l.numberedHead(ctx)
	if err != nil {
		return err
	}
	if err := follows(events, head, l.index.lastRecorded()); err != nil {
		return err
	}
	for len(events) > 0 {
		n, b := l.nextBatch(events)
		last, err := l.put(ctx, b)
		if want := b.after + eventstore.Revision(n); err == nil && last != want {
			err = l.misnumbered(b.stream, want, last)
		}
		if err != nil {
			return fmt.Errorf("import from position %d: %w", events[0].Position, err)
		}
		events = events[n:]
	}
	return nil
}

var errNotNext = errors.New("not the event that comes next")

// follows refuses events that are not the next ones of the log, one after the
// other.
func follows(events []eventstore.Event, head eventstore.Position, last int64) error {
	since := timeOf(last)
	for i, e := range events {
		want := head + 1 + eventstore.Position(i)
		if e.Position != want || e.Leaf != int64(want)-1 || e.Recorded.Before(since) || !possible(e.Stream) {
			return fmt.Errorf("import at position %d: %w", want, errNotNext)
		}
		since = e.Recorded
		proposal := eventstore.Append{Stream: e.Stream, Expect: eventstore.After(e.Revision - 1), Events: []eventstore.Proposed{e.Proposed}}
		if err := errors.Join(eventstore.Check(proposal), names{}.check([]eventstore.Append{proposal})); err != nil {
			return fmt.Errorf("import at position %d: %w", want, err)
		}
	}
	return nil
}

// nextBatch takes the events off the front that one call can write.
func (l *Log) nextBatch(events []eventstore.Event) (n int, b batch) {
	first := events[0]
	b = batch{stream: l.of(first.Stream), after: first.Revision - 1}
	bytes := 0
	for _, e := range events {
		next := proposed(e.Proposed, e.Recorded.In(time.UTC))
		bytes += size([]esdb.EventData{next})
		if e.Stream != first.Stream || e.Revision != first.Revision+eventstore.Revision(n) || n == eventstore.MaxAppendEvents || bytes > MaxAppendBytes {
			break
		}
		b.events = append(b.events, next)
		n++
	}
	return n, b
}
