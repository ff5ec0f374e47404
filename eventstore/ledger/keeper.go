package ledger

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"time"

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
type Keeper struct {
	Config
	epoch int64

	signing sync.Mutex // one checkpoint at a time
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
	k := &Keeper{Config: c, epoch: s.Epoch, newest: s.Newest}
	if s.Newest.Size == 0 {
		return k, nil
	}
	return k, k.publish(ctx, s.Newest)
}

// Newest returns the newest checkpoint; none has been signed if its size is 0.
func (k *Keeper) Newest() Checkpoint {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.newest
}

// Sign returns a checkpoint over all that is in the log now. [AlteredError]
// if the log no longer begins with what the last one was signed over: then
// nothing is signed.
func (k *Keeper) Sign(ctx context.Context) (Checkpoint, error) {
	k.signing.Lock()
	defer k.signing.Unlock()
	size, err := k.Log.Size(ctx)
	last := k.Newest()
	if err != nil || size == last.Size {
		return last, err
	}
	c, err := k.following(ctx, last, size)
	if err != nil {
		return last, err
	}
	if err := k.publish(ctx, c); err != nil {
		return last, err
	}
	k.mu.Lock()
	k.newest = c
	k.mu.Unlock()
	return c, nil
}

// following signs a checkpoint that is consistent with the last one.
func (k *Keeper) following(ctx context.Context, last Checkpoint, size int64) (Checkpoint, error) {
	if size < last.Size {
		return last, &AlteredError{Position: 0, What: fmt.Sprintf("the log has %d events, the last checkpoint %d", size, last.Size)}
	}
	root, err := Root(ctx, k.Log, size)
	if err != nil {
		return last, err
	}
	proof, err := Consistency(ctx, k.Log, last.Size, size)
	if err != nil {
		return last, err
	}
	from := last.Root
	if last.Size == 0 {
		from, _ = tlog.TreeHash(0, nil) // reads no hash
	}
	if err := CheckConsistency(proof, last.Size, from, size, root); err != nil {
		return last, &AlteredError{What: fmt.Sprintf("the first %d events are not those of the last checkpoint", last.Size), Err: err}
	}
	return signed(k.Log.ID(), k.Key, Checkpoint{Epoch: k.epoch, Size: size, Root: root})
}

// publish puts a checkpoint into every folder, then into the database.
func (k *Keeper) publish(ctx context.Context, c Checkpoint) error {
	for _, folder := range k.Folders {
		if err := keep(folder, c); err != nil {
			return fmt.Errorf("keep checkpoint in %s: %w", folder, err)
		}
	}
	if err := k.Log.KeepCheckpoint(ctx, c.Epoch, c.Size, c.Note); err != nil {
		return fmt.Errorf("keep checkpoint in the database: %w", err)
	}
	return nil
}

// Run signs at every interval in which the log grew, and once more when ctx
// ends. A failure is told and tried again at the next interval; only
// [AlteredError] ends Run, which returns it.
func (k *Keeper) Run(ctx context.Context, interval time.Duration, failed func(error)) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for ending := false; !ending; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			ending = true
		}
		_, err := k.Sign(context.WithoutCancel(ctx))
		if altered := (*AlteredError)(nil); errors.As(err, &altered) {
			return err
		}
		if err != nil {
			failed(err)
		}
	}
	return nil
}
