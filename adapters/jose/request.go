package jose

import (
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"
)

// VerifyRequest returns the facts of a signed authentication request (CIBA,
// Section 7.1.1) that one of keys signed. It fails with [ErrUnknownKey] if none
// of them fits the header, which a fresher key set may mend. Claims, audience
// and times are not judged here.
func VerifyRequest(compact string, keys []Key) (oauth.SignedRequest, error) {
	jwt, err := parse(compact, maxJWT)
	if err != nil {
		return oauth.SignedRequest{}, err
	}
	if !requestType(jwt.Type) {
		return oauth.SignedRequest{}, ErrType
	}
	key, payload, err := jwt.verifyAny(keys)
	if err != nil {
		return oauth.SignedRequest{}, err
	}
	c, err := parseClaims(payload)
	if err != nil {
		return oauth.SignedRequest{}, err
	}
	return oauth.SignedRequest{
		Raw: compact, Algorithm: jwt.Algorithm, KeyID: jwt.KeyID, Thumbprint: key.Thumbprint,
		Issuer: c.Issuer, Audience: c.Audience.values, ID: c.ID,
		IssuedAt: c.IssuedAt.Time, NotBefore: c.NotBefore.Time, Expires: c.Expires.Time, Claims: payload,
	}, nil
}

// requestType keeps assertions and proofs of the same client from passing as
// requests (RFC 8725, Section 3.11). CIBA registers no type, so untyped ones
// are accepted.
func requestType(typ string) bool {
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "", "jwt", "oauth-authz-req+jwt":
		return true
	}
	return false
}
