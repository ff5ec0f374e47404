package memory

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

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
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(l.tree)) {
			return nil, fmt.Errorf("memory: no node %d in the tree", index)
		}
		found[i] = l.tree[index]
	}
	return found, nil
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

// NewestCheckpoint returns the note of the highest epoch and size.
func (l *Log) NewestCheckpoint(context.Context) ([]byte, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if len(l.notes) == 0 {
		return nil, nil
	}
	return l.notes[len(l.notes)-1].text, nil
}

type note struct {
	epoch, size int64
	text        []byte
}

// KeepCheckpoint keeps a signed note.
func (l *Log) KeepCheckpoint(_ context.Context, epoch, size int64, text []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := note{epoch, size, slices.Clone(text)}
	order := func(n, m note) int { return cmp.Or(cmp.Compare(n.epoch, m.epoch), cmp.Compare(n.size, m.size)) }
	at, there := slices.BinarySearchFunc(l.notes, kept, order)
	if there {
		l.notes = slices.Delete(slices.Clone(l.notes), at, at+1)
	}
	l.notes = slices.Insert(slices.Clone(l.notes), at, kept)
	return nil
}

// Checkpoints yields the notes that were kept.
func (l *Log) Checkpoints(context.Context) iter.Seq2[[]byte, error] {
	l.mu.RLock()
	notes := l.notes
	l.mu.RUnlock()
	return func(yield func([]byte, error) bool) {
		for _, n := range notes {
			if !yield(n.text, nil) {
				return
			}
		}
	}
}

// Fork returns an empty log with the same id: what a restored copy looks like
// when all of its events are lost.
func (l *Log) Fork() *Log {
	fork := New(l.now)
	fork.id = l.id
	return fork
}
