package jose

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"

	"github.com/go-jose/go-jose/v4/json"
)

// VerifyAssertion returns the facts of a client assertion (RFC 7523, Section
// 3) that one of keys signed. It fails with [ErrUnknownKey] if none of them
// fits the header, which a fresher key set may mend. Audience, times and names
// are not judged here.
func VerifyAssertion(compact string, keys []Key) (oauth.Assertion, error) {
	jwt, err := parse(compact, maxJWT)
	if err != nil {
		return oauth.Assertion{}, err
	}
	if !assertionType(jwt.Type) {
		return oauth.Assertion{}, ErrType
	}
	key, payload, err := jwt.verifyAny(keys)
	if err != nil {
		return oauth.Assertion{}, err
	}
	c, err := parseClaims(payload)
	if err != nil {
		return oauth.Assertion{}, err
	}
	return oauth.Assertion{
		Raw:         compact,
		Algorithm:   jwt.Algorithm,
		KeyID:       jwt.KeyID,
		Thumbprint:  key.Thumbprint,
		Issuer:      c.Issuer,
		Subject:     c.Subject,
		Audience:    c.Audience.values,
		AudienceOne: c.Audience.one,
		ID:          c.ID,
		IssuedAt:    c.IssuedAt.Time,
		NotBefore:   c.NotBefore.Time,
		Expires:     c.Expires.Time,
	}, nil
}

// assertionType keeps other JWTs of the same client, such as request objects,
// from passing as assertions (RFC 8725, Section 3.11). Untyped ones are
// accepted, as draft-ietf-oauth-rfc7523bis asks of servers.
func assertionType(typ string) bool {
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "", "jwt", "client-authentication+jwt":
		return true
	}
	return false
}

// PeekIssuer returns the client that an assertion claims to be from, so that
// its keys can be found: sub, or iss without it. Nothing is verified.
func PeekIssuer(compact string) (string, error) {
	if len(compact) > maxJWT || !canonical(compact) {
		return "", ErrMalformed
	}
	parts := strings.Split(compact, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", ErrMalformed
	}
	var c struct {
		Issuer  string `json:"iss"`
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return "", ErrMalformed
	}
	if c.Subject == "" {
		c.Subject = c.Issuer
	}
	if c.Subject == "" {
		return "", fmt.Errorf("%w: names nobody in iss or sub", ErrMalformed)
	}
	return c.Subject, nil
}
