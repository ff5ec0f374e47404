package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/chirograph/chirograph/domain/event"

	"github.com/google/uuid"
)

// A Journal is a log that speaks in events rather than bytes.
type Journal struct {
	Log   Log
	Codec *Codec
}

// A Draft is what one decision adds to one stream.
type Draft struct {
	Stream Stream
	Expect Expect
	Events []any
	Once   []Once
}

// repeats bounds how often an append whose answer was lost is repeated, and
// patience for how long.
const (
	repeats  = 4
	patience = 10 * time.Second
)

// Commit appends drafts in order as one decision: their event ids are made
// here, once, and a lost answer is repeated identically. After a lost answer
// a conflict with our own ids means that we had succeeded. If the outcome
// stays unknown Commit returns [ErrUnknownOutcome] and the caller must refuse.
// It repeats even if ctx has ended meanwhile, which may be why the answer was
// lost: what was begun is not left half known.
func (j *Journal) Commit(ctx context.Context, m event.Meta, drafts ...Draft) ([]Receipt, error) {
	appends, err := j.encode(ctx, m, drafts)
	if err != nil {
		return nil, err
	}
	receipts, err := j.Log.Append(ctx, appends...)
	if !errors.Is(err, ErrUnknownOutcome) {
		return receipts, err
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer done()
	for range repeats {
		receipts, err = j.Log.Append(ctx, appends...)
		switch {
		case err == nil:
			return receipts, nil
		case errors.Is(err, ErrConflict), errors.Is(err, ErrReplay):
			if ours, found := j.already(ctx, appends); found {
				return ours, nil
			}
			return nil, err
		case !errors.Is(err, ErrUnknownOutcome):
			return nil, fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
		}
	}
	return nil, err
}

func (j *Journal) encode(ctx context.Context, m event.Meta, drafts []Draft) ([]Append, error) {
	appends := make([]Append, len(drafts))
	for i, d := range drafts {
		a := Append{Stream: d.Stream, Expect: d.Expect, Once: d.Once, Events: make([]Proposed, len(d.Events))}
		for k, e := range d.Events {
			id, err := uuid.NewV7()
			if err != nil {
				return nil, err
			}
			if a.Events[k], err = j.Codec.Encode(ctx, d.Stream, id, e, m); err != nil {
				return nil, err
			}
		}
		appends[i] = a
	}
	return appends, nil
}

// already reports whether every event of appends is in the log under its id.
func (j *Journal) already(ctx context.Context, appends []Append) ([]Receipt, bool) {
	receipts := make([]Receipt, len(appends))
	for i, a := range appends {
		if len(a.Events) == 0 {
			continue
		}
		want := map[uuid.UUID]bool{}
		for _, e := range a.Events {
			want[e.ID] = true
		}
		from, demanded := a.Expect.Revision()
		if !demanded {
			from = NoRevision
		}
		for e, err := range j.Log.ReadStream(ctx, a.Stream, from+1) {
			if err != nil {
				return nil, false
			}
			if want[e.ID] {
				delete(want, e.ID)
				receipts[i] = Receipt{e.Revision, e.Position, e.Leaf}
			}
		}
		if len(want) > 0 {
			return nil, false
		}
	}
	return receipts, true
}

// Read yields the events of a stream, decoded.
func (j *Journal) Read(ctx context.Context, s Stream) iter.Seq2[Decoded, error] {
	return j.decoded(ctx, j.Log.ReadStream(ctx, s, 0))
}

// ReadAll yields the events after a position in commit order, decoded.
func (j *Journal) ReadAll(ctx context.Context, after Position, f Filter) iter.Seq2[Decoded, error] {
	return j.decoded(ctx, j.Log.ReadAll(ctx, after, f))
}

func (j *Journal) decoded(ctx context.Context, events iter.Seq2[Event, error]) iter.Seq2[Decoded, error] {
	return func(yield func(Decoded, error) bool) {
		for e, err := range events {
			var d Decoded
			if err == nil {
				d, err = j.Codec.Decode(ctx, e)
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}
