package postgres

import (
	"context"
	"fmt"
	"iter"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"
)

// Size is the number of leaves: as many as events, always.
func (l *Log) Size(ctx context.Context) (int64, error) {
	head, err := l.Head(ctx)
	return int64(head), err
}

// Leaves yields events with their stored leaf hashes.
func (l *Log) Leaves(ctx context.Context, from, to int64) iter.Seq2[ledger.Leaf, error] {
	return func(yield func(ledger.Leaf, error) bool) {
		pages := l.pages()
		for after, end := eventstore.Position(max(0, from)), eventstore.Position(max(0, to)); after < end; {
			p, next, err := pages.between(ctx, after, end, eventstore.Filter{})
			if err != nil {
				yield(ledger.Leaf{}, err)
				return
			}
			for _, leaf := range p.leaves {
				if !yield(leaf, nil) {
					return
				}
			}
			after = next
		}
	}
}

const (
	eventHashes = "SELECT leaf FROM event WHERE position > $1 AND position <= $2 AND $3 = 0 ORDER BY position"
	nodeHashes  = "SELECT hash FROM node WHERE n >= $1 AND n < $2 AND level = $3 ORDER BY n"
)

// Hashes returns nodes of the tree. Leaves and every eighth level above them
// are stored; what is between is computed from at most 128 of those.
func (l *Log) Hashes(ctx context.Context, indexes []int64) (hashes []tlog.Hash, err error) {
	err = l.reach(ctx, func(ctx context.Context, c *pgx.Conn) (err error) {
		hashes, err = treeHashes(ctx, c, eventHashes, indexes)
		return err
	})
	return hashes, err
}

// treeHashes asks for all nodes in one round trip. The query for leaves takes
// the first and the one after the last of them, and a 0.
func treeHashes(ctx context.Context, c *pgx.Conn, leaves string, indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	b := &pgx.Batch{}
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		width := int64(1) << (level % 8)
		sql := nodeHashes
		if level < 8 {
			sql = leaves
		}
		b.Queue(sql, n*width, n*width+width, level/8).Query(func(rows pgx.Rows) error {
			row, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tlog.Hash, error) {
				return hashOf(row.RawValues()[0]), nil
			})
			if err == nil && int64(len(row)) != width {
				err = fmt.Errorf("postgres: %d of %d hashes at level %d of the tree", len(row), width, level/8*8)
			}
			if err == nil {
				hashes[i] = combined(row)
			}
			return err
		})
	}
	return hashes, c.SendBatch(ctx, b).Close()
}

// combined is the root over nodes that stand side by side.
func combined(row []tlog.Hash) tlog.Hash {
	for len(row) > 1 {
		for i := range len(row) / 2 {
			row[i] = tlog.NodeHash(row[2*i], row[2*i+1])
		}
		row = row[:len(row)/2]
	}
	return row[0]
}
