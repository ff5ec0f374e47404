package memory

import (
	"context"
	"iter"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// ReadAll yields the events after a position up to the head of the moment.
func (l *Log) ReadAll(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Event, error] {
	head, _, err := l.head()
	return func(yield func(eventstore.Event, error) bool) {
		if err != nil {
			yield(eventstore.Event{}, err)
			return
		}
		for p := after; p < head; p++ {
			if err := ctx.Err(); err != nil {
				yield(eventstore.Event{}, err)
				return
			}
			if e := l.at(p); f.Selects(e.Stream, e.Type) && !yield(e, nil) {
				return
			}
		}
	}
}

func (l *Log) at(after eventstore.Position) eventstore.Event {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.events[after]
}

// Subscribe is ReadAll that goes on with what is appended later.
func (l *Log) Subscribe(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Item, error] {
	return func(yield func(eventstore.Item, error) bool) {
		live := false
		for {
			head, grown, err := l.head()
			if err != nil {
				yield(eventstore.Item{}, err)
				return
			}
			told := after
			for e, err := range l.ReadAll(ctx, after, f) {
				if err != nil {
					yield(eventstore.Item{}, err)
					return
				}
				told = e.Position
				if !yield(eventstore.Item{Event: &e, Mark: told, Live: live}, nil) {
					return
				}
			}
			after = max(after, head, told)
			if (!live || told < after) && !yield(eventstore.Item{Mark: after, Live: true}, nil) {
				return
			}
			live = true
			select {
			case <-grown:
			case <-ctx.Done():
				yield(eventstore.Item{}, ctx.Err())
				return
			}
		}
	}
}

// view is the log as [admission.Decide] asks about it, under the lock.
type view struct {
	*Log
	clock time.Time // replay keys expire by it, not by the time of the last event
}

func (v view) Last(s eventstore.Stream) (eventstore.Revision, error) {
	return eventstore.Revision(len(v.streams[s]) - 1), nil
}

func (v view) Written(s eventstore.Stream, r eventstore.Revision) (uuid.UUID, eventstore.Receipt, error) {
	e := v.events[v.streams[s][r]-1]
	return e.ID, receiptOf(e), nil
}

func (v view) Recent(s eventstore.Stream, id uuid.UUID) (eventstore.Receipt, bool, error) {
	p, there := v.ids[id]
	if !there || v.events[p-1].Stream != s {
		return eventstore.Receipt{}, false, nil
	}
	return receiptOf(v.events[p-1]), true, nil
}

func (v view) Used(key [32]byte) (bool, error) {
	expires, there := v.keys[key]
	return there && v.clock.Before(expires), nil
}
