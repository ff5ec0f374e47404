package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/chirograph/chirograph/eventstore/ledger"

	"golang.org/x/mod/sumdb/tlog"
)

// A Table numbers the leaves of a log in memory, for tests. The zero Table is
// empty and ready.
type Table struct {
	kept

	mu      sync.RWMutex
	rows    []ledger.Row
	places  map[uint64]int64
	tree    []tlog.Hash // by stored index
	claimed ledger.Claim
}

var _ ledger.Table = (*Table)(nil)

// Tail is the row of the last leaf.
func (t *Table) Tail(context.Context) (ledger.Row, bool, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if len(t.rows) == 0 {
		return ledger.Row{}, false, nil
	}
	return t.rows[len(t.rows)-1], true, nil
}

// Rows returns the rows of some leaves.
func (t *Table) Rows(_ context.Context, from, to int64) ([]ledger.Row, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	size := int64(len(t.rows))
	from, to = min(max(from, 0), size), min(to, size)
	if from >= to {
		return nil, nil
	}
	return slices.Clone(t.rows[from:to]), nil
}

// Placed returns the rows of some places.
func (t *Table) Placed(_ context.Context, places []uint64) (rows []ledger.Row, _ error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, place := range places {
		if leaf, there := t.places[place]; there {
			rows = append(rows, t.rows[leaf])
		}
	}
	return rows, nil
}

// Extend adds rows. Which nodes they complete it knows itself; those it is
// given must be the same.
func (t *Table) Extend(_ context.Context, rows []ledger.Row, nodes []ledger.Node) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(rows) > 0 && rows[0].Leaf != int64(len(t.rows)) {
		return ledger.ErrDeposed
	}
	tree := t.tree // what is beyond its end is not seen if we fail
	last := ledger.Row{Leaf: -1}
	if n := len(t.rows); n > 0 {
		last = t.rows[n-1]
	}
	for _, r := range rows {
		if r.Leaf != last.Leaf+1 || r.Leaf > 0 && r.Place <= last.Place || r.Recorded.Before(last.Recorded) {
			return fmt.Errorf("memory: row %+v after %+v", r, last)
		}
		hashes, err := tlog.StoredHashesForRecordHash(r.Leaf, r.Hash, hashesOf(tree))
		if err != nil {
			return err
		}
		tree, last = append(tree, hashes...), r
	}
	for _, n := range nodes {
		h, err := hashesOf(tree).ReadHashes([]int64{tlog.StoredHashIndex(n.Level, n.N)})
		if err != nil || h[0] != n.Hash {
			return fmt.Errorf("memory: node %d at level %d is not that of the leaves", n.N, n.Level)
		}
	}
	if t.places == nil {
		t.places = map[uint64]int64{}
	}
	for _, r := range rows {
		t.places[r.Place] = r.Leaf
	}
	t.rows, t.tree = append(t.rows, rows...), tree
	return nil
}

// Hashes returns nodes of the tree.
func (t *Table) Hashes(_ context.Context, indexes []int64) ([]tlog.Hash, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return hashesOf(t.tree)(indexes)
}

// Claimed returns the last claim.
func (t *Table) Claimed(context.Context) (ledger.Claim, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.claimed, nil
}

// Claim replaces the last claim, if it is the one that the caller knows.
func (t *Table) Claim(_ context.Context, from, to ledger.Claim) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.claimed != from {
		return ledger.ErrDeposed
	}
	t.claimed = to
	return nil
}
