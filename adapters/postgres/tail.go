package postgres

import (
	"context"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// checkedLeaves is how many of the last leaves are hashed again at opening.
const checkedLeaves = 1000

// CheckTail is the check that opening for writing begins with: what is wrong
// with the last leaves, nil if nothing is.
func (l *Log) CheckTail(ctx context.Context) error {
	size, err := l.Size(ctx)
	if err != nil {
		return err
	}
	expected := max(0, size-checkedLeaves)
	var record []byte
	for leaf, err := range l.Leaves(ctx, expected, size) {
		if err != nil {
			return err
		}
		record = ledger.AppendRecord(record[:0], l.id, leaf.Event)
		switch {
		case leaf.Leaf != expected:
			return &ledger.AlteredError{Position: eventstore.Position(expected + 1), What: "event is missing"}
		case ledger.LeafHash(record) != leaf.Hash:
			return &ledger.AlteredError{Position: leaf.Position, What: "event does not match its leaf hash"}
		}
		expected++
	}
	if expected != size {
		return &ledger.AlteredError{Position: eventstore.Position(expected + 1), What: "event is missing"}
	}
	return nil
}
