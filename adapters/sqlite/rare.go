package sqlite

import (
	"context"
	"slices"

	"github.com/chirograph/chirograph/eventstore"

	"zombiezen.com/go/sqlite"
)

// Up to these bounds the events of a filter's categories are found by the
// names of their streams instead of looking at the whole log.
const (
	rareStreams = 1000
	rareEvents  = 20_000
)

// rare returns the positions of all events of some categories, in order, or
// false if they are not rare.
func (l *Log) rare(ctx context.Context, categories []string, after, head eventstore.Position) (found []eventstore.Position, ok bool, err error) {
	if len(categories) == 0 {
		return nil, false, nil
	}
	c, err := l.readers.get(ctx)
	if err != nil {
		return nil, false, err
	}
	defer l.readers.put(c)
	var sids []int64
	for _, category := range categories {
		of, err := numbers(c, rareStreams+1-len(sids), "SELECT sid FROM stream WHERE name >= ? AND name < ? LIMIT ?", func(q *sqlite.Stmt) {
			q.BindText(1, category+"-")
			q.BindText(2, category+".") // the character after the dash
		})
		if sids = append(sids, of...); err != nil || len(sids) > rareStreams {
			return nil, false, err
		}
	}
	for _, sid := range sids {
		of, err := numbers(c, rareEvents+1-len(found), "SELECT position FROM event WHERE sid = ? AND revision >= ? LIMIT ?", func(q *sqlite.Stmt) {
			q.BindInt64(1, sid)
			q.BindInt64(2, 0)
		})
		for _, p := range of {
			found = append(found, eventstore.Position(p))
		}
		if err != nil || len(found) > rareEvents {
			return nil, false, err
		}
	}
	slices.Sort(found)
	found = slices.Compact(found) // a category may be named twice
	from, _ := slices.BinarySearch(found, after+1)
	to, _ := slices.BinarySearch(found, head+1)
	return found[from:max(from, to)], true, nil
}

// numbers returns the first column of a cached query, whose third parameter
// is how many rows it may return.
func numbers(c *sqlite.Conn, limit int, sql string, bind func(*sqlite.Stmt)) (all []int64, err error) {
	q, err := c.Prepare(sql)
	if err != nil {
		return nil, told(err)
	}
	bind(q)
	q.BindInt64(3, int64(limit))
	for {
		there, err := q.Step()
		if err != nil || !there {
			return all, told(err)
		}
		all = append(all, q.ColumnInt64(0))
	}
}

// yieldAt yields the events at positions that a filter selects.
func (l *Log) yieldAt(ctx context.Context, positions []eventstore.Position, f eventstore.Filter, yield func(eventstore.Event, error) bool) {
	for _, at := range positions {
		p, _, err := l.read(ctx, between, f, int64(at-1), int64(at))
		if err != nil {
			yield(eventstore.Event{}, err)
			return
		}
		for _, leaf := range p.leaves {
			if !yield(leaf.Event, nil) {
				return
			}
		}
	}
}
