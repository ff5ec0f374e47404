package sqlite

import (
	"context"
	"fmt"

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
	from := max(0, size-checkedLeaves)
	expected := from
	for leaf, err := range w.log.Leaves(ctx, from, size) {
		if err != nil {
			return err
		}
		if err := w.recheck(leaf, expected); err != nil {
			return err
		}
		w.recent.add(leaf.ID, leaf.Position)
		w.last = leaf.Recorded
		expected++
	}
	if expected != size {
		return &ledger.AlteredError{Position: eventstore.Position(expected + 1), What: "event is missing"}
	}
	w.tree, err = ledger.ReadFrontier(ctx, w.log, size)
	if err != nil {
		return fmt.Errorf("right edge of the tree: %w", err)
	}
	return nil
}

func (w *writer) recheck(leaf ledger.Leaf, expected int64) error {
	if leaf.Leaf != expected {
		return &ledger.AlteredError{Position: eventstore.Position(expected + 1), What: "event is missing"}
	}
	w.record = ledger.AppendRecord(w.record[:0], w.log.id, leaf.Event)
	if ledger.LeafHash(w.record) != leaf.Hash {
		return &ledger.AlteredError{Position: leaf.Position, What: "event does not match its leaf hash"}
	}
	return nil
}
