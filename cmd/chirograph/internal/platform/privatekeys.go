package platform

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api/admin"
)

// privateKeys implements [admin.PrivateKeys] with the keys on the ring.
type privateKeys struct{ platform *Platform }

func (k privateKeys) Make(ctx context.Context, issuer, alg string) (admin.PublicKey, error) {
	key, err := jose.GenerateKey(alg)
	if err != nil {
		return admin.PublicKey{}, err
	}
	kid, err := jose.Thumbprint(key.Public())
	if err != nil {
		return admin.PublicKey{}, err
	}
	return k.put(ctx, issuer, kid, key)
}

func (k privateKeys) Keep(ctx context.Context, issuer, kid string, text []byte) (admin.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return admin.PublicKey{}, errors.New("private_key must be PEM, PKCS #8")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(crypto.Signer)
	if err != nil || !ok {
		return admin.PublicKey{}, errors.New("private_key cannot be read") // the cause might quote it
	}
	return k.put(ctx, issuer, kid, key)
}

func (k privateKeys) put(ctx context.Context, issuer, kid string, key crypto.Signer) (admin.PublicKey, error) {
	alg, err := algorithmOf(key.Public())
	if err != nil {
		return admin.PublicKey{}, err
	}
	jwk, err := jose.PublicJWK(kid, alg, "sig", key.Public())
	if err != nil {
		return admin.PublicKey{}, err
	}
	return admin.PublicKey{ID: kid, Algorithm: alg, JWK: jwk}, k.platform.Ring.SigningKeys().Put(ctx, kid, issuer, alg, key)
}

func (k privateKeys) Destroy(ctx context.Context, kid string) error {
	k.platform.Signer.forget(kid)
	return k.platform.Ring.SigningKeys().Destroy(ctx, kid)
}
