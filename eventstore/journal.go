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
	Feed  *Feed // for models in memory on a log that is not [Observable]; may be nil
}

// A Draft is what one decision adds to one stream.
type Draft struct {
	Stream Stream
	Expect Expect
	Events []any
	Once   []Once
}

// pauses are how long Commit waits before it repeats an append whose answer
// was lost, and patience bounds the whole.
var pauses = [...]time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond}

const patience = 10 * time.Second

// Commit appends drafts in order as one decision: their event ids are made
// here, once, and a lost answer is repeated identically. It returns nil if all
// is written. [ErrConflict] and [ErrReplay] mean that nothing is, on any
// engine: a refusal is compared with our own ids at those revisions first. If
// the outcome stays unknown, or an engine that is not atomic has written the
// first drafts and refuses a later one, Commit returns [ErrUnknownOutcome]: the
// caller must refuse, and must not decide afresh without reading again.
//
// It repeats even if ctx has ended meanwhile, which may be why the answer was
// lost: what was begun is not left half known.
func (j *Journal) Commit(ctx context.Context, m event.Meta, drafts ...Draft) ([]Receipt, error) {
	appends, err := j.encode(ctx, m, drafts)
	if err != nil {
		return nil, err
	}
	if j.Feed != nil {
		defer j.Feed.touched(appends)
	}
	receipts, err := j.Log.Append(ctx, appends...)
	unknown, half := errors.Is(err, ErrUnknownOutcome), isRefusal(err) && len(appends) > 1
	if !unknown && !half {
		return receipts, err
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer done()
	if half {
		return j.refused(ctx, appends, err)
	}
	return j.repeat(ctx, appends, err)
}

// repeat finds out what became of an append whose answer was lost.
func (j *Journal) repeat(ctx context.Context, appends []Append, lost error) ([]Receipt, error) {
	for _, pause := range pauses {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, lost
		}
		receipts, err := j.Log.Append(ctx, appends...)
		switch {
		case err == nil:
			return receipts, nil
		case isRefusal(err):
			return j.refused(ctx, appends, err)
		case !errors.Is(err, ErrUnknownOutcome):
			return nil, fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
		}
		lost = err
	}
	return nil, lost
}

func isRefusal(err error) bool {
	return (errors.Is(err, ErrConflict) || errors.Is(err, ErrReplay)) && !errors.Is(err, ErrUnknownOutcome)
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
