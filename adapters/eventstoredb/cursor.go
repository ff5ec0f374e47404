package eventstoredb

import (
	"context"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// A cursor reads all events in the order of the log, each once, and numbers
// them by counting.
type cursor struct {
	*Log
	from  uint64 // place of an event that has been read: reading includes it
	size  int64  // events that have been numbered
	since int64  // recorded time of the last
}

// next reads a page of events. There may be none in it although more follow.
func (c *cursor) next(ctx context.Context) (events []placed, more bool, err error) {
	p, err := c.readAll(ctx, esdb.ReadAllOptions{From: at(c.from)}, allPage)
	if err != nil {
		return nil, false, err
	}
	for _, r := range p.events {
		place := r.Position.Commit
		if place <= c.from {
			continue
		}
		c.from = place
		if !c.ours(r) {
			continue
		}
		e, err := c.event(r)
		if err != nil {
			return nil, false, err
		}
		c.since = max(c.since, e.Recorded.UnixNano())
		number(&e, c.size, timeOf(c.since))
		c.size++
		events = append(events, placed{e, place})
	}
	return events, p.more, nil
}

// cursorAfter returns a cursor behind a position.
func (l *Log) cursorAfter(ctx context.Context, after eventstore.Position) (*cursor, error) {
	if after == 0 {
		return &cursor{Log: l, from: l.origin}, nil
	}
	r, err := l.row(ctx, int64(after)-1)
	return &cursor{Log: l, from: r.place, size: int64(after), since: r.recorded}, err
}

// row is where a leaf is that has been numbered.
func (l *Log) row(ctx context.Context, leaf int64) (row, error) {
	if r, found := l.index.at(leaf); found {
		return r, nil
	}
	rows, err := l.table.Rows(ctx, leaf, leaf+1)
	if err != nil {
		return row{}, fmt.Errorf("look up leaf %d: %w", leaf, err)
	}
	if len(rows) != 1 {
		return row{}, &ledger.AlteredError{Position: eventstore.Position(leaf + 1), What: "leaf is missing in the table"}
	}
	return row{rows[0].Place, rows[0].Recorded.UnixNano()}, nil
}

// span yields all events after a position up to one that the index has
// reached, in pieces. Before it yields a piece it compares the place of the
// last event in it with what is known of that leaf: an event that has vanished
// is noticed before anything is numbered wrongly.
func (l *Log) span(ctx context.Context, after, to eventstore.Position, yield func([]placed) bool) error {
	var c *cursor
	for after < to {
		if err := l.usable(ctx); err != nil {
			return err
		}
		events := l.index.after(after, to)
		if events == nil {
			var err error
			if c, events, err = l.counted(ctx, c, after, to); err != nil {
				return err
			}
		}
		if len(events) == 0 {
			continue
		}
		after = events[len(events)-1].Position
		if !yield(events) {
			return nil
		}
	}
	return nil
}

// counted reads the next events of a span from the server.
func (l *Log) counted(ctx context.Context, c *cursor, after, to eventstore.Position) (*cursor, []placed, error) {
	if c == nil || c.size != int64(after) {
		var err error
		if c, err = l.cursorAfter(ctx, after); err != nil {
			return c, nil, err
		}
	}
	events, more, err := c.next(ctx)
	if err != nil {
		return c, nil, err
	}
	if n := int(to - after); len(events) > n {
		events = events[:n]
	}
	if len(events) == 0 {
		if !more {
			return c, nil, &ledger.AlteredError{Position: after + 1, What: "event is missing"}
		}
		return c, nil, nil
	}
	last := events[len(events)-1]
	r, err := l.row(ctx, last.Leaf)
	if err != nil {
		return c, nil, err
	}
	if r != (row{last.place, last.Recorded.UnixNano()}) {
		return c, nil, &ledger.AlteredError{Position: after + 1, What: fmt.Sprintf("the events from here to %d are not those that were numbered", last.Position)}
	}
	return c, events, nil
}

func timeOf(ns int64) time.Time { return time.Unix(0, ns).UTC() }
