package postgres

import (
	"context"

	"github.com/chirograph/chirograph/adapters/internal/latest"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// lately is between for a subscription that is near the head.
func (s *subscription) lately(ctx context.Context, to eventstore.Position) (page, eventstore.Position, error) {
	if !s.live || to-s.after > latest.Near {
		return s.between(ctx, s.after, to, s.filter)
	}
	leaves, there, err := s.latest.Span(ctx, s.after, to, s.readOn)
	if err != nil || !there {
		return s.between(ctx, s.after, to, s.filter)
	}
	return page{leaves: latest.Selected(leaves, s.filter)}, to, nil
}

// readOn reads the events after a position and up to another, but no more than
// are kept.
func (l *Log) readOn(ctx context.Context, after, to eventstore.Position) (leaves []ledger.Leaf, err error) {
	pages, bytes := &pages{l, pageRows}, 0
	for after < to && bytes <= latest.MostBytes {
		p, next, err := pages.between(ctx, after, to, eventstore.Filter{})
		if err != nil {
			return nil, err
		}
		leaves, after, bytes = append(leaves, p.leaves...), next, bytes+latest.Bytes(p.leaves)
	}
	return leaves, nil
}
