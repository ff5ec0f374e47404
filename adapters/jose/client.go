package jose

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	stdjson "encoding/json"
	"strings"
	"time"

	gojose "github.com/go-jose/go-jose/v4"
)

// NewAssertion signs a client assertion as a client would: its audience is one
// string (FAPI2-SP §5.3.3.1-5) and its jti is fresh.
func NewAssertion(s Signer, clientID, audience string, now time.Time, life time.Duration) (string, error) {
	claims, err := stdjson.Marshal(struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		ID       string `json:"jti"`
		IssuedAt int64  `json:"iat"`
		Expires  int64  `json:"exp"`
	}{clientID, clientID, audience, unguessable(), now.Unix(), now.Add(life).Unix()})
	if err != nil {
		return "", err
	}
	return Sign(s, "client-authentication+jwt", claims)
}

// NewProof signs a DPoP proof as a client would (RFC 9449, Section 4.2). The
// access token is given only towards a resource server, the nonce only if the
// server supplied one.
func NewProof(s Signer, method, url, accessToken, nonce string, now time.Time) (string, error) {
	claims, err := stdjson.Marshal(struct {
		ID              string `json:"jti"`
		Method          string `json:"htm"`
		URI             string `json:"htu"`
		IssuedAt        int64  `json:"iat"`
		AccessTokenHash string `json:"ath,omitempty"`
		Nonce           string `json:"nonce,omitempty"`
	}{unguessable(), method, withoutQuery(url), now.Unix(), accessTokenHash(accessToken), nonce})
	if err != nil {
		return "", err
	}
	options := (&gojose.SignerOptions{EmbedJWK: true}).WithType(proofType)
	return s.sign(options, claims)
}

func accessTokenHash(token string) string {
	if token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func withoutQuery(url string) string {
	if end := strings.IndexAny(url, "?#"); end >= 0 {
		return url[:end]
	}
	return url
}

// unguessable returns 128 random bits: RFC 9449 §4.2 asks for 96 in a jti.
func unguessable() string {
	var bits [16]byte
	rand.Read(bits[:])
	return base64.RawURLEncoding.EncodeToString(bits[:])
}
