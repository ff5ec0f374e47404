package sqlite

import (
	"context"
	"fmt"
	"iter"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// checkedLeaves is how many of the last leaves are hashed again at opening.
const checkedLeaves = 1000

// recover brings the writer to where the file ends.
func (w *writer) recover() error {
	ctx := context.Background()
	size, err := w.log.stored(ctx)
	if err != nil {
		return err
	}
	w.log.head.Store(uint64(size))
	for leaf, err := range w.log.tail(ctx, size) {
		if err != nil {
			return err
		}
		w.recent.add(leaf.ID, leaf.Position)
		w.last = leaf.Recorded
	}
	w.tree, err = ledger.ReadFrontier(ctx, w.log, size)
	if err != nil {
		return fmt.Errorf("right edge of the tree: %w", err)
	}
	return nil
}

// CheckTail is the check that opening for writing begins with: what is wrong
// with the last leaves, nil if nothing is.
func (l *Log) CheckTail(ctx context.Context) error {
	size, err := l.stored(ctx)
	if err != nil {
		return err
	}
	for _, err := range l.tail(ctx, size) {
		if err != nil {
			return err
		}
	}
	return nil
}

// tail yields the last leaves of a log of some size, each hashed again, and
// ends with [ledger.AlteredError] at the first that is not as it was written.
func (l *Log) tail(ctx context.Context, size int64) iter.Seq2[ledger.Leaf, error] {
	return func(yield func(ledger.Leaf, error) bool) {
		expected := max(0, size-checkedLeaves)
		var record []byte
		for leaf, err := range l.Leaves(ctx, expected, size) {
			record = ledger.AppendRecord(record[:0], l.id, leaf.Event)
			switch {
			case err != nil:
			case leaf.Leaf != expected:
				err = &ledger.AlteredError{Position: eventstore.Position(expected + 1), What: "event is missing"}
			case ledger.LeafHash(record) != leaf.Hash:
				err = &ledger.AlteredError{Position: leaf.Position, What: "event does not match its leaf hash"}
			}
			if !yield(leaf, err) || err != nil {
				return
			}
			expected++
		}
		if expected != size {
			yield(ledger.Leaf{}, &ledger.AlteredError{Position: eventstore.Position(expected + 1), What: "event is missing"})
		}
	}
}
