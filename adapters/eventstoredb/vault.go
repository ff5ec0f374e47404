package eventstoredb

import (
	"context"
	"errors"
	"iter"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"golang.org/x/mod/sumdb/tlog"
)

// Size is the number of leaves that the table has. There may be more events.
func (l *Log) Size(ctx context.Context) (int64, error) {
	tail, found, err := l.table.Tail(ctx)
	if err != nil || !found {
		return 0, err
	}
	return tail.Leaf + 1, nil
}

// Hashes returns nodes of the tree.
func (l *Log) Hashes(ctx context.Context, indexes []int64) ([]tlog.Hash, error) {
	return l.table.Hashes(ctx, indexes)
}

// leavesPage is how many leaves are read at once.
const leavesPage = 512

// Leaves yields the events at the places of the table, with the hashes that
// it has of them.
func (l *Log) Leaves(ctx context.Context, from, to int64) iter.Seq2[ledger.Leaf, error] {
	return func(yield func(ledger.Leaf, error) bool) {
		for from < to {
			rows, err := l.table.Rows(ctx, from, min(from+leavesPage, to))
			if err == nil && len(rows) > 0 {
				err = l.matchRows(ctx, rows, func(leaf ledger.Leaf) error {
					if !yield(leaf, nil) {
						return errStopped
					}
					return nil
				})
			}
			if err != nil && !errors.Is(err, errStopped) {
				yield(ledger.Leaf{}, err)
			}
			if err != nil || len(rows) == 0 {
				return
			}
			from = rows[len(rows)-1].Leaf + 1
		}
	}
}

// matchRows pairs rows with the events at their places. A row without an event
// is left out; an event without a row, where there must be one, is an
// [ledger.AlteredError].
func (l *Log) matchRows(ctx context.Context, rows []ledger.Row, see func(ledger.Leaf) error) error {
	c := cursor{Log: l, from: l.origin}
	if first := rows[0]; first.Leaf > 0 {
		before, err := l.table.Rows(ctx, first.Leaf-1, first.Leaf)
		if err != nil {
			return err
		}
		if len(before) != 1 {
			return &ledger.AlteredError{Position: eventstore.Position(first.Leaf), What: "leaf is missing in the table"}
		}
		c.from = before[0].Place
	}
	for more := true; more && len(rows) > 0; {
		var events []placed
		var err error
		if events, more, err = c.next(ctx); err != nil {
			return err
		}
		for _, e := range events {
			for len(rows) > 0 && rows[0].Place < e.place {
				rows = rows[1:]
			}
			if len(rows) == 0 {
				break
			}
			if rows[0].Place != e.place {
				return &ledger.AlteredError{Position: eventstore.Position(rows[0].Leaf + 1), What: "an event has no leaf"}
			}
			number(&e.Event, rows[0].Leaf, rows[0].Recorded)
			if err := see(ledger.Leaf{Event: e.Event, Hash: rows[0].Hash}); err != nil {
				return err
			}
			rows = rows[1:]
		}
	}
	return nil
}

// Checkpoints, and what was claimed, are kept beside the table.

func (l *Log) Checkpoints(ctx context.Context) iter.Seq2[[]byte, error] {
	return l.table.Checkpoints(ctx)
}

func (l *Log) NewestCheckpoint(ctx context.Context) ([]byte, error) {
	return l.table.NewestCheckpoint(ctx)
}

func (l *Log) KeepCheckpoint(ctx context.Context, epoch, size int64, note []byte) error {
	return l.table.KeepCheckpoint(ctx, epoch, size, note)
}

func (l *Log) Claimed(ctx context.Context) (ledger.Claim, error) { return l.table.Claimed(ctx) }

func (l *Log) Claim(ctx context.Context, from, to ledger.Claim) error {
	return l.table.Claim(ctx, from, to)
}
