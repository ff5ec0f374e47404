package eventstoredb

import (
	"context"
	"fmt"
	"sort"

	"github.com/chirograph/chirograph/eventstore/ledger"
)

// checkedTail is how many of the last leaves are hashed again when a log is
// opened.
const checkedTail = 1000

// checkTail compares the last leaves of the table with the events at their
// places. [ledger.RollbackError] if the server has not all of them, as a copy
// of it from before has; [ledger.AlteredError] if it has others, or the table
// is that of another log: a leaf names its log.
func (l *Log) checkTail(ctx context.Context) error {
	tail, found, err := l.table.Tail(ctx)
	if err != nil || !found {
		return err
	}
	size := tail.Leaf + 1
	rows, err := l.table.Rows(ctx, max(0, size-checkedTail), size)
	if err != nil {
		return err
	}
	if missing, err := l.missing(ctx, tail); err != nil || missing {
		if err == nil {
			err = l.rolledBack(ctx, size)
		}
		return err
	}
	return l.matchRows(ctx, rows, func(leaf ledger.Leaf) error {
		if ledger.LeafHash(ledger.Record(l.id, leaf.Event)) != leaf.Hash {
			return &ledger.AlteredError{Position: leaf.Position, What: "the event does not match its leaf hash, or is of another log than the table"}
		}
		return nil
	})
}

// missing reports whether the last event of the log is before that of the
// table.
func (l *Log) missing(ctx context.Context, tail ledger.Row) (bool, error) {
	place, err := l.end(ctx, tail.Place)
	return place < tail.Place, err
}

// rolledBack says how many of the table's leaves the server has.
func (l *Log) rolledBack(ctx context.Context, size int64) error {
	last, err := l.end(ctx, 0)
	if err != nil {
		return err
	}
	have := sort.Search(int(size), func(leaf int) bool {
		rows, failure := l.table.Rows(ctx, int64(leaf), int64(leaf)+1)
		if failure != nil || len(rows) != 1 {
			err = fmt.Errorf("look up leaf %d: %w", leaf, failure)
			return true
		}
		return rows[0].Place > last
	})
	if err != nil {
		return err
	}
	return &ledger.RollbackError{Have: int64(have), Want: size, Where: "the table of leaves"}
}
