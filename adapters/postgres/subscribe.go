package postgres

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// How long a node waits before it tries again to reach a database.
const (
	firstWait   = 50 * time.Millisecond
	longestWait = 2 * time.Second
)

// company is how long a subscription rests at most before it reads again, and a
// node before it tells others again that there is something to read: on a busy
// log one query then brings many events, and on a quiet one nobody waits.
const company = 100 * time.Millisecond

// rest is how long a subscription waits from one read to the next, given how
// many events that brought. Only where many come is it worth to wait for more.
func rest(events eventstore.Position) time.Duration {
	const each = company / 10
	return each * time.Duration(min(events, 10))
}

// Subscribe is ReadAll that goes on with what is appended later, on whichever
// node. While the database cannot be reached it waits.
func (l *Log) Subscribe(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Item, error] {
	return func(yield func(eventstore.Item, error) bool) {
		either, done := context.WithCancel(ctx)
		defer done()
		defer context.AfterFunc(l.ended, done)()
		s := subscription{pages: l.pages(), after: after, filter: f}
		if s.run(either, yield) == errStopped {
			return
		}
		err := l.isOpen()
		if err == nil {
			err = ctx.Err()
		}
		yield(eventstore.Item{}, err)
	}
}

type subscription struct {
	*pages
	after  eventstore.Position
	filter eventstore.Filter
	begun  bool // the head was asked for
	live   bool
}

var errStopped = errors.New("the consumer wants no more")

// run yields items until ctx ends or the consumer wants no more.
func (s *subscription) run(ctx context.Context, yield func(eventstore.Item, error) bool) error {
	for wait := firstWait; ctx.Err() == nil; {
		grown, began, before := s.seen.grown(), time.Now(), s.after
		err := s.step(ctx, yield)
		switch {
		case err == errStopped:
			return err
		case err != nil:
			pause(ctx, wait)
			wait = min(2*wait, longestWait)
			continue
		}
		wait = firstWait
		select {
		case <-grown:
			pause(ctx, rest(s.after-before)-time.Since(began))
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

func (s *subscription) step(ctx context.Context, yield func(eventstore.Item, error) bool) error {
	if !s.begun {
		head, err := s.Head(ctx)
		if err != nil {
			return err
		}
		s.seen.reached(head)
		s.begun = true
	}
	return s.catchUp(ctx, s.seen.position(), yield)
}

// catchUp yields what is after the subscription's position up to head, and a
// mark where a filter left out the end of a range.
func (s *subscription) catchUp(ctx context.Context, head eventstore.Position, yield func(eventstore.Item, error) bool) error {
	for s.after < head {
		p, next, err := s.lately(ctx, head)
		if err != nil {
			return err
		}
		for i := range p.leaves {
			s.after = p.leaves[i].Position
			if !yield(eventstore.Item{Event: &p.leaves[i].Event, Mark: s.after, Live: s.live}, nil) {
				return errStopped
			}
		}
		if s.after < next {
			s.after = next
			s.live = s.live || next == head
			if !yield(eventstore.Item{Mark: next, Live: s.live}, nil) {
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
