package postgres

import (
	"context"
	"iter"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/jackc/pgx/v5"
)

const streamFrom = "SELECT " + columnList + " FROM stream s JOIN event e USING (sid) WHERE s.name = $1 AND e.revision >= $2 ORDER BY e.revision LIMIT $3"

// ReadStream yields the events of a stream from a revision on.
func (l *Log) ReadStream(ctx context.Context, s eventstore.Stream, from eventstore.Revision) iter.Seq2[eventstore.Event, error] {
	return func(yield func(eventstore.Event, error) bool) {
		pages := l.pages()
		for more := true; more; {
			p, err := pages.read(ctx, streamFrom, string(s), int64(from))
			if err != nil {
				yield(eventstore.Event{}, err)
				return
			}
			for i := range p.leaves {
				if !yield(p.leaves[i].Event, nil) {
					return
				}
				from = p.leaves[i].Revision + 1
			}
			more = p.full
		}
	}
}

const eventsBetween = "SELECT " + columnList + ` FROM event e JOIN stream s USING (sid)
	WHERE e.position > $1 AND e.position <= $2 AND ($3::text[] IS NULL OR e.type = ANY($3))
	AND ($4::text[] IS NULL OR split_part(s.name, '-', 1) = ANY($4)) ORDER BY e.position LIMIT $5`

// between reads what a filter selects after a position and up to another, or
// the beginning of it; next is where to go on.
func (p *pages) between(ctx context.Context, after, to eventstore.Position, f eventstore.Filter) (got page, next eventstore.Position, err error) {
	next = min(to, after+pageWindow)
	got, err = p.read(ctx, eventsBetween, int64(after), int64(next), f.Types, f.Categories)
	if n := len(got.leaves); got.full && n > 0 {
		next = got.leaves[n-1].Position
	}
	return got, next, err
}

// ReadAll yields the events after a position up to the head of the moment.
func (l *Log) ReadAll(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Event, error] {
	head, err := l.Head(ctx)
	return func(yield func(eventstore.Event, error) bool) {
		if err == nil {
			var few []int64
			var rare bool
			if few, rare, err = l.rare(ctx, f.Categories, after, head); rare && err == nil {
				l.yieldAt(ctx, few, f, yield)
				return
			}
		}
		if err != nil {
			yield(eventstore.Event{}, err)
			return
		}
		l.yieldBetween(ctx, after, head, f, yield)
	}
}

func (l *Log) yieldBetween(ctx context.Context, after, head eventstore.Position, f eventstore.Filter, yield func(eventstore.Event, error) bool) {
	pages := l.pages()
	for after < head {
		p, next, err := pages.between(ctx, after, head, f)
		if err != nil {
			yield(eventstore.Event{}, err)
			return
		}
		for i := range p.leaves {
			if !yield(p.leaves[i].Event, nil) {
				return
			}
		}
		after = next
	}
}

// Head is the position of the last event, whichever node wrote it.
func (l *Log) Head(ctx context.Context) (head eventstore.Position, err error) {
	err = l.reach(ctx, func(ctx context.Context, c *pgx.Conn) error {
		return c.QueryRow(ctx, "SELECT size FROM head").Scan(&head)
	})
	return head, err
}
