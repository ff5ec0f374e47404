package ledger

import (
	"context"
	"crypto/ed25519"
)

// A Standing says where a log stands against its checkpoints.
type Standing struct {
	Epoch  int64
	Newest Checkpoint // of that epoch, Size 0 if none was signed yet
}

// A place is where a checkpoint was found.
type place struct {
	Checkpoint
	where    string
	database bool
}

// Stand applies the rollback rule of the package comment: [RollbackError] if
// the log must not be served, [UnverifiableError] if a checkpoint that was
// found is not one of this log under this key.
func Stand(ctx context.Context, log Vault, key ed25519.PublicKey, folders []string) (Standing, error) {
	places, err := newest(ctx, log, key, folders)
	if err != nil {
		return Standing{}, err
	}
	claimed, err := lastClaim(ctx, log)
	if err != nil {
		return Standing{}, err
	}
	return judge(ctx, log, places, claimed)
}

// newest finds the newest checkpoint of each epoch in every folder, and that
// in the database.
func newest(ctx context.Context, log Vault, key ed25519.PublicKey, folders []string) (places []place, err error) {
	note, err := log.NewestCheckpoint(ctx)
	if err != nil {
		return nil, err
	}
	if note != nil {
		c, err := ParseCheckpoint(note, log.ID(), key)
		if err != nil {
			return nil, &UnverifiableError{inDatabase, err}
		}
		places = append(places, place{c, inDatabase, true})
	}
	for _, folder := range folders {
		files, err := kept(folder)
		if err != nil {
			return nil, &UnverifiableError{"checkpoints in " + folder, err}
		}
		for _, f := range files {
			c, err := ParseCheckpoint(f.note, log.ID(), key)
			if err != nil {
				return nil, &UnverifiableError{f.path, err}
			}
			places = append(places, place{c, f.path, false})
		}
	}
	return places, nil
}

func judge(ctx context.Context, log Vault, places []place, claimed Claim) (Standing, error) {
	have, err := log.Size(ctx)
	if err != nil {
		return Standing{}, err
	}
	s := Standing{Epoch: 1}
	for _, p := range places {
		if p.database {
			s.Epoch = p.Epoch
		}
	}
	if claimed != (Claim{}) {
		places = append(places, place{claimed.checkpoint(), theClaim, true})
	}
	for _, p := range places {
		if p.Epoch < s.Epoch {
			continue
		}
		refused := &RollbackError{Have: have, Want: p.Size, HaveEpoch: s.Epoch, WantEpoch: p.Epoch, Where: p.where}
		if p.Epoch > s.Epoch || p.Size > have {
			return Standing{}, refused
		}
		root, err := Root(ctx, log, p.Size)
		if err != nil {
			return Standing{}, err
		}
		if root != p.Root {
			return Standing{}, refused
		}
		if p.Note != nil && p.newerThan(s.Newest) {
			s.Newest = p.Checkpoint
		}
	}
	return s, nil
}
