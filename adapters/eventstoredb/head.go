package eventstoredb

import (
	"context"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// Head is the position of the last event. It asks the server which that is,
// and waits until this node has numbered it; [eventstore.ErrUnavailable] if that
// takes too long.
func (l *Log) Head(ctx context.Context) (eventstore.Position, error) {
	ctx, done := context.WithTimeout(ctx, l.reading())
	defer done()
	head, err := l.numberedHead(ctx)
	return head, unreached(err)
}

// numberedHead is Head for those who have as much time as it takes.
func (l *Log) numberedHead(ctx context.Context) (eventstore.Position, error) {
	if err := l.usable(ctx); err != nil {
		return 0, err
	}
	_, last, _ := l.index.head()
	place, err := l.end(ctx, last)
	if err != nil {
		return 0, err
	}
	return l.await(ctx, place)
}

// end is the place of the last event that the server has. It reads backwards
// over what is not the log's, and no further than to a floor, which is the place
// of an event that it had: if that is not there any more, end is below it.
func (l *Log) end(ctx context.Context, floor uint64) (uint64, error) {
	floor = max(floor, l.origin)
	from := esdb.AllPosition(esdb.End{})
	for count := 8; ; count = min(4*count, allPage) {
		p, err := l.readAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: from}, count)
		if err != nil {
			return 0, err
		}
		for _, r := range p.events {
			if l.ours(r) {
				return r.Position.Commit, nil
			}
			if r.Position.Commit < floor {
				return 0, nil
			}
			from = r.Position
		}
		if !p.more {
			return 0, nil
		}
	}
}
