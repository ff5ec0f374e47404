package platform

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"

	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// openCheckpoints lets the ledger say whether the log may be served.
func (p *Platform) openCheckpoints(ctx context.Context) error {
	if err := p.findCheckpointKey(ctx); err != nil || p.ReadOnly {
		return err
	}
	// A table of leaves that was put back is filled again from the events, before
	// it is compared with what was signed.
	err := p.complete(ctx)
	if err != nil {
		return err
	}
	p.Keeper, err = ledger.Open(ctx, p.keeping())
	return err
}

func (p *Platform) findCheckpointKey(ctx context.Context) error {
	seed, err := p.Ring.Secret(ctx, keys.ForCheckpoints)
	if errors.Is(err, keys.ErrNoKey) {
		seed, err = p.newCheckpointKey(ctx)
	}
	if err != nil {
		return err
	}
	if len(seed) != ed25519.SeedSize {
		return errCheckpointKey
	}
	p.checkpoint = ed25519.NewKeyFromSeed(seed)
	return nil
}

// newCheckpointKey makes the key for a log that has no event yet. A log that
// has some was signed with another key.
func (p *Platform) newCheckpointKey(ctx context.Context) ([]byte, error) {
	if head, err := p.Log.Head(ctx); err != nil || head > 0 {
		return nil, &ledger.UnverifiableError{What: "the keyring has no key for checkpoints", Err: err}
	}
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed)
	err := p.Ring.PutSecret(ctx, keys.ForCheckpoints, seed)
	if errors.Is(err, keys.ErrTaken) { // another node was first
		return p.Ring.Secret(ctx, keys.ForCheckpoints)
	}
	return seed, err
}

func (p *Platform) keeping() ledger.Config {
	return ledger.Config{Log: p.Log, Key: p.checkpoint, Folders: p.Folder.Checkpoints}
}

// CheckpointKey is the public half of the key that signs checkpoints.
func (p *Platform) CheckpointKey() ed25519.PublicKey {
	return p.checkpoint.Public().(ed25519.PublicKey)
}

// Audit is the full check of the log.
func (p *Platform) Audit() ledger.Audit {
	return ledger.Audit{Log: p.Log, Key: p.CheckpointKey(), Folders: p.Folder.Checkpoints}
}
