package memory

import (
	"context"
	"fmt"
	"iter"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"golang.org/x/mod/sumdb/tlog"
)

var _ ledger.Vault = (*Log)(nil)

// grow adds the leaf of e to the tree.
func (l *Log) grow(e eventstore.Event) {
	leaf := ledger.LeafHash(ledger.Record(l.id, e))
	hashes, err := tlog.StoredHashesForRecordHash(e.Leaf, leaf, tlog.HashReaderFunc(l.hashes))
	if err != nil {
		panic(fmt.Sprintf("memory: tree: %v", err)) // the tree is as large as the log
	}
	l.tree = append(l.tree, hashes...)
}

func (l *Log) hashes(indexes []int64) ([]tlog.Hash, error) {
	return hashesOf(l.tree)(indexes)
}

func hashesOf(tree []tlog.Hash) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			if index < 0 || index >= int64(len(tree)) {
				return nil, fmt.Errorf("memory: no node %d in the tree", index)
			}
			found[i] = tree[index]
		}
		return found, nil
	}
}

// Size is the number of leaves.
func (l *Log) Size(context.Context) (int64, error) {
	head, _, err := l.head()
	return int64(head), err
}

// Hashes returns stored nodes of the tree.
func (l *Log) Hashes(_ context.Context, indexes []int64) ([]tlog.Hash, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.hashes(indexes)
}

// Leaves yields events with their stored leaf hashes.
func (l *Log) Leaves(_ context.Context, from, to int64) iter.Seq2[ledger.Leaf, error] {
	return func(yield func(ledger.Leaf, error) bool) {
		for index := from; index < to; index++ {
			leaf, there := l.leaf(index)
			if !there || !yield(leaf, nil) {
				return
			}
		}
	}
}

func (l *Log) leaf(index int64) (ledger.Leaf, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if index < 0 || index >= int64(len(l.events)) {
		return ledger.Leaf{}, false
	}
	return ledger.Leaf{Event: l.events[index], Hash: l.tree[tlog.StoredHashIndex(0, index)]}, true
}

// Fork returns an empty log with the same id: what a restored copy looks like
// when all of its events are lost.
func (l *Log) Fork() *Log { return NewAs(l.id, l.now) }
