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
	ctx, done := context.WithTimeout(ctx, l.patience) // waiting for others included
	defer done()
	w := appending{Log: l, appends: appends, batches: make([]batch, len(appends))}
	if err := w.prepare(); err != nil {
		return nil, err
	}
	err := w.run(ctx)
	if refused(err) && w.doubtful() {
		done, found, failure := w.done(ctx)
		switch {
		case failure != nil:
			return nil, fmt.Errorf("%w: %v, and whether it was written before: %v", eventstore.ErrUnknownOutcome, err, failure)
		case found:
			return done, nil
		}
	}
	return w.end(ctx, unreached(err))
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
	written  int  // appends with events
	repeat   bool // whether some keys were taken already by a call like this
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
	var err error
	if w.repeat, err = w.keys.take(ctx, w.claim); err != nil {
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

// doubtful reports whether a refused call may be one that was written before.
// The server knows the events of a repeat; checks and keys it does not. Before
// the keys of a repeat are given back it is asked even so.
func (w *appending) doubtful() bool {
	return (w.failed == nil || len(w.failed.Events) == 0 || w.repeat) &&
		slices.ContainsFunc(w.appends, func(a eventstore.Append) bool { return len(a.Events) > 0 })
}

// done returns the receipts of a call of which every event is there already.
// It counts what is written.
func (w *appending) done(ctx context.Context) ([]eventstore.Receipt, bool, error) {
	receipts := make([]eventstore.Receipt, len(w.appends))
	w.written = 0
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
			return nil, false, err
		}
		if len(b.events) > 0 { // and those after it may be missing
			w.written++
		}
	}
	return receipts, true, nil
}

// certain reports whether a refusal of this call means that none of its events
// is written, nor will be: it has just taken its keys, so that no call before
// it can have got further; or its first events were refused, and are not there.
func (w *appending) certain(err error) bool {
	return refused(err) && w.written == 0 && (!w.repeat || w.failed != nil && len(w.failed.Events) > 0)
}

// end gives back the keys of a call if it is certain that nothing of it is
// written, and tells what became of it. Otherwise they stay taken, and a repeat
// of the call finds that they are its own.
func (w *appending) end(ctx context.Context, err error) ([]eventstore.Receipt, error) {
	switch {
	case err == nil:
		return w.receipts, nil
	case errors.Is(err, eventstore.ErrUnknownOutcome):
	case w.certain(err):
		w.keys.release(ctx, w.claim)
	case w.written > 0 && !refused(err):
		err = fmt.Errorf("%w: %d of %d appends are written: %v", eventstore.ErrUnknownOutcome, w.written, len(w.appends), err)
	}
	return nil, err
}
