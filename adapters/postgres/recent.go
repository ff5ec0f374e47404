package postgres

import (
	"context"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// Bounds of what is kept of the last events.
const (
	recentLeaves = 1024
	recentBytes  = 4 << 20
)

// recent are the last events without a gap. All subscriptions of a node come
// for them at about the same time, and one query brings them for all.
type recent struct {
	turn   chan struct{} // held while leaves is looked at or read on
	leaves []ledger.Leaf // elements are never changed, so that parts of it can be given out
	bytes  int
}

func newRecent() *recent { return &recent{turn: make(chan struct{}, 1)} }

// lately is between for a subscription that is near the head.
func (s *subscription) lately(ctx context.Context, to eventstore.Position) (page, eventstore.Position, error) {
	if !s.live || to-s.after > recentLeaves/2 {
		return s.between(ctx, s.after, to, s.filter)
	}
	leaves, there, err := s.recent.span(ctx, s.after, to, s.readOn)
	if err != nil || !there {
		return s.between(ctx, s.after, to, s.filter)
	}
	var selected page
	for _, leaf := range leaves {
		if s.filter.Selects(leaf.Stream, leaf.Type) {
			selected.leaves = append(selected.leaves, leaf)
		}
	}
	return selected, to, nil
}

// readOn reads all events after a position and up to another.
func (l *Log) readOn(ctx context.Context, after, to eventstore.Position) (leaves []ledger.Leaf, err error) {
	pages := &pages{l, pageRows}
	for after < to {
		p, next, err := pages.between(ctx, after, to, eventstore.Filter{})
		if err != nil {
			return nil, err
		}
		leaves, after = append(leaves, p.leaves...), next
	}
	return leaves, nil
}

// span returns the events after a position and up to another, if they are
// among the last ones.
func (r *recent) span(ctx context.Context, after, to eventstore.Position,
	readOn func(ctx context.Context, after, to eventstore.Position) ([]ledger.Leaf, error)) ([]ledger.Leaf, bool, error) {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	defer func() { <-r.turn }()
	last := r.last()
	if last < after || to > last+recentLeaves {
		r.leaves, r.bytes, last = nil, 0, after
	}
	if last < to {
		more, err := readOn(ctx, last, to)
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

func (r *recent) last() eventstore.Position {
	if len(r.leaves) == 0 {
		return 0
	}
	return r.leaves[len(r.leaves)-1].Position
}

// add appends events and lets old ones go.
func (r *recent) add(more []ledger.Leaf) {
	r.leaves = append(r.leaves, more...)
	for _, leaf := range more {
		r.bytes += weight(leaf)
	}
	old := 0
	for len(r.leaves)-old > recentLeaves || r.bytes > recentBytes {
		r.bytes -= weight(r.leaves[old])
		old++
	}
	if old > 0 { // anew, so that what was given out keeps its own and the rest is let go
		r.leaves = append(make([]ledger.Leaf, 0, len(r.leaves)-old+recentLeaves/4), r.leaves[old:]...)
	}
}

func weight(l ledger.Leaf) int { return len(l.Data) + len(l.Meta) + len(l.Stream) + len(l.Type) }
