package eventstoredb

import (
	"context"
	"errors"
	"iter"

	"github.com/chirograph/chirograph/eventstore"
)

// ReadAll yields the events after a position up to the head of the moment.
func (l *Log) ReadAll(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Event, error] {
	head, err := l.Head(ctx)
	return func(yield func(eventstore.Event, error) bool) {
		stopped := false
		if err == nil {
			err = l.selected(ctx, after, head, f, func(events []placed, _ eventstore.Position) bool {
				for _, e := range events {
					if err := ctx.Err(); err != nil {
						stopped = true
						yield(eventstore.Event{}, err)
						return false
					}
					if f.Selects(e.Stream, e.Type) && !yield(e.Event, nil) {
						stopped = true
						return false
					}
				}
				return true
			})
		}
		if err != nil && !stopped {
			yield(eventstore.Event{}, err)
		}
	}
}

// Subscribe is ReadAll that goes on with what is appended later. All that
// subscribe on this node share one subscription at the server.
func (l *Log) Subscribe(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Item, error] {
	return func(yield func(eventstore.Item, error) bool) {
		s := subscription{Log: l, after: after, filter: f, yield: yield}
		head, err := l.Head(ctx)
		for err == nil {
			if err = s.catchUp(ctx, head); err == nil {
				head, err = l.more(ctx, s.after)
			}
		}
		if !errors.Is(err, errStopped) {
			yield(eventstore.Item{}, err)
		}
	}
}

var errStopped = errors.New("the consumer wants no more")

// more waits until there are events after a position.
func (l *Log) more(ctx context.Context, after eventstore.Position) (eventstore.Position, error) {
	for {
		head, _, grown := l.index.head()
		if head > after {
			return head, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-l.ctx.Done():
			return 0, eventstore.ErrClosed
		case <-l.halted:
			return 0, l.Halted()
		}
	}
}

type subscription struct {
	*Log
	after  eventstore.Position
	filter eventstore.Filter
	yield  func(eventstore.Item, error) bool
	live   bool
}

// catchUp yields what is after the subscription's position up to head, and a
// mark where a filter left out the end of a piece.
func (s *subscription) catchUp(ctx context.Context, head eventstore.Position) error {
	stopped := false
	err := s.selected(ctx, s.after, head, s.filter, func(events []placed, end eventstore.Position) bool {
		stopped = !s.pass(events, end, head)
		return !stopped && ctx.Err() == nil
	})
	switch {
	case stopped:
		return errStopped
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case !s.live:
		s.live = true
		if !s.yield(eventstore.Item{Mark: s.after, Live: true}, nil) {
			return errStopped
		}
	}
	return nil
}

func (s *subscription) pass(events []placed, end, head eventstore.Position) bool {
	for _, e := range events {
		if s.filter.Selects(e.Stream, e.Type) {
			s.after = e.Position
			if !s.yield(eventstore.Item{Event: &e.Event, Mark: s.after, Live: s.live}, nil) {
				return false
			}
		}
	}
	if s.after == end {
		return true
	}
	s.after = end
	s.live = s.live || end == head
	return s.yield(eventstore.Item{Mark: end, Live: s.live}, nil)
}
