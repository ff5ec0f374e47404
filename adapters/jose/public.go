package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	stdjson "encoding/json"
	"fmt"

	gojose "github.com/go-jose/go-jose/v4"
)

// PublicJWK returns a public key as a JWK (RFC 7517, Section 4). Private keys
// are refused rather than stripped.
func PublicJWK(kid, alg, use string, pub crypto.PublicKey) (stdjson.RawMessage, error) {
	jwk := gojose.JSONWebKey{Key: pub, KeyID: kid, Algorithm: alg, Use: use}
	if !jwk.IsPublic() || !jwk.Valid() {
		return nil, fmt.Errorf("%w: not a public key", ErrKey)
	}
	return jwk.MarshalJSON()
}

// Thumbprint returns the JWK thumbprint of a public key (RFC 7638), SHA-256 in
// base64url.
func Thumbprint(pub crypto.PublicKey) (string, error) {
	jwk := gojose.JSONWebKey{Key: pub}
	if !jwk.IsPublic() || !jwk.Valid() {
		return "", fmt.Errorf("%w: not a public key", ErrKey)
	}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrKey, err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// GenerateKey makes a private key for an accepted algorithm.
func GenerateKey(alg string) (crypto.Signer, error) {
	switch alg {
	case PS256:
		return rsa.GenerateKey(rand.Reader, minRSA)
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EdDSA, Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("%w: %q", ErrAlgorithm, alg)
}
