// Package latest keeps the last events of a log in memory. All subscriptions of
// a node come for them at about the same time, and one query brings them for all.
package latest

import (
	"context"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// Bounds of what is kept. Old events are let go some at a time, because those
// that stay are copied.
const (
	mostLeaves = 1024
	spare      = mostLeaves / 4
)

// MostBytes is how much is kept. Whoever reads more at once may stop there.
const MostBytes = 4 << 20

// Near is how many events behind the head a subscription may be to be served
// from what is kept.
const Near = mostLeaves / 2

// Leaves are the last events without a gap. They are safe for concurrent use.
type Leaves struct {
	turn   chan struct{} // held while leaves is looked at or read on
	leaves []ledger.Leaf // elements are never changed, so that parts of it can be given out
	bytes  int
}

// New returns Leaves that keep nothing yet.
func New() *Leaves { return &Leaves{turn: make(chan struct{}, 1)} }

// Read returns the events after a position and up to another, or the first of
// them if all are more than [MostBytes].
type Read func(ctx context.Context, after, to eventstore.Position) ([]ledger.Leaf, error)

// Span returns the events after a position and up to another, if they are among
// the last ones. What is not kept yet is read. Nobody may change them.
func (r *Leaves) Span(ctx context.Context, after, to eventstore.Position, read Read) (span []ledger.Leaf, there bool, err error) {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	defer func() { <-r.turn }()
	last := r.last()
	if last < after {
		r.leaves, r.bytes, last = nil, 0, after
	}
	if last < to {
		more, err := read(ctx, last, to)
		if err != nil {
			return nil, false, err
		}
		r.add(more)
	}
	if len(r.leaves) == 0 || r.leaves[0].Position > after+1 || r.last() < to {
		return nil, false, nil
	}
	first := r.leaves[0].Position
	return r.leaves[after+1-first : to+1-first : to+1-first], true, nil
}

func (r *Leaves) last() eventstore.Position {
	if len(r.leaves) == 0 {
		return 0
	}
	return r.leaves[len(r.leaves)-1].Position
}

// add appends events and lets old ones go.
func (r *Leaves) add(more []ledger.Leaf) {
	r.leaves = append(r.leaves, more...)
	r.bytes += Bytes(more)
	if len(r.leaves) <= mostLeaves+spare && r.bytes <= MostBytes {
		return
	}
	old := 0
	for len(r.leaves)-old > mostLeaves || r.bytes > MostBytes {
		r.bytes -= Bytes(r.leaves[old : old+1])
		old++
	}
	// Anew, so that what was given out keeps its own and the rest is let go.
	r.leaves = append(make([]ledger.Leaf, 0, len(r.leaves)-old+spare), r.leaves[old:]...)
}

// Selected returns those of a span that a filter selects.
func Selected(span []ledger.Leaf, f eventstore.Filter) (few []ledger.Leaf) {
	for _, leaf := range span {
		if f.Selects(leaf.Stream, leaf.Type) {
			few = append(few, leaf)
		}
	}
	return few
}

// Bytes is how much events count for.
func Bytes(all []ledger.Leaf) (n int) {
	for i := range all {
		n += len(all[i].Data) + len(all[i].Meta) + len(all[i].Stream) + len(all[i].Type)
	}
	return n
}
