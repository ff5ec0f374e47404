package ledger

import (
	"context"
	"fmt"
	"iter"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// A Source is a log whose events are leaves of a stored tree.
type Source interface {
	ID() uuid.UUID

	// Size is the number of leaves.
	Size(context.Context) (int64, error)

	// Hashes returns stored nodes by the index that [tlog.StoredHashIndex]
	// gives them. Only nodes of complete subtrees are stored.
	Hashes(ctx context.Context, indexes []int64) ([]tlog.Hash, error)

	// Leaves yields the events of the leaves from <= index < to, in order. A
	// leaf that is missing is left out.
	Leaves(ctx context.Context, from, to int64) iter.Seq2[Leaf, error]
}

// A Leaf is an event with the leaf hash that is stored beside it.
type Leaf struct {
	eventstore.Event
	Hash tlog.Hash
}

// A Vault is a Source that also keeps every checkpoint that was signed over it.
type Vault interface {
	Source
	Kept
}

// Kept are the checkpoints that were signed over a log.
type Kept interface {
	// Checkpoints yields the notes that were kept, oldest first.
	Checkpoints(context.Context) iter.Seq2[[]byte, error]

	// NewestCheckpoint returns the note of the highest epoch and size, nil if
	// none was kept.
	NewestCheckpoint(context.Context) ([]byte, error)

	// KeepCheckpoint keeps a signed note, durably.
	KeepCheckpoint(ctx context.Context, epoch, size int64, note []byte) error
}

// Intact is what a Source may also offer: a check of what its engine keeps
// beside the events to find them again, its indexes. [AlteredError] if
// something is wrong there.
type Intact interface {
	Intact(context.Context) error
}

func reader(ctx context.Context, s Source) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) { return s.Hashes(ctx, indexes) })
}

// Root returns the root of the tree at a size that is at most today's.
func Root(ctx context.Context, s Source, size int64) (tlog.Hash, error) {
	if err := within(ctx, s, size); err != nil {
		return tlog.Hash{}, err
	}
	return tlog.TreeHash(size, reader(ctx, s))
}

// Inclusion proves that the tree of a size contains a leaf. Check it with
// [tlog.CheckRecord].
func Inclusion(ctx context.Context, s Source, leaf, size int64) (tlog.RecordProof, error) {
	if err := within(ctx, s, size); err != nil {
		return nil, err
	}
	return tlog.ProveRecord(size, leaf, reader(ctx, s))
}

// Consistency proves that the tree of size to begins with that of size from.
// Check it with [CheckConsistency].
func Consistency(ctx context.Context, s Source, from, to int64) (tlog.TreeProof, error) {
	if err := within(ctx, s, to); err != nil {
		return nil, err
	}
	if from == 0 {
		return nil, nil
	}
	return tlog.ProveTree(to, from, reader(ctx, s))
}

// CheckConsistency reports whether p proves that the tree of size to and root
// toRoot begins with that of size from and root fromRoot. Every tree begins
// with the empty one.
func CheckConsistency(p tlog.TreeProof, from int64, fromRoot tlog.Hash, to int64, toRoot tlog.Hash) error {
	if from > 0 {
		return tlog.CheckTree(p, to, toRoot, from, fromRoot)
	}
	empty, _ := tlog.TreeHash(0, nil) // reads no hash
	if from < 0 || len(p) > 0 || fromRoot != empty || to == 0 && toRoot != empty {
		return fmt.Errorf("ledger: malformed consistency proof")
	}
	return nil
}

func within(ctx context.Context, s Source, size int64) error {
	have, err := s.Size(ctx)
	if err != nil {
		return err
	}
	if size < 0 || size > have {
		return fmt.Errorf("ledger: tree has %d leaves, not %d", have, size)
	}
	return nil
}
