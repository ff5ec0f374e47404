package standin

import (
	"context"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/status"
)

// A subscription follows $all or a stream: first what there is, then what
// comes.
type subscription struct {
	out    *output
	match  func(*record) bool
	window int // events that a page considers at most
	every  int // events considered between checkpoints; 0 without a filter

	cursor  uint64 // records before it are done with
	at      uint64 // the last event or checkpoint that the caller got
	pending int    // live events considered since the last checkpoint
}

// batchSize is how many events a server reads at once for a subscriber.
const batchSize = 32

func (n *Node) subscribe(ctx context.Context, o *streams.ReadReq_Options, out *output) error {
	out.point, out.muted = SubscriptionMessage, n.silenced()
	match, err := filter(o.GetFilter())
	if err != nil {
		return err
	}
	s := &subscription{out: out, match: match, window: batchSize}
	if f := o.GetFilter(); f != nil {
		if f.GetMax() > 0 {
			s.window = int(f.GetMax())
		}
		if s.every = s.window * int(f.GetCheckpointIntervalMultiplier()); s.every == 0 {
			return thrown
		}
	}
	past, from, refused := s.past, uint64(0), error(nil)
	if o.GetStream() != nil {
		past, err = s.ofStream(n.view(), o.GetStream())
	} else {
		from, refused = s.ofAll(n.view(), o.GetAll())
	}
	if err != nil {
		return err
	}
	s.cursor, s.at = from, from
	if err := out.send(confirmation(uuid.NewString())); err != nil {
		return err
	}
	if refused != nil {
		return refused
	}
	return s.follow(ctx, n, past)
}

// past returns what a subscriber to $all has to catch up with.
func (s *subscription) past(v view, log []*record) []*record { return after(log, s.cursor) }

// ofAll returns the position after which a subscription to $all begins. A
// wrong one is refused when the subscription has been confirmed; one that
// nobody has reached yet is none.
func (s *subscription) ofAll(v view, o *streams.ReadReq_Options_AllOptions) (uint64, error) {
	log, _ := v.log()
	end := uint64(0)
	if len(log) > 0 {
		end = log[len(log)-1].position
	}
	switch at := o.GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_End:
		return end, nil
	case *streams.ReadReq_Options_AllOptions_Position:
		from := at.Position.GetCommitPosition()
		switch {
		case from == math.MaxUint64:
			return end, nil
		case from < end && !v.valid(log, from, false):
			return 0, badSubscription
		}
		return from, nil
	}
	return 0, nil
}

// ofStream narrows a subscription to the events of one stream after a
// revision. What is hidden is so for those who catch up; what comes is shown.
func (s *subscription) ofStream(v view, o *streams.ReadReq_Options_StreamOptions) (func(view, []*record) []*record, error) {
	_, last, is := v.stream(s.out.name)
	if is == tombstoned {
		return nil, streamDeleted(s.out.name)
	}
	from := int64(-1)
	switch o.GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Revision:
		from = int64(min(o.GetRevision(), math.MaxInt64-1))
	case *streams.ReadReq_Options_StreamOptions_End:
		from = last
	}
	s.match = func(r *record) bool { return r.stream == s.out.name && r.revision > from }
	return func(v view, log []*record) []*record {
		visible, _, _ := v.stream(s.out.name)
		return visible[:search(visible, end(log))]
	}, nil
}

// follow sends what there is and what comes, until the caller goes.
func (s *subscription) follow(ctx context.Context, n *Node, past func(view, []*record) []*record) error {
	v := n.view()
	log, grown := v.log()
	if records := past(v, log); len(records) > 0 {
		if err := s.catchUp(records); err != nil {
			return err
		}
	}
	s.cursor = max(s.cursor, lastPosition(log))
	if n.cluster.options.CaughtUp {
		if err := s.out.send(caughtUp); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-grown:
		}
		log, grown = n.view().log()
		if err := s.live(after(log, s.cursor)); err != nil {
			return err
		}
	}
}

// live sends events as they come, and a checkpoint after as many as were
// agreed upon.
func (s *subscription) live(records []*record) error {
	for _, r := range records {
		s.cursor = r.position
		if s.match(r) {
			if err := s.event(r); err != nil {
				return err
			}
		}
		if s.pending++; s.every > 0 && s.pending >= s.every {
			s.pending, s.at = 0, r.position
			if err := s.checkpoint(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *subscription) event(r *record) error {
	if err := s.out.event(r); err != nil {
		return err
	}
	s.at = r.position
	if r.revision == deleted && s.out.name == r.stream {
		return streamDeleted(r.stream)
	}
	return nil
}

// after returns the records behind a position.
func after(log []*record, position uint64) []*record {
	i := search(log, position)
	if i < len(log) && log[i].position == position {
		i++
	}
	return log[i:]
}

// lastPosition returns that of the last record, 0 without one.
func lastPosition(log []*record) uint64 {
	if len(log) == 0 {
		return 0
	}
	return log[len(log)-1].position
}

// end returns where the next record will begin.
func end(log []*record) uint64 {
	if len(log) == 0 {
		return 0
	}
	return log[len(log)-1].end
}
