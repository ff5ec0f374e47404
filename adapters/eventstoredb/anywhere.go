package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// An append that takes any revision is sent with the one the stream has, and
// again when somebody else was faster. So its repeats cannot be told by the
// server: its events are looked for among the last ones of the stream. No clock
// says which these are: that of a writer may be wrong, and ours may be set.
const maxSearch = 512

var laneSeed = maphash.MakeSeed()

// putAnywhere appends a batch to the end of its stream. Those of one node
// queue, so that they do not get in each other's way.
func (l *Log) putAnywhere(ctx context.Context, b batch) (eventstore.Revision, error) {
	lane := l.lanes[maphash.String(laneSeed, b.stream)%uint64(len(l.lanes))]
	select {
	case lane <- struct{}{}:
		defer func() { <-lane }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for {
		head, last, found, err := l.search(ctx, b)
		if err != nil || found {
			return last, err
		}
		b.after = head
		last, err = l.put(ctx, b)
		if !errors.Is(err, eventstore.ErrConflict) {
			if want := head + eventstore.Revision(len(b.events)); err == nil && last != want {
				err = fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, l.misnumbered(b.stream, want, last))
			}
			return last, err
		}
	}
}

// search returns the last revision of the stream of b, and that of the last of
// its events if all of them are among the last there.
func (l *Log) search(ctx context.Context, b batch) (head, last eventstore.Revision, found bool, err error) {
	head, last = eventstore.NoRevision, eventstore.NoRevision
	missing := make([]uuid.UUID, len(b.events))
	for i, e := range b.events {
		missing[i] = e.EventID
	}
	from := esdb.StreamPosition(esdb.End{})
	for seen, count := 0, 4; seen < maxSearch; count *= 4 {
		p, err := l.readStream(ctx, b.stream, esdb.ReadStreamOptions{Direction: esdb.Backwards, From: from}, count)
		if err != nil {
			return head, last, false, err
		}
		for _, r := range p.events {
			at := eventstore.Revision(r.EventNumber)
			head = max(head, at)
			if i := slices.Index(missing, r.EventID); i >= 0 {
				missing, last = slices.Delete(missing, i, i+1), max(last, at)
			}
			if len(missing) == 0 || at == 0 {
				return head, last, len(missing) == 0, nil
			}
			seen, from = seen+1, esdb.Revision(r.EventNumber-1)
		}
		if !p.more {
			break
		}
	}
	return head, last, false, nil
}
