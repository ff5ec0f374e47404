package postgres

import (
	"context"
	"slices"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/jackc/pgx/v5"
)

// Up to these bounds the events of a filter's categories are found by the
// names of their streams instead of looking at the whole log.
const (
	rareStreams = 1000
	rareEvents  = 20_000
)

// rare returns the positions of all events of some categories, in order, or
// false if they are not rare.
func (l *Log) rare(ctx context.Context, categories []string, after, head eventstore.Position) (found []int64, ok bool, err error) {
	if len(categories) == 0 {
		return nil, false, nil
	}
	err = l.reach(ctx, func(ctx context.Context, c *pgx.Conn) error {
		var sids []int64
		for _, category := range categories {
			of, err := numbers(ctx, c, "SELECT sid FROM stream WHERE name >= $1 AND name < $2 LIMIT $3",
				category+"-", category+".", rareStreams+1-len(sids)) // the character after the dash
			if sids = append(sids, of...); err != nil || len(sids) > rareStreams {
				return err
			}
		}
		found, err = numbers(ctx, c, "SELECT position FROM event WHERE sid = ANY($1) LIMIT $2", sids, rareEvents+1)
		ok = len(found) <= rareEvents
		return err
	})
	if err != nil || !ok {
		return nil, false, err
	}
	slices.Sort(found)
	found = slices.Compact(found) // a category may be named twice
	from, _ := slices.BinarySearch(found, int64(after)+1)
	to, _ := slices.BinarySearch(found, int64(head)+1)
	return found[from:max(from, to)], true, nil
}

func numbers(ctx context.Context, c *pgx.Conn, sql string, args ...any) ([]int64, error) {
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

const eventsAt = "SELECT " + columnList + " FROM event e JOIN stream s USING (sid) WHERE e.position = ANY($1) ORDER BY e.position LIMIT $2"

// yieldAt yields the events at positions that a filter selects.
func (l *Log) yieldAt(ctx context.Context, positions []int64, f eventstore.Filter, yield func(eventstore.Event, error) bool) {
	pages := l.pages()
	for len(positions) > 0 {
		p, err := pages.read(ctx, eventsAt, positions[:min(len(positions), pages.rows)])
		if err != nil {
			yield(eventstore.Event{}, err)
			return
		}
		if len(p.leaves) == 0 {
			return
		}
		for i := range p.leaves {
			e := &p.leaves[i].Event
			if f.Selects(e.Stream, e.Type) && !yield(*e, nil) {
				return
			}
		}
		next, _ := slices.BinarySearch(positions, p.leaves[len(p.leaves)-1].Leaf+2)
		positions = positions[next:]
	}
}
