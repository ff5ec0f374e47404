package jose

import (
	"fmt"

	"github.com/chirograph/chirograph/domain/oauth"
)

const proofType = "dpop+jwt"

// VerifyProof returns the facts of a DPoP proof that the key embedded in it
// signed: points 2 to 7 of RFC 9449, Section 4.3. Method, URI, nonce, times
// and the access token are not judged here.
func VerifyProof(compact string) (oauth.Proof, error) {
	jwt, err := parse(compact, maxJWT)
	if err != nil {
		return oauth.Proof{}, err
	}
	if jwt.Type != proofType {
		return oauth.Proof{}, ErrType
	}
	jwk := jwt.jws.Signatures[0].Protected.JSONWebKey // private members were refused in parse
	if jwk == nil {
		return oauth.Proof{}, fmt.Errorf("%w: jwk is missing", ErrMalformed)
	}
	if err := strong(jwk.Key); err != nil {
		return oauth.Proof{}, err
	}
	payload, err := jwt.verify(jwk.Key)
	if err != nil {
		return oauth.Proof{}, err
	}
	c, err := parseClaims(payload)
	if err != nil {
		return oauth.Proof{}, err
	}
	if c.ID == "" || c.Method == "" || c.URI == "" || c.IssuedAt.IsZero() {
		return oauth.Proof{}, fmt.Errorf("%w: a proof needs jti, htm, htu and iat", ErrMalformed)
	}
	thumbprint, err := Thumbprint(jwk.Key)
	if err != nil {
		return oauth.Proof{}, err
	}
	return oauth.Proof{
		Raw:             compact,
		Algorithm:       jwt.Algorithm,
		Thumbprint:      thumbprint,
		ID:              c.ID,
		Method:          c.Method,
		URI:             c.URI,
		AccessTokenHash: c.AccessTokenHash,
		Nonce:           c.Nonce,
		IssuedAt:        c.IssuedAt.Time,
		NotBefore:       c.NotBefore.Time,
		Expires:         c.Expires.Time,
	}, nil
}
