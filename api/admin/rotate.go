package admin

import (
	"context"
	"errors"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/signingkey"
)

// spread is how long an announced key waits before it signs, so that whoever
// caches the JWK set knows it by then.
const spread = 10 * time.Minute

// Rotate takes the next step for each algorithm of an issuer: a key that was
// announced long enough ago begins to sign and the old ones retire; where none
// is announced, one is made. With at once it does both.
func (s *Server) Rotate(ctx context.Context, m event.Meta, issuer string, atOnce bool) ([]Key, error) {
	states, err := s.API.Issuers.All(ctx)
	if err != nil {
		return nil, err
	}
	for _, alg := range states[issuer].KeyPolicy().Algorithms {
		next, err := s.next(ctx, m, issuer, alg)
		if err != nil {
			return nil, err
		}
		if !atOnce && s.API.Now().Sub(next.Announced) < spread {
			continue
		}
		if err := s.succeed(ctx, m, next); err != nil {
			return nil, err
		}
	}
	return s.keys(ctx, issuer)
}

// next is the newest key that waits to sign, made if there is none.
func (s *Server) next(ctx context.Context, m event.Meta, issuer, alg string) (Key, error) {
	keys, err := s.keys(ctx, issuer)
	if err != nil {
		return Key{}, err
	}
	if waits := newest(keys, alg, signingkey.Waiting); waits != nil {
		return *waits, nil
	}
	return s.announce(ctx, m, issuer, alg)
}

// succeed lets a key sign and retires those that were announced before one that
// signs. So there is always one that signs, although nodes may do so with
// different keys at the same time, or have the key succeeded already.
func (s *Server) succeed(ctx context.Context, m event.Meta, next Key) error {
	if _, err := s.decideKey(ctx, m, next.ID, signingkey.Activate{}); err != nil && !errors.Is(err, signingkey.ErrNotAnnounced) {
		return err
	}
	keys, err := s.keys(ctx, next.Issuer)
	if err != nil {
		return err
	}
	last := newest(keys, next.Algorithm, signingkey.Active)
	for _, old := range keys {
		if old.Algorithm != next.Algorithm || old.Status != signingkey.Active || old.ID == last.ID {
			continue
		}
		if _, err := s.retire(ctx, m, old.ID); err != nil && !errors.Is(err, signingkey.ErrNotActive) {
			return err
		}
	}
	return nil
}

func newest(keys []Key, alg string, status signingkey.Status) *Key {
	for i := len(keys) - 1; i >= 0; i-- {
		if keys[i].Algorithm == alg && keys[i].Status == status {
			return &keys[i]
		}
	}
	return nil
}

// RotateDue rotates the keys of every issuer whose policy says that it is
// time. Called every hour, it announces a key in one call and activates it in
// the next.
func (s *Server) RotateDue(ctx context.Context, m event.Meta) error {
	states, err := s.API.Issuers.All(ctx)
	if err != nil {
		return err
	}
	for id, state := range states {
		policy := state.KeyPolicy()
		if policy.Rotation == 0 {
			continue
		}
		keys, err := s.keys(ctx, id)
		if err != nil {
			return err
		}
		for _, alg := range policy.Algorithms {
			signing := newest(keys, alg, signingkey.Active)
			if signing != nil && s.API.Now().Sub(signing.Since) < policy.Rotation {
				continue
			}
			if _, err := s.Rotate(ctx, m, id, false); err != nil {
				return err
			}
			break
		}
	}
	return nil
}
