package mtls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
)

// thumbprint returns the JWK thumbprint of a certificate's public key (RFC
// 7638, Section 3): a digest of its required members in lexical order.
func thumbprint(pub crypto.PublicKey) (string, error) {
	members, err := requiredMembers(pub)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(members))
	return b64(sum[:]), nil
}

func requiredMembers(pub crypto.PublicKey) (string, error) {
	switch key := pub.(type) {
	case *rsa.PublicKey:
		e := big.NewInt(int64(key.E)).Bytes()
		return fmt.Sprintf(`{"e":"%s","kty":"RSA","n":"%s"}`, b64(e), b64(key.N.Bytes())), nil
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // SEC 1, uncompressed: 4, x, y
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		size := len(point) / 2
		return fmt.Sprintf(`{"crv":"%s","kty":"EC","x":"%s","y":"%s"}`, key.Params().Name, b64(point[1:1+size]), b64(point[1+size:])), nil
	case ed25519.PublicKey:
		return fmt.Sprintf(`{"crv":"Ed25519","kty":"OKP","x":"%s"}`, b64(key)), nil
	}
	return "", fmt.Errorf("%w: unknown kind of public key", ErrMalformed)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
