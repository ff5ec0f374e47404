package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// Bounds of one page of a read, which is held in memory.
const (
	streamPage = 256
	allPage    = 1000
	pageBytes  = 4 << 20
)

// A page is what one call has read.
type page struct {
	events []*esdb.RecordedEvent
	more   bool
}

// drain reads a stream of the client to its end, or until there is enough.
func drain(r *esdb.ReadStream, count int) (p page, err error) {
	defer r.Close()
	bytes := 0
	for len(p.events) < count {
		if bytes >= pageBytes && len(p.events) > 1 { // the first may be known already
			return page{p.events, true}, nil
		}
		e, err := r.Recv()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return p, err
		}
		recorded := e.OriginalEvent()
		if recorded == nil {
			return p, errors.New("eventstoredb: a message without an event")
		}
		p.events = append(p.events, recorded)
		bytes += len(recorded.Data) + len(recorded.UserMetadata)
	}
	return page{p.events, true}, nil
}

// readStream reads a page of a stream. One that does not exist is empty.
func (l *Log) readStream(ctx context.Context, name string, o esdb.ReadStreamOptions, count int) (page, error) {
	p, err := persist(ctx, l, func(ctx context.Context, c *esdb.Client) (page, error) {
		r, err := c.ReadStream(ctx, name, o, uint64(count))
		if err != nil {
			return page{}, err
		}
		return drain(r, count)
	})
	switch {
	case classify(err) == notFound:
		return page{}, nil
	case has(err, esdb.ErrorCodeStreamDeleted):
		return page{}, &ledger.AlteredError{What: fmt.Sprintf("stream %.300s was deleted", name), Err: err}
	case err != nil:
		return page{}, fmt.Errorf("read %.300s: %w", name, err)
	}
	return p, nil
}

// readAll reads a page of all streams.
func (l *Log) readAll(ctx context.Context, o esdb.ReadAllOptions, count int) (page, error) {
	p, err := persist(ctx, l, func(ctx context.Context, c *esdb.Client) (page, error) {
		r, err := c.ReadAll(ctx, o, uint64(count))
		if err != nil {
			return page{}, err
		}
		return drain(r, count)
	})
	if err != nil {
		return page{}, fmt.Errorf("read all events: %w", err)
	}
	return p, nil
}

// at is the position in all streams of an event at a place.
func at(place uint64) esdb.Position { return esdb.Position{Commit: place, Prepare: place} }

// oneTry is how long one call may take: patience is enough for several.
func (l *Log) oneTry() time.Duration { return l.patience / 4 }

// reading is how long a read may take: whoever waits for it needs some time for
// what follows.
func (l *Log) reading() time.Duration { return l.patience / 2 }

// unreached is an error of something that was not done: [eventstore.ErrUnavailable]
// if there was no time left to do it.
func unreached(err error) error {
	known := errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, eventstore.ErrUnknownOutcome) || refused(err)
	if known || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
}

const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// persist repeats a read while the server does not answer it, for as long as
// the log has patience; [eventstore.ErrUnavailable] after that.
func persist[T any](ctx context.Context, l *Log, read func(context.Context, *esdb.Client) (T, error)) (value T, err error) {
	if err := l.usable(ctx); err != nil {
		return value, err
	}
	patience, done := context.WithTimeout(ctx, l.reading())
	defer done()
	stop := context.AfterFunc(l.ctx, done)
	defer stop()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		try, end := context.WithTimeout(patience, l.oneTry())
		value, err = call(try, l.clients, read)
		end()
		if v := classify(err); v != again && v != ambiguous {
			return value, err
		}
		if !sleep(patience, pause) {
			if gone := l.usable(ctx); gone != nil {
				return value, unreached(gone)
			}
			return value, fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
		}
	}
}

// sleep reports whether ctx lasted through a pause.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// lastOf returns the last revision of a stream.
func (l *Log) lastOf(ctx context.Context, name string) (eventstore.Revision, error) {
	p, err := l.readStream(ctx, name, esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}, 1)
	if err != nil || len(p.events) == 0 {
		return eventstore.NoRevision, err
	}
	return eventstore.Revision(p.events[0].EventNumber), nil
}
