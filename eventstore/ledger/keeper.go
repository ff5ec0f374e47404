package ledger

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// Config of a [Keeper].
type Config struct {
	Log     Vault
	Key     crypto.Signer // Ed25519, used for nothing else
	Folders []string      // at least one, outside the database
}

func (c Config) public() (ed25519.PublicKey, error) {
	key, ok := c.Key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("ledger: checkpoints are signed with Ed25519, not %T", c.Key.Public())
	}
	if len(c.Folders) == 0 {
		return nil, errors.New("ledger: no folder for checkpoints")
	}
	return key, nil
}

// A Keeper signs checkpoints over a log. It never signs one that is not
// consistent with the last it signed, and serves none that is not on disk
// outside the database.
//
// If the log is a [Claimer], several nodes may have a Keeper each and sign at
// once: see the package comment.
type Keeper struct {
	Config
	epoch int64

	signing chan struct{} // one checkpoint at a time
	mu      sync.RWMutex
	newest  Checkpoint
}

// Open returns the keeper of a log that may be served, or why it may not:
// see [Stand]. A checkpoint that is missing in one of the places is put back.
func Open(ctx context.Context, c Config) (*Keeper, error) {
	key, err := c.public()
	if err != nil {
		return nil, err
	}
	s, err := Stand(ctx, c.Log, key, c.Folders)
	if err != nil {
		return nil, err
	}
	k := &Keeper{Config: c, signing: make(chan struct{}, 1), epoch: s.Epoch, newest: s.Newest}
	if s.Newest.Size == 0 {
		return k, nil
	}
	return k, k.publish(ctx, s.Newest)
}

// turn waits until nobody else signs.
func (k *Keeper) turn(ctx context.Context) error {
	select {
	case k.signing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (k *Keeper) done() { <-k.signing }

// Newest returns the newest checkpoint; none has been signed if its size is 0.
func (k *Keeper) Newest() Checkpoint {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.newest
}

// Sign returns a checkpoint over all that is in the log now. [AlteredError]
// if the log no longer begins with what the last one was signed over: then
// nothing is signed. Over a [Claimer] it may also be one that another node has
// signed meanwhile.
func (k *Keeper) Sign(ctx context.Context) (Checkpoint, error) {
	if err := k.turn(ctx); err != nil {
		return k.Newest(), err
	}
	defer k.done()
	if claims, shared := k.Log.(Claimer); shared {
		return k.signAmong(ctx, claims)
	}
	last := k.Newest()
	next, err := k.next(ctx, last)
	if err != nil || next.Size == last.Size {
		return last, err
	}
	return k.sign(ctx, next)
}

// next is what may be signed over the log now, given the last checkpoint.
func (k *Keeper) next(ctx context.Context, last Checkpoint) (Checkpoint, error) {
	size, err := k.Log.Size(ctx)
	if err != nil || size == last.Size {
		return last, err
	}
	if size < last.Size {
		return last, &AlteredError{What: fmt.Sprintf("the log has %d events, the last checkpoint %d", size, last.Size)}
	}
	root, err := Root(ctx, k.Log, size)
	if err != nil {
		return last, err
	}
	next := Checkpoint{Epoch: k.epoch, Size: size, Root: root}
	return next, begins(ctx, k.Log, last, next, "the last checkpoint")
}

// begins demands that a log of which to says size and root begins with what
// from says.
func begins(ctx context.Context, log Source, from, to Checkpoint, what string) error {
	proof, err := Consistency(ctx, log, from.Size, to.Size)
	if err != nil {
		return err
	}
	root := from.Root
	if from.Size == 0 {
		root, _ = tlog.TreeHash(0, nil) // reads no hash
	}
	if err := CheckConsistency(proof, from.Size, root, to.Size, to.Root); err != nil {
		return &AlteredError{What: fmt.Sprintf("the first %d events are not those of %s", from.Size, what), Err: err}
	}
	return nil
}

// sign signs, publishes and serves what may be signed.
func (k *Keeper) sign(ctx context.Context, next Checkpoint) (Checkpoint, error) {
	c, err := signed(k.Log.ID(), k.Key, next)
	if err == nil {
		err = k.publish(ctx, c)
	}
	if err != nil {
		return k.Newest(), err
	}
	k.serve(c)
	return c, nil
}

func (k *Keeper) serve(c Checkpoint) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.newest = c
}

// publish puts a checkpoint into every folder, then into the database.
func (c Config) publish(ctx context.Context, signed Checkpoint) error {
	if err := c.store(signed); err != nil {
		return err
	}
	if err := c.Log.KeepCheckpoint(ctx, signed.Epoch, signed.Size, signed.Note); err != nil {
		return fmt.Errorf("keep checkpoint in the database: %w", err)
	}
	return nil
}

// store puts a checkpoint into every folder that does not have a newer one: a
// folder may be shared by nodes.
func (c Config) store(signed Checkpoint) error {
	key, err := c.public()
	if err != nil {
		return err
	}
	for _, folder := range c.Folders {
		note, err := readBounded(fileOf(folder, signed.Epoch))
		if err == nil {
			if there, err := ParseCheckpoint(note, c.Log.ID(), key); err == nil && there.newerThan(signed) {
				continue
			}
		}
		if err := keep(folder, signed); err != nil {
			return fmt.Errorf("keep checkpoint in %s: %w", folder, err)
		}
	}
	return nil
}
