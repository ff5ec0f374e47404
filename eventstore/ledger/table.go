package ledger

import (
	"context"
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrDeposed means that somebody else has gone on meanwhile: with numbering
// leaves, or with signing. Whoever gets it has changed nothing and must read
// again where things stand.
var ErrDeposed = errors.New("ledger: somebody else has gone on")

// A Claim is what is about to be signed, or was.
type Claim struct {
	Epoch int64
	Size  int64
	Root  tlog.Hash
}

// A Claimer is a [Vault] that several nodes sign for. A node signs only what
// it has claimed, so one that was deposed while it slept can repeat a root but
// never sign a fork.
type Claimer interface {
	// Claimed returns the last claim, the zero Claim if there is none.
	Claimed(context.Context) (Claim, error)

	// Claim replaces the claim from by to, durably, or fails with
	// [ErrDeposed] if from is no longer the last one.
	Claim(ctx context.Context, from, to Claim) error
}

// A Row is what a [Table] keeps of a leaf.
type Row struct {
	Leaf     int64
	Place    uint64    // where the engine has the event
	Recorded time.Time // never earlier than that of the leaf before
	Hash     tlog.Hash
}

// A Node is the root of a complete subtree above the leaves.
type Node struct {
	Level int
	N     int64
	Hash  tlog.Hash
}

// A Table is where the leaves of a log are numbered whose engine has no
// numbers of its own: one elected follower reads the engine in commit order
// and extends it. It is shared by all nodes, and it is the only memory of the
// numbers: they are never derived from the engine again.
type Table interface {
	Claimer

	// Tail is the row of the last leaf; found is false while there is none.
	Tail(context.Context) (row Row, found bool, err error)

	// Rows returns the rows of the leaves from <= index < to, in order.
	Rows(ctx context.Context, from, to int64) ([]Row, error)

	// Placed returns the rows whose places are among those asked for, in any
	// order.
	Placed(ctx context.Context, places []uint64) ([]Row, error)

	// Extend adds rows, the first of which must be the leaf after the last,
	// and the nodes that they complete whose level is a multiple of 8, all or
	// nothing and durably. [ErrDeposed] if somebody else has added leaves.
	Extend(ctx context.Context, rows []Row, nodes []Node) error

	// Hashes is that of [Source].
	Hashes(ctx context.Context, indexes []int64) ([]tlog.Hash, error)

	Kept
}
