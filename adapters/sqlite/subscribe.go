package sqlite

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// pollEvery is how often a read-only log looks for what a server has written.
const pollEvery = 200 * time.Millisecond

// Subscribe is ReadAll that goes on with what is appended later.
func (l *Log) Subscribe(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Item, error] {
	return func(yield func(eventstore.Item, error) bool) {
		s := subscription{Log: l, after: after, filter: f}
		for {
			grown := l.grown.wait()
			head, err := l.Head(ctx)
			if err == nil {
				err = s.catchUp(ctx, head, yield)
			}
			if err == nil {
				err = l.await(ctx, grown)
			}
			if err != nil {
				if err != errStopped {
					yield(eventstore.Item{}, err)
				}
				return
			}
		}
	}
}

// await returns when the log may have grown.
func (l *Log) await(ctx context.Context, grown <-chan struct{}) error {
	var poll <-chan time.Time
	if l.readOnly {
		timer := time.NewTimer(pollEvery)
		defer timer.Stop()
		poll = timer.C
	}
	select {
	case <-grown:
	case <-poll:
	case <-ctx.Done():
		return ctx.Err()
	case <-l.closed:
		return eventstore.ErrClosed
	}
	return nil
}

type subscription struct {
	*Log
	after  eventstore.Position
	filter eventstore.Filter
	live   bool
}

var errStopped = errors.New("the consumer wants no more")

// catchUp yields what is after the subscription's position up to head, and a
// mark where a filter left out the end of a range.
func (s *subscription) catchUp(ctx context.Context, head eventstore.Position, yield func(eventstore.Item, error) bool) error {
	for s.after < head {
		leaves, end, err := s.lately(ctx, head)
		if err != nil {
			return err
		}
		for _, leaf := range leaves {
			s.after = leaf.Position
			if !yield(eventstore.Item{Event: &leaf.Event, Mark: s.after, Live: s.live}, nil) {
				return errStopped
			}
		}
		if s.after < end {
			s.after = end
			atHead := s.live || end == head
			s.live = atHead
			if !yield(eventstore.Item{Mark: end, Live: atHead}, nil) {
				return errStopped
			}
		}
	}
	if s.live {
		return nil
	}
	s.live = true
	if !yield(eventstore.Item{Mark: s.after, Live: true}, nil) {
		return errStopped
	}
	return nil
}
