package sqlite

import (
	"context"
	"fmt"
	"iter"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"golang.org/x/mod/sumdb/tlog"
	"zombiezen.com/go/sqlite"
)

// Size is the number of leaves: as many as events, always.
func (l *Log) Size(ctx context.Context) (int64, error) {
	head, err := l.Head(ctx)
	return int64(head), err
}

// Leaves yields events with their stored leaf hashes.
func (l *Log) Leaves(ctx context.Context, from, to int64) iter.Seq2[ledger.Leaf, error] {
	return func(yield func(ledger.Leaf, error) bool) {
		for more := from < to; more; {
			p, again, err := l.read(ctx, between, eventstore.Filter{}, from, to)
			if err != nil {
				yield(ledger.Leaf{}, err)
				return
			}
			for _, leaf := range p.leaves {
				if !yield(leaf, nil) {
					return
				}
			}
			from, more = int64(p.next), again
		}
	}
}

// Hashes returns nodes of the tree. Leaves and every eighth level above them
// are stored; what is between is computed from at most 128 of those.
func (l *Log) Hashes(ctx context.Context, indexes []int64) ([]tlog.Hash, error) {
	c, err := l.readers.get(ctx)
	if err != nil {
		return nil, err
	}
	defer l.readers.put(c)
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if hashes[i], err = nodeHash(c, index); err != nil {
			return nil, told(err)
		}
	}
	return hashes, nil
}

func nodeHash(c *sqlite.Conn, index int64) (tlog.Hash, error) {
	level, n := tlog.SplitStoredHashIndex(index)
	width := int64(1) << (level % 8)
	row, err := storedRow(c, level/8, n*width, width)
	if err != nil {
		return tlog.Hash{}, err
	}
	if int64(len(row)) != width {
		return tlog.Hash{}, fmt.Errorf("sqlite: %d of %d hashes at level %d of the tree", len(row), width, level/8*8)
	}
	for len(row) > 1 {
		for i := range len(row) / 2 {
			row[i] = tlog.NodeHash(row[2*i], row[2*i+1])
		}
		row = row[:len(row)/2]
	}
	return row[0], nil
}

// storedRow reads hashes that stand side by side in the tree.
func storedRow(c *sqlite.Conn, level int, n, width int64) (row []tlog.Hash, err error) {
	sql := "SELECT hash FROM node WHERE n >= ? AND n < ? AND level = ? ORDER BY n"
	if level == 0 {
		sql = "SELECT leaf FROM event WHERE position > ? AND position <= ? ORDER BY position"
	}
	q, err := c.Prepare(sql)
	if err != nil {
		return nil, err
	}
	q.BindInt64(1, n)
	q.BindInt64(2, n+width)
	if level > 0 {
		q.BindInt64(3, int64(level))
	}
	for {
		there, err := q.Step()
		if err != nil || !there {
			return row, err
		}
		var h tlog.Hash
		q.ColumnBytes(0, h[:])
		row = append(row, h)
	}
}
