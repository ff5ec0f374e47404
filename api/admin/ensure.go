package admin

import (
	"context"
	"slices"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/signingkey"
)

// EnsureKeys gives an issuer an active key for each algorithm of its policy.
func (s *Server) EnsureKeys(ctx context.Context, m event.Meta, issuer string) error {
	state, _, err := s.API.Issuers.Load(ctx, issuer)
	if err != nil {
		return err
	}
	m.Issuer = issuer
	for _, alg := range state.KeyPolicy().Algorithms {
		if err := again(func() error { return s.ensureKey(ctx, m, issuer, alg) }); err != nil {
			return err
		}
	}
	return nil
}

// ensureKey lets the first key sign that was announced, and announces one where
// there is none. Nodes that do so at the same time announce one each and choose
// the same, because announcements have one order and none of them is missed by
// who has announced after it. The others wait for the next rotation.
func (s *Server) ensureKey(ctx context.Context, m event.Meta, issuer, alg string) error {
	first, signs, err := s.firstAnnounced(ctx, issuer, alg)
	if err != nil || signs {
		return err
	}
	if first == "" {
		if _, err := s.announce(ctx, m, issuer, alg); err != nil {
			return err
		}
		if first, signs, err = s.firstAnnounced(ctx, issuer, alg); err != nil || signs {
			return err
		}
	}
	_, err = s.decideKey(ctx, m, first, signingkey.Activate{})
	return err
}

// firstAnnounced returns the first key that waits to sign with an algorithm, and
// whether another signs already.
func (s *Server) firstAnnounced(ctx context.Context, issuer, alg string) (kid string, signs bool, err error) {
	keys, err := s.keys(ctx, issuer)
	if err != nil {
		return "", false, err
	}
	with := func(status signingkey.Status) func(Key) bool {
		return func(k Key) bool { return k.Algorithm == alg && k.Status == status }
	}
	if i := slices.IndexFunc(keys, with(signingkey.Waiting)); i >= 0 {
		kid = keys[i].ID
	}
	return kid, slices.ContainsFunc(keys, with(signingkey.Active)), nil
}
