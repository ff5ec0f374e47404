package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// MaxAppendBytes is how much one append to one stream may be, framing
// included: what the server takes by default.
const MaxAppendBytes = 1 << 20

// Append writes appends in order and stops at the first that is refused. If
// it had written something by then, what it refused for is still told as it is;
// anything else that stops it is [eventstore.ErrUnknownOutcome].
func (l *Log) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	if err := errors.Join(eventstore.Check(appends...), l.names.check(appends)); err != nil {
		return nil, err
	}
	if err := errors.Join(l.usable(ctx), l.Halted()); err != nil {
		return nil, err
	}
	w := appending{Log: l, appends: appends, batches: make([]batch, len(appends))}
	if err := w.prepare(); err != nil {
		return nil, err
	}
	err := w.run(ctx)
	if refused(err) && w.repeatable() {
		if done, found := w.done(ctx); found {
			return done, nil
		}
	}
	return w.end(ctx, err)
}

func refused(err error) bool {
	return errors.Is(err, eventstore.ErrConflict) || errors.Is(err, eventstore.ErrReplay)
}

// appending is one call of Append.
type appending struct {
	*Log
	appends  []eventstore.Append
	batches  []batch // of each append, their revisions not set where none is demanded
	claim    claim
	receipts []eventstore.Receipt
	written  int // appends with events
	failed   *eventstore.Append
}

// prepare gives every event the form in which it is sent.
func (w *appending) prepare() error {
	recorded := w.stamp()
	for i, a := range w.appends {
		b := batch{stream: w.of(a.Stream), events: make([]esdb.EventData, len(a.Events))}
		b.after, _ = a.Expect.Revision()
		for k, p := range a.Events {
			b.events[k] = proposed(p, recorded)
		}
		if n := size(b.events); n > MaxAppendBytes {
			return fmt.Errorf("%w: %d bytes for %s", eventstore.ErrTooLarge, n, a.Stream)
		}
		if err := distinct(a.Events); err != nil {
			return err
		}
		w.batches[i] = b
	}
	var err error
	w.claim, err = newClaim(w.appends, w.now())
	return err
}

// distinct refuses one id twice in a batch, which confuses the server.
func distinct(events []eventstore.Proposed) error {
	if len(events) < 2 {
		return nil
	}
	seen := make(map[uuid.UUID]bool, len(events))
	for _, e := range events {
		if seen[e.ID] {
			return fmt.Errorf("%w: event id %s twice", eventstore.ErrInvalid, e.ID)
		}
		seen[e.ID] = true
	}
	return nil
}

func (w *appending) run(ctx context.Context) error {
	if err := w.keys.take(ctx, w.claim); err != nil {
		return err
	}
	for i := range w.appends {
		a := &w.appends[i]
		receipt, err := w.one(ctx, a, w.batches[i])
		if err != nil {
			w.failed = a
			return err
		}
		w.receipts = append(w.receipts, receipt)
		if len(a.Events) > 0 {
			w.written++
		}
	}
	return nil
}

// one writes or checks one append.
func (w *appending) one(ctx context.Context, a *eventstore.Append, b batch) (eventstore.Receipt, error) {
	_, demanded := a.Expect.Revision()
	switch {
	case len(a.Events) == 0:
		have, err := w.lastOf(ctx, b.stream)
		if err == nil && !a.Expect.Holds(have) {
			err = &eventstore.Conflict{Stream: a.Stream, Want: a.Expect, Have: have}
		}
		return eventstore.Receipt{Revision: have, Leaf: -1}, err
	case !demanded:
		last, err := w.putAnywhere(ctx, b)
		return receipt(last), err
	}
	last, err := w.put(ctx, b)
	if errors.Is(err, eventstore.ErrConflict) {
		return eventstore.Receipt{}, w.conflict(ctx, a, b)
	}
	if want := b.after + eventstore.Revision(len(b.events)); err == nil && last != want {
		err = fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, w.misnumbered(b.stream, want, last))
	}
	return receipt(last), err
}

func receipt(last eventstore.Revision) eventstore.Receipt {
	return eventstore.Receipt{Revision: last, Position: eventstore.Unnumbered, Leaf: -1}
}

// conflict says where the stream is. That it is not where it was expected is
// certain even if this cannot be found out.
func (w *appending) conflict(ctx context.Context, a *eventstore.Append, b batch) error {
	have, err := w.lastOf(ctx, b.stream)
	if err != nil {
		w.log.Debug("revision after a conflict is unknown", "err", err)
	}
	return &eventstore.Conflict{Stream: a.Stream, Want: a.Expect, Have: have}
}

// repeatable reports whether a refused call can be one that was written before.
// The server knows the events of a repeat; checks and keys it does not.
func (w *appending) repeatable() bool {
	return (w.failed == nil || len(w.failed.Events) == 0) &&
		slices.ContainsFunc(w.appends, func(a eventstore.Append) bool { return len(a.Events) > 0 })
}

// done returns the receipts of a call of which every event is there already.
func (w *appending) done(ctx context.Context) ([]eventstore.Receipt, bool) {
	receipts := make([]eventstore.Receipt, len(w.appends))
	for i, a := range w.appends {
		b := w.batches[i]
		last, found, err := b.after+eventstore.Revision(len(b.events)), true, error(nil)
		switch _, demanded := a.Expect.Revision(); {
		case len(b.events) == 0:
			last, err = w.lastOf(ctx, b.stream)
			receipts[i] = eventstore.Receipt{Revision: last, Leaf: -1}
		case demanded:
			found, err = w.holds(ctx, b)
			receipts[i] = receipt(last)
		default:
			_, last, found, err = w.search(ctx, b)
			receipts[i] = receipt(last)
		}
		if err != nil || !found {
			return nil, false
		}
	}
	return receipts, true
}

// end gives back the keys of a call that was refused before anything was
// written, and tells what became of it.
func (w *appending) end(ctx context.Context, err error) ([]eventstore.Receipt, error) {
	switch {
	case err == nil:
		return w.receipts, nil
	case errors.Is(err, eventstore.ErrUnknownOutcome):
	case w.written == 0:
		w.keys.release(ctx, w.claim)
	case !refused(err):
		err = fmt.Errorf("%w: %d of %d appends are written: %w", eventstore.ErrUnknownOutcome, w.written, len(w.appends), err)
	}
	return nil, err
}
