package copying

import (
	"context"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// Bounds of what is imported at once.
const (
	batchEvents = 512
	batchBytes  = 1 << 20
)

// resume returns how many events the target has already.
func (p Plan) resume(ctx context.Context, size int64) (done int64, err error) {
	head, err := p.To.Head(ctx)
	if err != nil {
		return 0, fmt.Errorf("copying: target: %w", err)
	}
	done = int64(head)
	if done == 0 {
		return 0, nil
	}
	if done > size {
		return 0, fmt.Errorf("%w: it has %d events, the source %d", ErrOther, done, size)
	}
	if err := p.sameLast(ctx, head); err != nil {
		return 0, err
	}
	if err := p.numbered(ctx, done); err != nil {
		return 0, err
	}
	return done, p.sameRoot(ctx, done, fmt.Errorf("%w in its first %d events", ErrOther, done))
}

// sameLast demands that the last event of the target is what the source has
// there, by its id and the hash of what is stored.
func (p Plan) sameLast(ctx context.Context, at eventstore.Position) error {
	for theirs, err := range p.To.ReadAll(ctx, at-1, eventstore.Filter{}) {
		if err != nil {
			return fmt.Errorf("copying: target: %w", err)
		}
		for ours, err := range p.From.Leaves(ctx, int64(at)-1, int64(at)) {
			if err != nil {
				return fmt.Errorf("copying: source: %w", err)
			}
			if theirs.Position == at && theirs.ID == ours.ID && ledger.LeafHash(ledger.Record(p.To.ID(), theirs)) == ours.Hash {
				return nil
			}
		}
		break
	}
	return fmt.Errorf("%w at position %d", ErrOther, at)
}

// events copies the leaves from <= index < to.
func (p Plan) events(ctx context.Context, from, to int64) error {
	b := batch{Plan: p, done: from, to: to}
	for leaf, err := range p.From.Leaves(ctx, from, to) {
		if err != nil {
			return fmt.Errorf("copying: source: %w", err)
		}
		if err := b.add(ctx, leaf); err != nil {
			return err
		}
	}
	if err := b.write(ctx); err != nil {
		return err
	}
	if b.done < to {
		return missing(b.done)
	}
	return nil
}

// A batch is what is imported next.
type batch struct {
	Plan
	done, to int64
	events   []eventstore.Event
	bytes    int
	record   []byte
}

// add takes the next leaf, if it is what was written.
func (b *batch) add(ctx context.Context, leaf ledger.Leaf) error {
	next := b.done + int64(len(b.events))
	b.record = ledger.AppendRecord(b.record[:0], b.From.ID(), leaf.Event)
	switch {
	case leaf.Leaf != next:
		return missing(next)
	case ledger.LeafHash(b.record) != leaf.Hash:
		return &ledger.AlteredError{Position: leaf.Position, What: fmt.Sprintf("event %d of %s in the source does not match its leaf hash", leaf.Revision, leaf.Stream)}
	}
	b.events, b.bytes = append(b.events, leaf.Event), b.bytes+len(b.record)
	if len(b.events) < batchEvents && b.bytes < batchBytes {
		return nil
	}
	return b.write(ctx)
}

func (b *batch) write(ctx context.Context) error {
	if len(b.events) == 0 {
		return nil
	}
	if err := b.To.Import(ctx, b.events); err != nil {
		return fmt.Errorf("copying: target: %w", err)
	}
	b.done += int64(len(b.events))
	b.events, b.bytes = nil, 0
	if b.Progress == nil {
		return nil
	}
	return b.Progress(b.done, b.to)
}

func missing(leaf int64) error {
	return &ledger.AlteredError{Position: eventstore.Position(leaf + 1), What: "event is missing in the source"}
}

// How often a target that numbers its events later is asked how far it is, and
// how long it may stand still.
const (
	askEvery  = 50 * time.Millisecond
	standsFor = time.Minute
)

// numbered waits until the tree of the target has a size.
func (p Plan) numbered(ctx context.Context, size int64) error {
	last, since := int64(-1), time.Now()
	for {
		have, err := p.To.Size(ctx)
		if err != nil {
			return fmt.Errorf("copying: target: %w", err)
		}
		switch {
		case have >= size:
			return nil
		case have > last:
			last, since = have, time.Now()
		case time.Since(since) > standsFor:
			return fmt.Errorf("copying: the target has numbered %d of %d events and does not go on", have, size)
		}
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
