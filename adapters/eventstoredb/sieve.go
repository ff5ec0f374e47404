package eventstoredb

import (
	"context"
	"errors"
	"sort"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// A sieve reads the events of some categories only: the server leaves out the
// rest, and tells now and then how far it has looked. So a category costs what
// is in it, not what is in the log.
type sieve struct {
	*Log
	prefixes []string
	after    eventstore.Position // everything up to here was yielded
	to       eventstore.Position
	seen     uint64 // place up to which the server has looked
	end      uint64 // place of the event at to
	marked   time.Time
	yield    func(events []placed, end eventstore.Position) bool
}

var (
	errSifted = errors.New("eventstoredb: everything was looked at")
	errRests  = errors.New("eventstoredb: the server has looked as far as it will")
	errTable  = errors.New("eventstoredb: the numbers of events cannot be looked up")
)

// selected yields the events after a position up to one that the index has
// reached, in pieces, each with the position that is reached by it. It leaves
// out some that the filter does not want, but not all.
func (l *Log) selected(ctx context.Context, after, to eventstore.Position, f eventstore.Filter, yield func([]placed, eventstore.Position) bool) error {
	if len(f.Categories) > 0 && to > after && to-after > 2*l.near {
		var err error
		after, err = l.sift(ctx, after, to-l.near, f.Categories, yield)
		if errors.Is(err, errStopped) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return l.span(ctx, after, to, func(events []placed) bool {
		return yield(events, events[len(events)-1].Position)
	})
}

// sift yields the events of categories after a position, and returns the one
// that it has reached. That may be before the other: what the sieve did not
// get through must be read without it.
func (l *Log) sift(ctx context.Context, after, to eventstore.Position, categories []string, yield func([]placed, eventstore.Position) bool) (eventstore.Position, error) {
	s := sieve{Log: l, after: after, to: to, seen: l.origin, marked: time.Now(), yield: yield}
	for _, c := range categories {
		s.prefixes = append(s.prefixes, l.of(eventstore.Stream(c+"-")))
	}
	end, err := l.row(ctx, int64(to)-1)
	if err == nil && after > 0 {
		var begin row
		begin, err = l.row(ctx, int64(after)-1)
		s.seen = begin.place
	}
	if err != nil {
		return after, err
	}
	s.end = end.place
	return s.run(ctx)
}

// run sifts until everything was looked at. If the server says nothing any
// more, however often it is asked, the rest is left to whoever reads without a
// sieve.
func (s *sieve) run(ctx context.Context) (eventstore.Position, error) {
	for pause, last := firstPause, time.Now(); ; pause = min(2*pause, lastPause) {
		before := s.seen
		err := s.subscribe(ctx)
		altered := (*ledger.AlteredError)(nil)
		switch gone := s.usable(ctx); {
		case errors.Is(err, errSifted):
			return s.to, nil
		case errors.Is(err, errStopped), errors.As(err, &altered), errors.Is(err, errTable):
			return s.after, err
		case gone != nil:
			return s.after, gone
		case errors.Is(err, errRests):
			return s.reached(ctx)
		case s.seen > before:
			pause, last = firstPause, time.Now()
		case errors.Is(err, errMute), time.Since(last) > s.reading():
			return s.reached(ctx)
		}
		s.log.Debug("reading of categories begins anew", "after", err)
		sleep(ctx, pause)
	}
}

// subscribe follows one subscription until it has brought everything.
func (s *sieve) subscribe(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	waiting, done := context.WithTimeout(ctx, s.oneTry())
	defer done()
	c, err := s.clients.lease(waiting)
	if err != nil {
		return err
	}
	window := int(s.near / 2) // so that the server looks past the end before it rests
	o := esdb.SubscribeToAllOptions{
		From: at(s.seen), MaxSearchWindow: window, CheckpointInterval: 1,
		Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: s.prefixes},
	}
	messages, ended := make(chan *esdb.SubscriptionEvent, 256), make(chan error, 1)
	go func() {
		err := guarded(func() error { return receive(ctx, c.Client, o, messages) })
		s.clients.release(c, err)
		ended <- err
	}()
	for {
		silence := time.NewTimer(s.reading())
		select {
		case m := <-messages:
			err = s.take(ctx, m, messages)
		case err = <-ended:
			err = s.rest(ctx, messages, err)
		case <-silence.C:
			err = errMute
		case <-c.gone:
			err = errRetired
		case <-s.ctx.Done():
			err = eventstore.ErrClosed
		case <-ctx.Done():
			err = ctx.Err()
		}
		if silence.Stop(); err != nil {
			return err
		}
	}
}

// rest takes what came before the subscription ended.
func (s *sieve) rest(ctx context.Context, messages <-chan *esdb.SubscriptionEvent, why error) error {
	for len(messages) > 0 {
		if err := s.take(ctx, <-messages, messages); err != nil {
			return err
		}
	}
	return why
}

// take yields the events of a message and those that wait behind it.
func (s *sieve) take(ctx context.Context, m *esdb.SubscriptionEvent, messages <-chan *esdb.SubscriptionEvent) error {
	var events []placed
	seen, rests := s.seen, false
	for waiting := len(messages); ; waiting-- {
		if r := m.EventAppeared; r != nil && r.OriginalEvent() != nil {
			event := r.OriginalEvent()
			place := event.Position.Commit
			if place > seen && place <= s.end && s.ours(event) {
				e, err := s.event(event)
				if err != nil {
					return err
				}
				events = append(events, placed{e, place})
			}
			seen = max(seen, place)
		}
		if m.CheckPointReached != nil {
			seen = max(seen, m.CheckPointReached.Commit)
		}
		rests = rests || m.CaughtUp != nil
		if waiting == 0 {
			break
		}
		m = <-messages
	}
	if err := s.pass(ctx, events); err != nil {
		return err
	}
	s.seen = seen
	switch {
	case s.seen >= s.end:
		return errSifted
	case rests:
		return errRests
	}
	return s.mark(ctx)
}

// pass yields events with their numbers.
func (s *sieve) pass(ctx context.Context, events []placed) error {
	if len(events) == 0 {
		return nil
	}
	numbered, err := s.numbered(ctx, events)
	if err != nil {
		return errors.Join(errTable, err)
	}
	for i := range events {
		events[i].Event = numbered[i]
	}
	s.after, s.marked = events[len(events)-1].Position, time.Now()
	if !s.yield(events, s.after) {
		return errStopped
	}
	return nil
}

// markEvery is how often it is told how far a sieve has come that lets nothing
// through.
const markEvery = time.Second

func (s *sieve) mark(ctx context.Context) error {
	if time.Since(s.marked) < markEvery {
		return nil
	}
	s.marked = time.Now()
	before := s.after
	if _, err := s.reached(ctx); err != nil {
		return errors.Join(errTable, err)
	}
	if s.after > before && !s.yield(nil, s.after) {
		return errStopped
	}
	return nil
}

// reached is the position of the last event that the server has looked at.
func (s *sieve) reached(ctx context.Context) (eventstore.Position, error) {
	var err error
	n := sort.Search(int(s.to-s.after), func(i int) bool {
		r, failure := s.row(ctx, int64(s.after)+int64(i))
		if failure != nil {
			err = failure
		}
		return failure != nil || r.place > s.seen
	})
	if err != nil {
		return s.after, err
	}
	s.after += eventstore.Position(n)
	return s.after, nil
}
