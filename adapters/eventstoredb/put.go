package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// A batch is what one call of the server appends, all or nothing: events that
// follow right after a revision of one stream.
type batch struct {
	stream string
	after  eventstore.Revision
	events []esdb.EventData
}

// expected is never "any": then the server would not promise that a repeat is
// written once.
func (b batch) expected() esdb.ExpectedRevision {
	if b.after == eventstore.NoRevision {
		return esdb.NoStream{}
	}
	return esdb.Revision(uint64(b.after))
}

// maxTries bounds how often a batch is sent; patience mostly ends it sooner.
const maxTries = 100

// put appends a batch and returns the last revision. An answer that leaves the
// outcome open is followed by the identical call, which the server answers like
// the first if that was done. [eventstore.ErrConflict] and every other error but
// [eventstore.ErrUnknownOutcome] mean that nothing was written.
func (l *Log) put(ctx context.Context, b batch) (eventstore.Revision, error) {
	patience, done := context.WithTimeout(ctx, l.patience)
	defer done()
	stop := context.AfterFunc(l.ctx, done)
	defer stop()
	w := writing{Log: l, batch: b}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		if last, settled, err := w.try(patience); settled {
			return last, err
		}
		if w.tries == maxTries || !sleep(patience, pause) {
			return 0, w.unsettled(ctx)
		}
	}
}

// A writing is a batch under way.
type writing struct {
	*Log
	batch
	tries   int
	unknown bool // whether a try may have been written
	last    error
}

// try sends the batch once and reports whether the outcome is settled.
func (w *writing) try(ctx context.Context) (eventstore.Revision, bool, error) {
	if w.tries++; w.unknown {
		w.metrics.AmbiguousRepeated()
	}
	try, end := context.WithTimeout(ctx, w.oneTry())
	defer end()
	b := w.batch
	result, err := call(try, w.clients, func(ctx context.Context, c *esdb.Client) (*esdb.WriteResult, error) {
		return c.AppendToStream(ctx, b.stream, esdb.AppendToStreamOptions{ExpectedRevision: b.expected()}, b.events...)
	})
	switch classify(err) {
	case fine:
		if result.CommitPosition == 0 { // an answer that the client does not know
			w.unknown, w.last = true, errors.New("eventstoredb: an answer without a position")
			return 0, false, nil
		}
		return eventstore.Revision(result.NextExpectedVersion), true, nil
	case conflict:
		settled, err := w.lost(ctx)
		return w.end(), settled, err
	case again:
		w.last = err
		return 0, false, nil
	case ambiguous:
		w.unknown, w.last = true, err
		if masked(err) {
			return w.unmask(ctx)
		}
		return 0, false, nil
	}
	w.last = err
	return 0, true, w.refused(err)
}

func (w *writing) end() eventstore.Revision {
	return w.after + eventstore.Revision(len(w.events))
}

// lost finds out what a wrong revision means after a try whose outcome was
// unknown: the events at our revisions may be ours.
func (w *writing) lost(ctx context.Context) (settled bool, err error) {
	if w.unknown {
		ours, err := w.holds(ctx, w.batch)
		if err != nil {
			w.last = err
			return false, nil
		}
		if ours {
			return true, nil
		}
	}
	return true, fmt.Errorf("%w: %.300s is not at revision %d", eventstore.ErrConflict, w.stream, w.after)
}

// holds reports whether the events of b are in its stream, where they should
// be.
func (l *Log) holds(ctx context.Context, b batch) (bool, error) {
	p, err := l.readStream(ctx, b.stream, esdb.ReadStreamOptions{From: esdb.Revision(uint64(b.after + 1))}, len(b.events))
	if err != nil || len(p.events) < len(b.events) && !p.more {
		return false, err
	}
	for i, r := range p.events {
		if r.EventID != b.events[i].EventID || r.EventNumber != uint64(b.after)+1+uint64(i) {
			return false, nil
		}
	}
	if rest := b.events[len(p.events):]; len(rest) > 0 {
		return l.holds(ctx, batch{b.stream, b.after + eventstore.Revision(len(p.events)), rest})
	}
	return true, nil
}

// unmask asks for the reason of a refusal that was lost: who may not write may
// mostly not read.
func (w *writing) unmask(ctx context.Context) (eventstore.Revision, bool, error) {
	w.metrics.RefusalMasked()
	if _, err := w.lastOf(ctx, w.stream); classify(err) == final {
		return 0, true, w.refused(err)
	}
	return 0, false, nil
}

// refused is a refusal that a repeat would meet again. If it came after a try
// whose outcome is unknown, it stays unknown.
func (w *writing) refused(why error) error {
	if w.unknown && w.tries > 1 {
		return fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, why)
	}
	return fmt.Errorf("append to %.300s: %w", w.stream, why)
}

// unsettled is what is known when there is no time left.
func (w *writing) unsettled(ctx context.Context) error {
	why, means := w.last, eventstore.ErrUnavailable
	if gone := w.usable(ctx); gone != nil && !errors.Is(gone, context.DeadlineExceeded) {
		why, means = gone, gone
	}
	if w.unknown {
		means = eventstore.ErrUnknownOutcome
	}
	return fmt.Errorf("append to %.300s: %w: %w", w.stream, means, why)
}

// misnumbered tells that the server went on in a stream elsewhere than it was
// asked to: the stream had been deleted, and kept its numbers.
func (l *Log) misnumbered(s string, want, got eventstore.Revision) error {
	return l.halt(&ledger.AlteredError{What: fmt.Sprintf("revision %d of %.300s was written where %d must be", got, s, want)})
}

// stamp is the time of an event that is written now, not before that of any
// that this node has written or seen.
func (l *Log) stamp() time.Time {
	now := max(l.now().UnixNano(), l.index.lastRecorded())
	for {
		last := l.stamped.Load()
		if now = max(now, last); l.stamped.CompareAndSwap(last, now) {
			return timeOf(now)
		}
	}
}
