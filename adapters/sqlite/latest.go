package sqlite

import (
	"context"

	"github.com/chirograph/chirograph/adapters/internal/latest"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// lately returns a part of what is after the subscription's position, and where
// it ends. What is near the head is read once for all subscriptions.
func (s *subscription) lately(ctx context.Context, head eventstore.Position) (leaves []ledger.Leaf, end eventstore.Position, err error) {
	if s.live && head-s.after <= latest.Near {
		last, there, err := s.latest.Span(ctx, s.after, head, s.readOn)
		if err == nil && there {
			return latest.Selected(last, s.filter), head, nil
		}
	}
	p, more, err := s.read(ctx, between, s.filter, int64(s.after), int64(head))
	if !more {
		p.next = head
	}
	return p.leaves, p.next, err
}

// readOn reads the events after a position and up to another, but no more than
// are kept.
func (l *Log) readOn(ctx context.Context, after, to eventstore.Position) (leaves []ledger.Leaf, err error) {
	for more, bytes := true, 0; more && bytes <= latest.MostBytes; {
		var p page
		if p, more, err = l.read(ctx, between, eventstore.Filter{}, int64(after), int64(to)); err != nil {
			return nil, err
		}
		leaves, after, bytes = append(leaves, p.leaves...), p.next, bytes+latest.Bytes(p.leaves)
	}
	return leaves, nil
}
