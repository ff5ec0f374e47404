package ledger

import (
	"context"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// A Frontier is the right edge of a tree: the roots of its largest complete
// subtrees, from left to right. It is all that appending needs. The zero
// Frontier is the empty tree.
type Frontier struct {
	size int64
	edge []tlog.Hash
}

// Size is the number of leaves.
func (f *Frontier) Size() int64 { return f.size }

// Append adds a leaf. Each subtree that it completes is reported with its
// level and number, the leaf itself at level 0 first.
func (f *Frontier) Append(leaf tlog.Hash, completed func(level int, n int64, h tlog.Hash)) {
	index := f.size
	f.size++
	f.edge = append(f.edge, leaf)
	completed(0, index, leaf)
	for level := 1; level <= bits.TrailingZeros64(uint64(f.size)); level++ {
		last := len(f.edge) - 1
		f.edge[last-1] = tlog.NodeHash(f.edge[last-1], f.edge[last])
		f.edge = f.edge[:last]
		completed(level, index>>level, f.edge[last-1])
	}
}

// Root is the root of the tree; that of the empty tree is SHA-256("").
func (f *Frontier) Root() tlog.Hash {
	if f.size == 0 {
		root, _ := tlog.TreeHash(0, nil) // reads no hash
		return root
	}
	root := f.edge[len(f.edge)-1]
	for i := len(f.edge) - 2; i >= 0; i-- {
		root = tlog.NodeHash(f.edge[i], root)
	}
	return root
}

// Nodes are the stored nodes of a tree, as [Source] and [Table] have them.
type Nodes interface {
	Hashes(ctx context.Context, indexes []int64) ([]tlog.Hash, error)
}

// ReadFrontier returns the right edge of the stored tree of a size.
func ReadFrontier(ctx context.Context, s Nodes, size int64) (*Frontier, error) {
	var indexes []int64
	for rest, start := size, int64(0); rest > 0; {
		level := bits.Len64(uint64(rest)) - 1
		indexes = append(indexes, tlog.StoredHashIndex(level, start>>level))
		start += 1 << level
		rest -= 1 << level
	}
	edge, err := s.Hashes(ctx, indexes)
	return &Frontier{size, edge}, err
}
