package ledger

import (
	"context"
	"errors"
	"fmt"
)

// ErrNoLoss says that a log agrees with its checkpoints: nothing to accept.
var ErrNoLoss = errors.New("ledger: the log agrees with its checkpoints")

// A Loss is what an operator accepts when a log goes on although it is behind
// its newest checkpoint, or another history.
type Loss struct {
	Epoch    int64      // that begins
	Newest   Checkpoint // of the epoch that ends
	Restored int64      // events that are left
}

// AcceptLoss begins the next epoch of a log that [Stand] refuses with
// [RollbackError]. record must append the event that tells of the loss: it
// becomes the first of the new epoch.
func AcceptLoss(ctx context.Context, c Config, record func(context.Context, Loss) error) (Loss, error) {
	key, err := c.public()
	if err != nil {
		return Loss{}, err
	}
	places, err := newest(ctx, c.Log, key, c.Folders)
	if err != nil {
		return Loss{}, err
	}
	claimed, err := lastClaim(ctx, c.Log)
	if err != nil {
		return Loss{}, err
	}
	_, err = judge(ctx, c.Log, places, claimed)
	if rollback := (*RollbackError)(nil); !errors.As(err, &rollback) {
		if err == nil {
			err = ErrNoLoss
		}
		return Loss{}, err
	}
	var loss Loss
	for _, p := range places {
		if p.newerThan(loss.Newest) {
			loss.Newest = p.Checkpoint
		}
	}
	loss.Epoch = max(loss.Newest.Epoch, claimed.Epoch) + 1
	if loss.Restored, err = c.Log.Size(ctx); err != nil {
		return loss, err
	}
	if err := record(ctx, loss); err != nil {
		return loss, fmt.Errorf("record the loss: %w", err)
	}
	return loss, begin(ctx, c, loss, claimed)
}

// begin signs the first checkpoint of an epoch, if nobody has claimed anything
// since the loss was judged.
func begin(ctx context.Context, c Config, loss Loss, claimed Claim) error {
	size, err := c.Log.Size(ctx)
	if err != nil {
		return err
	}
	if size <= loss.Restored {
		return errors.New("ledger: the loss was not recorded")
	}
	root, err := Root(ctx, c.Log, size)
	if err != nil {
		return err
	}
	first := Checkpoint{Epoch: loss.Epoch, Size: size, Root: root}
	if claims, shared := c.Log.(Claimer); shared {
		if err := claims.Claim(ctx, claimed, first.claim()); err != nil {
			return err
		}
	}
	if first, err = signed(c.Log.ID(), c.Key, first); err != nil {
		return err
	}
	return c.publish(ctx, first)
}
