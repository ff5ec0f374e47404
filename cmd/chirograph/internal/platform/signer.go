package platform

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/api"
)

// signer implements [api.Signer] with the keys on the ring. Private keys stay
// unwrapped in memory while they are in use; there are few.
type signer struct {
	ring keys.SigningKeys

	mu     sync.RWMutex
	forgot uint64 // counts what was forgotten
	ready  map[string]jose.Signer
	public map[string]parsedKeys
}

func newSigner(ring keys.SigningKeys) *signer {
	return &signer{ring: ring, ready: map[string]jose.Signer{}, public: map[string]parsedKeys{}}
}

// Sign implements [api.Signer].
func (s *signer) Sign(ctx context.Context, kid, typ string, claims []byte) (string, error) {
	s.mu.RLock()
	ready, found := s.ready[kid]
	s.mu.RUnlock()
	if !found {
		var err error
		if ready, err = s.load(ctx, kid); err != nil {
			return "", err
		}
	}
	return jose.Sign(ready, typ, claims)
}

func (s *signer) load(ctx context.Context, kid string) (jose.Signer, error) {
	s.mu.RLock()
	forgot := s.forgot
	s.mu.RUnlock()
	key, err := s.ring.Get(ctx, kid)
	if err != nil {
		return jose.Signer{}, err
	}
	alg, err := algorithmOf(key.Public())
	if err != nil {
		return jose.Signer{}, err
	}
	ready := jose.Signer{KeyID: kid, Algorithm: alg, Key: key}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forgot == forgot { // else it may have been destroyed meanwhile
		s.ready[kid] = ready
	}
	return ready, nil
}

// forget drops a key from memory, before its end.
func (s *signer) forget(kid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgot++
	delete(s.ready, kid)
}

// forgetAll drops every private key from memory.
func (s *signer) forgetAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgot++
	clear(s.ready)
}

func algorithmOf(pub crypto.PublicKey) (string, error) {
	switch pub.(type) {
	case *rsa.PublicKey:
		return jose.PS256, nil
	case *ecdsa.PublicKey:
		return jose.ES256, nil
	case ed25519.PublicKey:
		return jose.EdDSA, nil
	}
	return "", fmt.Errorf("%w: unknown kind", jose.ErrKey)
}

// Verify implements [api.Signer].
func (s *signer) Verify(_ context.Context, compact string, key func(kid string) ([]byte, bool)) (api.Signed, error) {
	typ, err := claimedType(compact)
	if err != nil {
		return api.Signed{}, err
	}
	find := func(kid string) (crypto.PublicKey, string, bool) {
		jwk, found := key(kid)
		if !found {
			return nil, "", false
		}
		return s.parse(kid, jwk)
	}
	claims, header, err := jose.VerifyOwn(compact, find, typ)
	return api.Signed{KeyID: header.KeyID, Type: header.Type, Claims: claims}, err
}

// claimedType reads typ of a JWT whose signature is yet to be verified. The
// caller compares it with what it expects.
func claimedType(compact string) (string, error) {
	first, _, _ := strings.Cut(compact, ".")
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil {
		return "", jose.ErrMalformed
	}
	var header struct {
		Type string `json:"typ"`
	}
	if err := json.Unmarshal(raw, &header); err != nil {
		return "", jose.ErrMalformed
	}
	return header.Type, nil
}

func (s *signer) parse(kid string, jwk []byte) (crypto.PublicKey, string, bool) {
	s.mu.RLock()
	known, found := s.public[kid]
	s.mu.RUnlock()
	if !found || !bytes.Equal(known.raw, jwk) {
		parsed, err := jose.ParseKeys(fmt.Appendf(nil, `{"keys":[%s]}`, jwk))
		if err != nil || len(parsed) != 1 {
			return nil, "", false
		}
		known = parsedKeys{jwk, parsed}
		s.mu.Lock()
		s.public[kid] = known
		s.mu.Unlock()
	}
	alg, err := algorithmOf(known.keys[0].Public)
	return known.keys[0].Public, alg, err == nil
}
