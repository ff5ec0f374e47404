package jose

import (
	"encoding/base64"
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"

	"github.com/go-jose/go-jose/v4/json"
)

// VerifyHint returns the facts of a login_hint_token (CIBA, Section 7.1) that
// one of keys signed. It fails with [ErrUnknownKey] if none of them fits the
// header, which a fresher key set may mend. Claims, audience and times are not
// judged here.
func VerifyHint(compact string, keys []Key) (oauth.HintToken, error) {
	jwt, err := parse(compact, maxJWT)
	if err != nil {
		return oauth.HintToken{}, err
	}
	if !hintType(jwt.Type) {
		return oauth.HintToken{}, ErrType
	}
	_, payload, err := jwt.verifyAny(keys)
	if err != nil {
		return oauth.HintToken{}, err
	}
	c, err := parseClaims(payload)
	if err != nil {
		return oauth.HintToken{}, err
	}
	return oauth.HintToken{
		Algorithm: jwt.Algorithm, Issuer: c.Issuer, Audience: c.Audience.values, ID: c.ID,
		IssuedAt: c.IssuedAt.Time, NotBefore: c.NotBefore.Time, Expires: c.Expires.Time, Claims: payload,
	}, nil
}

// hintType keeps other JWTs of the same issuer, such as access tokens, from
// passing as hints (RFC 8725, Section 3.11). CIBA registers no type, so untyped
// ones are accepted.
func hintType(typ string) bool {
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "", "jwt":
		return true
	}
	return false
}

// PeekHintIssuer returns who a login_hint_token claims to be from, so that the
// issuer's keys can be found. Nothing is verified.
func PeekHintIssuer(compact string) (string, error) {
	if len(compact) > maxJWT || !canonical(compact) {
		return "", ErrMalformed
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(compact, ".")[1])
	if err != nil {
		return "", ErrMalformed
	}
	var c struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(payload, &c); err != nil || c.Issuer == "" {
		return "", ErrMalformed
	}
	return c.Issuer, nil
}
