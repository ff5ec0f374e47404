// Package jose answers whether something signed is genuine: client assertions,
// DPoP proofs, our own tokens. It returns facts, such as a verified
// [oauth.Assertion]; whether they permit anything is decided in the domain.
//
// Accepted algorithms are PS256, ES256 and EdDSA with Ed25519, the last also
// under its fully specified name (RFC 9864). Everything else is refused:
// FAPI2-SP §5.4.1-1.
package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"

	gojose "github.com/go-jose/go-jose/v4"
)

// Why something is not genuine. Callers match these with errors.Is.
var (
	ErrMalformed  = errors.New("not a well-formed JWT")
	ErrAlgorithm  = errors.New("signing algorithm is not accepted")
	ErrType       = errors.New("typ names another kind of JWT")
	ErrUnknownKey = errors.New("no registered key fits the JWT") // the key set may have changed since it was read
	ErrSignature  = errors.New("signature does not verify")
	ErrKey        = errors.New("key is not acceptable")
)

// The algorithms, as registered with IANA.
const (
	PS256   = "PS256"
	ES256   = "ES256"
	EdDSA   = "EdDSA"
	Ed25519 = "Ed25519" // RFC 9864 §2.2: EdDSA with that curve and no other
)

const (
	maxJWT = 8 << 10  // an assertion or proof as received
	maxOwn = 32 << 10 // a token of ours: it may carry authorization_details
	maxJTI = 256

	minRSA = 2048 // FAPI2-SP §5.4.1-2
)

var accepted = []gojose.SignatureAlgorithm{PS256, ES256, EdDSA, Ed25519}

// signs reports whether alg is accepted and a key like pub can make it.
func signs(pub crypto.PublicKey, alg string) bool {
	switch key := pub.(type) {
	case *rsa.PublicKey:
		return alg == PS256
	case *ecdsa.PublicKey:
		return alg == ES256 && key.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return alg == EdDSA || alg == Ed25519
	}
	return false
}

// strong refuses public keys that are too weak or of a kind nobody uses here.
func strong(pub crypto.PublicKey) error {
	switch key := pub.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSA {
			return fmt.Errorf("%w: RSA modulus of %d bits, at least %d are demanded", ErrKey, bits, minRSA)
		}
		return nil
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return nil
	}
	return fmt.Errorf("%w: unknown kind", ErrKey)
}

// verifier returns what go-jose v4.1.8 needs to verify alg with pub. It has no
// name for Ed25519 other than EdDSA, but lets a foreign verifier see the name
// and the signing input as they were sent.
func verifier(pub crypto.PublicKey, alg string) any {
	if key, ok := pub.(ed25519.PublicKey); ok && alg == Ed25519 {
		return fullySpecified(key)
	}
	return pub
}

type fullySpecified ed25519.PublicKey

func (k fullySpecified) VerifyPayload(payload, signature []byte, _ gojose.SignatureAlgorithm) error {
	if !ed25519.Verify(ed25519.PublicKey(k), payload, signature) {
		return ErrSignature
	}
	return nil
}
