package eventstoredb

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// ReadStream yields the events of a stream from a revision on. It asks the
// leader and does not wait for numbers.
func (l *Log) ReadStream(ctx context.Context, s eventstore.Stream, from eventstore.Revision) iter.Seq2[eventstore.Event, error] {
	return func(yield func(eventstore.Event, error) bool) {
		for more := true; more; {
			events, again, err := l.streamFrom(ctx, s, max(from, 0))
			if err != nil {
				yield(eventstore.Event{}, err)
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
				from = e.Revision + 1
			}
			more = again
		}
	}
}

// streamFrom reads a page of a stream, with what numbers are known.
func (l *Log) streamFrom(ctx context.Context, s eventstore.Stream, from eventstore.Revision) ([]eventstore.Event, bool, error) {
	if err := l.usable(ctx); err != nil || !possible(s) {
		return nil, false, err
	}
	p, err := l.readStream(ctx, l.of(s), esdb.ReadStreamOptions{From: esdb.Revision(uint64(from))}, streamPage)
	if err != nil {
		return nil, false, err
	}
	events := make([]placed, len(p.events))
	for i, r := range p.events {
		if r.EventNumber != uint64(from)+uint64(i) {
			return nil, false, &ledger.AlteredError{What: fmt.Sprintf("revision %d of %s where %d must be", r.EventNumber, s, int(from)+i)}
		}
		if events[i].Event, err = l.event(r); err != nil {
			return nil, false, err
		}
		events[i].place = r.Position.Commit
	}
	numbered, err := l.numbered(ctx, events)
	return numbered, p.more, err
}

// numbered gives events the numbers that are known. Those that the index has
// dropped are in the table.
func (l *Log) numbered(ctx context.Context, events []placed) ([]eventstore.Event, error) {
	out := make([]eventstore.Event, len(events))
	var lookUp []uint64
	indexes := map[uint64]int{}
	for i, e := range events {
		out[i] = e.Event
		switch leaf, r, where := l.index.find(e.place); where {
		case known:
			number(&out[i], leaf, timeOf(r.recorded))
		case older:
			lookUp, indexes[e.place] = append(lookUp, e.place), i
		case nowhere:
			return nil, unplaced(e)
		}
	}
	if len(lookUp) == 0 {
		return out, nil
	}
	rows, err := l.table.Placed(ctx, lookUp)
	if err != nil {
		return nil, fmt.Errorf("look up leaves: %w", err)
	}
	for _, r := range rows {
		number(&out[indexes[r.Place]], r.Leaf, r.Recorded)
		delete(indexes, r.Place)
	}
	for _, i := range indexes {
		return nil, unplaced(events[i])
	}
	return out, nil
}

func number(e *eventstore.Event, leaf int64, recorded time.Time) {
	e.Leaf, e.Position, e.Recorded = leaf, eventstore.Position(leaf+1), recorded
}

func unplaced(e placed) error {
	return &ledger.AlteredError{What: fmt.Sprintf("event %d of %s is at place %d, where no leaf is", e.Revision, e.Stream, e.place)}
}
