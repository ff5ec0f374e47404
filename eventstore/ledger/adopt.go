package ledger

import (
	"bytes"
	"context"
	"fmt"
)

const inDatabase = "the newest checkpoint in the database"

// Adopt puts the newest checkpoint in the database, which another node may have
// signed, into the folders of this one and serves it, so that every node has
// it outside the database. [AlteredError] if it is not consistent with the last
// one that this node has had, or with the log; [RollbackError] if another epoch
// has begun.
func (k *Keeper) Adopt(ctx context.Context) (Checkpoint, error) {
	if err := k.turn(ctx); err != nil {
		return k.Newest(), err
	}
	defer k.done()
	err := k.adopt(ctx)
	return k.Newest(), err
}

func (k *Keeper) adopt(ctx context.Context) error {
	note, err := k.Log.NewestCheckpoint(ctx)
	last := k.Newest()
	if err != nil || note == nil || bytes.Equal(note, last.Note) {
		return err
	}
	key, err := k.public()
	if err != nil {
		return err
	}
	theirs, err := ParseCheckpoint(note, k.Log.ID(), key)
	if err != nil {
		return &UnverifiableError{inDatabase, err}
	}
	size, err := k.Log.Size(ctx)
	if err != nil {
		return err
	}
	switch {
	case theirs.Epoch != k.epoch:
		return k.otherEpoch(theirs, size, inDatabase)
	case size < max(theirs.Size, last.Size):
		return &AlteredError{What: fmt.Sprintf("the log has %d events, a checkpoint %d", size, max(theirs.Size, last.Size))}
	case theirs.Size <= last.Size: // ours did not get there
		return begins(ctx, k.Log, theirs, last, inDatabase)
	}
	if err := k.confirm(ctx, last, theirs); err != nil {
		return err
	}
	if err := k.store(theirs); err != nil {
		return err
	}
	k.serve(theirs)
	return nil
}

// confirm demands that theirs is a checkpoint of this log that follows ours.
func (k *Keeper) confirm(ctx context.Context, ours, theirs Checkpoint) error {
	root, err := Root(ctx, k.Log, theirs.Size)
	if err != nil {
		return err
	}
	if root != theirs.Root {
		return &AlteredError{What: fmt.Sprintf("the first %d events are not those of %s", theirs.Size, inDatabase)}
	}
	return begins(ctx, k.Log, ours, theirs, "the last checkpoint")
}

func (k *Keeper) otherEpoch(other Checkpoint, have int64, where string) error {
	return &RollbackError{Have: have, Want: other.Size, HaveEpoch: k.epoch, WantEpoch: other.Epoch, Where: where}
}
