package sqlite

import (
	"context"
	"iter"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"zombiezen.com/go/sqlite"
)

// Bounds of one page of a read, which is held in memory.
const (
	pageEvents = 256
	pageBytes  = 1 << 20
	pageRows   = 4096 // looked at, of which a filter may select few
)

const columns = "name, revision, id, type, version, recorded, position, leaf, meta, data"

// A page is a part of a read. next is where to go on.
type page struct {
	leaves []ledger.Leaf
	rows   int
	bytes  int
	next   eventstore.Position
}

func (p *page) full() bool {
	return len(p.leaves) >= pageEvents || p.bytes >= pageBytes || p.rows >= pageRows
}

// scan reads rows of columns into a page until it is full, and reports
// whether there may be more.
func (p *page) scan(q *sqlite.Stmt, f eventstore.Filter) (more bool, err error) {
	for !p.full() {
		there, err := q.Step()
		if err != nil || !there {
			return false, err
		}
		p.rows++
		p.next = eventstore.Position(q.ColumnInt64(6))
		stream, typ := eventstore.Stream(q.ColumnText(0)), q.ColumnText(3)
		if f.Selects(stream, typ) {
			leaf := scanned(q, stream, typ)
			p.bytes += len(leaf.Data) + len(leaf.Meta)
			p.leaves = append(p.leaves, leaf)
		}
	}
	return true, q.Reset()
}

func scanned(q *sqlite.Stmt, stream eventstore.Stream, typ string) (l ledger.Leaf) {
	l.Stream, l.Type = stream, typ
	l.Revision = eventstore.Revision(q.ColumnInt64(1))
	q.ColumnBytes(2, l.ID[:])
	l.Version = int(q.ColumnInt64(4))
	l.Recorded = time.Unix(0, q.ColumnInt64(5)).UTC()
	l.Position = eventstore.Position(q.ColumnInt64(6))
	l.Leaf = int64(l.Position) - 1
	q.ColumnBytes(7, l.Hash[:])
	meta, data := q.ColumnLen(8), q.ColumnLen(9)
	both := make([]byte, meta+data)
	q.ColumnBytes(8, both[:meta])
	q.ColumnBytes(9, both[meta:])
	l.Meta, l.Data = both[:meta:meta], both[meta:]
	return l
}

// read runs a cached query on a read connection into a page.
func (l *Log) read(ctx context.Context, sql string, f eventstore.Filter, args ...any) (p page, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return p, false, err
	}
	c, err := l.readers.get(ctx)
	if err != nil {
		return p, false, err
	}
	defer l.readers.put(c)
	q, err := c.Prepare(sql)
	if err != nil {
		return p, false, told(err)
	}
	for i, arg := range args {
		switch arg := arg.(type) {
		case int64:
			q.BindInt64(i+1, arg)
		case string:
			q.BindText(i+1, arg)
		}
	}
	more, err = p.scan(q, f)
	return p, more, told(err)
}

// ReadStream yields the events of a stream from a revision on.
func (l *Log) ReadStream(ctx context.Context, s eventstore.Stream, from eventstore.Revision) iter.Seq2[eventstore.Event, error] {
	const sql = "SELECT " + columns + " FROM stream CROSS JOIN event USING (sid) WHERE name = ? AND revision >= ? ORDER BY revision"
	return func(yield func(eventstore.Event, error) bool) {
		for more := true; more; {
			p, again, err := l.read(ctx, sql, eventstore.Filter{}, string(s), int64(from))
			if err != nil {
				yield(eventstore.Event{}, err)
				return
			}
			for _, leaf := range p.leaves {
				if !yield(leaf.Event, nil) {
					return
				}
				from = leaf.Revision + 1
			}
			more = again
		}
	}
}

const between = "SELECT " + columns + " FROM event CROSS JOIN stream USING (sid) WHERE position > ? AND position <= ? ORDER BY position"

// ReadAll yields the events after a position up to the head of the moment.
func (l *Log) ReadAll(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Event, error] {
	head, err := l.Head(ctx)
	return func(yield func(eventstore.Event, error) bool) {
		if err == nil {
			var few []eventstore.Position
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
	for after < head {
		p, more, err := l.read(ctx, between, f, int64(after), int64(head))
		if err != nil {
			yield(eventstore.Event{}, err)
			return
		}
		for _, leaf := range p.leaves {
			if !yield(leaf.Event, nil) {
				return
			}
		}
		if !more {
			return
		}
		after = p.next
	}
}

// Head is the position of the last event.
func (l *Log) Head(ctx context.Context) (eventstore.Position, error) {
	select {
	case <-l.closed:
		return 0, eventstore.ErrClosed
	default:
	}
	if !l.readOnly {
		return eventstore.Position(l.head.Load()), nil
	}
	size, err := l.stored(ctx)
	return eventstore.Position(size), err
}

// stored is the position of the last event in the file.
func (l *Log) stored(ctx context.Context) (position int64, err error) {
	c, err := l.readers.get(ctx)
	if err != nil {
		return 0, err
	}
	defer l.readers.put(c)
	q, err := c.Prepare("SELECT max(position) FROM event")
	if err != nil {
		return 0, told(err)
	}
	if _, err := q.Step(); err != nil {
		return 0, told(err)
	}
	position = q.ColumnInt64(0)
	return position, q.Reset()
}
