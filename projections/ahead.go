package projections

import (
	"context"
	"fmt"
	"iter"
	"runtime"

	"github.com/chirograph/chirograph/eventstore"
)

// portion is how many events one worker decodes in a row.
const portion = 128

// A sheaf is a part of the log that is decoded beside others.
type sheaf struct {
	events  []eventstore.Event
	decoded []eventstore.Decoded
	err     error
	done    chan struct{}
}

func (s *sheaf) decode(ctx context.Context, c *eventstore.Codec) {
	defer close(s.done)
	defer func() {
		if r := recover(); r != nil {
			s.err = fmt.Errorf("decode: %v", r)
		}
	}()
	s.decoded = make([]eventstore.Decoded, len(s.events))
	for i, e := range s.events {
		if s.decoded[i], s.err = c.Decode(ctx, e); s.err != nil {
			return
		}
	}
}

// ahead yields the events after a position, up to another, in commit order,
// while those that follow are read and decoded.
func ahead(ctx context.Context, j *eventstore.Journal, after, upTo eventstore.Position, f eventstore.Filter) iter.Seq2[[]eventstore.Decoded, error] {
	return func(yield func([]eventstore.Decoded, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		workers := runtime.GOMAXPROCS(0)
		work, inOrder := make(chan *sheaf, workers), make(chan *sheaf, 2*workers)
		for range workers {
			go func() {
				for s := range work {
					s.decode(ctx, j.Codec)
				}
			}()
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			defer close(work)
			defer close(inOrder)
			sheaves(ctx, j.Log, after, upTo, f, work, inOrder)
		}()
		defer func() { stop(); <-ended }() // nobody reads the log after this has returned
		for s := range inOrder {
			<-s.done
			if !yield(s.decoded, s.err) || s.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// sheaves reads the log and hands each part to a worker and, in order, to who
// waits for them.
func sheaves(ctx context.Context, log eventstore.Log, after, upTo eventstore.Position, f eventstore.Filter, work, inOrder chan<- *sheaf) {
	send := func(to chan<- *sheaf, s *sheaf) bool {
		select {
		case to <- s:
			return true
		case <-ctx.Done():
			return false
		}
	}
	hand := func(s *sheaf) bool { return send(work, s) && send(inOrder, s) }
	s := &sheaf{done: make(chan struct{})}
	for e, err := range log.ReadAll(ctx, after, f) {
		if err != nil {
			over := &sheaf{err: err, done: make(chan struct{})}
			close(over.done)
			_ = hand(s) && send(inOrder, over)
			return
		}
		if e.Position > upTo {
			break
		}
		if s.events = append(s.events, e); len(s.events) == portion {
			if !hand(s) {
				return
			}
			s = &sheaf{done: make(chan struct{})}
		}
	}
	if len(s.events) > 0 {
		hand(s)
	}
}
