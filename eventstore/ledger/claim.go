package ledger

import (
	"context"
	"errors"
	"fmt"
)

// attempts bounds how often Sign begins anew when other nodes sign too.
const attempts = 3

// signAmong signs what this node has claimed. When others are quicker again
// and again it returns the newest of theirs, with [ErrDeposed].
func (k *Keeper) signAmong(ctx context.Context, claims Claimer) (Checkpoint, error) {
	for range attempts {
		next, err := k.claim(ctx, claims)
		switch {
		case errors.Is(err, ErrDeposed):
			continue
		case err != nil || next.Size == k.Newest().Size: // signed already, by whomever
			return k.Newest(), err
		}
		return k.sign(ctx, next)
	}
	return k.Newest(), errors.Join(ErrDeposed, k.adopt(ctx))
}

// claim returns what this node may sign: it begins with what was signed last,
// here and elsewhere, and with what was claimed last, which may be this itself
// if it was never signed.
func (k *Keeper) claim(ctx context.Context, claims Claimer) (next Checkpoint, err error) {
	if err := k.adopt(ctx); err != nil {
		return next, err
	}
	claimed, err := claims.Claimed(ctx)
	if err != nil {
		return next, err
	}
	last := k.Newest()
	next, err = k.next(ctx, last)
	if err != nil {
		return next, err
	}
	err = k.follows(ctx, claimed, next)
	if err != nil || next.Size == last.Size || next.claim() == claimed {
		return next, err
	}
	return next, claims.Claim(ctx, claimed, next.claim())
}

// follows demands that next begins with what was claimed. A claim of an
// earlier epoch has ended with it.
func (k *Keeper) follows(ctx context.Context, claimed Claim, next Checkpoint) error {
	switch {
	case claimed.Epoch > k.epoch:
		return k.otherEpoch(claimed.checkpoint(), next.Size, theClaim)
	case claimed.Epoch < k.epoch:
		return nil
	case claimed.Size > next.Size:
		return &AlteredError{What: fmt.Sprintf("the log has %d events, %s %d", next.Size, theClaim, claimed.Size)}
	}
	return begins(ctx, k.Log, claimed.checkpoint(), next, theClaim)
}

const theClaim = "the last claim in the database"

func (c Checkpoint) claim() Claim      { return Claim{c.Epoch, c.Size, c.Root} }
func (c Claim) checkpoint() Checkpoint { return Checkpoint{Epoch: c.Epoch, Size: c.Size, Root: c.Root} }

// lastClaim returns the last claim on a log that is a [Claimer].
func lastClaim(ctx context.Context, log Vault) (Claim, error) {
	claims, shared := log.(Claimer)
	if !shared {
		return Claim{}, nil
	}
	return claims.Claimed(ctx)
}
