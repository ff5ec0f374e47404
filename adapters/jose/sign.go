package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"io"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// A Signer is a private key and how it is used. The key may live in memory or
// in a hardware module.
type Signer struct {
	KeyID     string
	Algorithm string // PS256, ES256 or EdDSA; Ed25519 is signed as EdDSA, which more clients know
	Key       crypto.Signer
}

// Sign returns the claims, a JSON object, as a compact JWS of the given typ.
func Sign(s Signer, typ string, claims []byte) (string, error) {
	options := new(gojose.SignerOptions)
	if typ != "" {
		options.WithType(gojose.ContentType(typ))
	}
	if s.KeyID != "" {
		options.WithHeader("kid", s.KeyID)
	}
	return s.sign(options, claims)
}

func (s Signer) sign(options *gojose.SignerOptions, claims []byte) (string, error) {
	if s.Key == nil || !signs(s.Key.Public(), s.Algorithm) {
		return "", fmt.Errorf("%w: %q with this key", ErrAlgorithm, s.Algorithm)
	}
	alg := s.Algorithm
	if alg == Ed25519 {
		alg = EdDSA
	}
	signer, err := gojose.NewSigner(gojose.SigningKey{Algorithm: gojose.SignatureAlgorithm(alg), Key: native(s.Key)}, options)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", alg, err)
	}
	jws, err := signer.Sign(claims)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", alg, err)
	}
	return jws.CompactSerialize()
}

// native returns the key as go-jose wants it.
func native(key crypto.Signer) any {
	switch key.(type) {
	case *ecdsa.PrivateKey, *rsa.PrivateKey, ed25519.PrivateKey:
		return key
	}
	return cryptosigner.Opaque(saltedAsHash{key})
}

// saltedAsHash makes PS256 signatures of a foreign key conform: go-jose's
// cryptosigner asks for the longest salt that fits, RFC 7518 §3.5 for one as
// long as the hash.
type saltedAsHash struct{ crypto.Signer }

func (s saltedAsHash) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: pss.Hash}
	}
	return s.Signer.Sign(rand, digest, opts)
}
