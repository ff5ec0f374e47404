package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/signingkey"
)

// signedWith returns the alg that we sign with for one a client registered:
// Ed25519 goes by its older name, which every library knows.
func signedWith(alg string) string {
	if alg == "Ed25519" {
		return "EdDSA"
	}
	return alg
}

// activeKey returns the key that signs for an issuer with an algorithm, or
// with any if none is asked for: ES256 first, because it is the fastest.
func (s *Server) activeKey(ctx context.Context, issuer, alg string) (string, error) {
	kid, err := s.signer(ctx, issuer, alg)
	if err == nil && kid == "" {
		err = fmt.Errorf("issuer %s has no active signing key for %q", issuer, alg)
	}
	return kid, err
}

// signer is activeKey, or "" if there is none.
func (s *Server) signer(ctx context.Context, issuer, alg string) (string, error) {
	all, err := s.SigningKeys.All(ctx)
	if err != nil {
		return "", err
	}
	best, rank := "", -1
	for kid, key := range all {
		a := key.Announced()
		if a.Issuer != issuer || key.Status() != signingkey.Active || alg != "" && a.Algorithm != signedWith(alg) {
			continue
		}
		if r := slices.Index([]string{"PS256", "EdDSA", "ES256"}, a.Algorithm); r > rank || r == rank && kid > best {
			best, rank = kid, r
		}
	}
	return best, nil
}

// CheckSigning refuses a client whose ID tokens no key of its issuer could sign.
func (s *Server) CheckSigning(ctx context.Context, issuer string, m oauth.ClientMetadata) error {
	if !m.Grants("authorization_code") && m.DeliveryMode == "" {
		return nil
	}
	signs, err := s.signs(ctx, issuer, m.IDTokenAlg)
	if err == nil && !signs {
		err = oauth.Refuse(oauth.InvalidClientMetadata, "OIDC-Registration §2", "id_token_signed_response_alg is one that no key of this issuer signs with")
	}
	return err
}

// signs reports whether an issuer keeps a key for an algorithm, or has one that
// was made by hand.
func (s *Server) signs(ctx context.Context, issuer, alg string) (bool, error) {
	state, _, err := s.Issuers.Load(ctx, issuer)
	if err != nil || slices.Contains(state.KeyPolicy().Algorithms, signedWith(alg)) {
		return err == nil, err
	}
	kid, err := s.signer(ctx, issuer, alg)
	return kid != "", err
}

// signing are the algorithms of a tenant's profile that it signs with.
func (s *Server) signing(ctx context.Context, t Tenant) (algs []string, err error) {
	for _, alg := range t.Profile.SigningAlgs.Of {
		if signedWith(alg) != alg {
			continue // the second name of an algorithm: we sign with the first
		}
		signs, err := s.signs(ctx, t.ID, alg)
		if err != nil {
			return nil, err
		}
		if signs {
			algs = append(algs, alg)
		}
	}
	return algs, nil
}

// verifying are the public halves of all keys that an issuer ever had, for
// verifying what it signed.
type verifying struct {
	server *Server
	ctx    context.Context // of the request
	issuer string
	all    map[string]signingkey.State
	failed error // to find a key
}

func (s *Server) verifying(ctx context.Context, issuer string) (*verifying, error) {
	all, err := s.SigningKeys.All(ctx)
	return &verifying{server: s, ctx: ctx, issuer: issuer, all: all}, err
}

// key returns a public half, if what it verifies counts: not that of a
// compromised key. One that another node has just announced is found in its
// stream.
func (v *verifying) key(kid string) ([]byte, bool) {
	key, found := v.all[kid]
	if !found && kid != "" && printableASCII(kid, 128) == kid {
		key, _, v.failed = v.server.SigningKeys.Load(v.ctx, kid)
	}
	a := key.Announced()
	return a.JWK, a.Issuer == v.issuer && !key.Compromised()
}

// jwks serves the issuer's public keys (RFC 7517, Section 5): announced,
// active, and retired ones whose signatures may still be verified.
func (s *Server) jwks(v *visit) error {
	all, err := s.SigningKeys.All(v.Request().Context())
	if err != nil {
		return err
	}
	set := struct {
		Keys []json.RawMessage `json:"keys"`
	}{Keys: []json.RawMessage{}}
	for _, kid := range slices.Sorted(maps.Keys(all)) {
		if key := all[kid]; key.Announced().Issuer == v.Tenant.ID && key.Published(v.At) {
			set.Keys = append(set.Keys, key.Announced().JWK)
		}
	}
	v.Response().Header().Set("Cache-Control", "public, max-age=300")
	return v.JSON(http.StatusOK, set)
}
