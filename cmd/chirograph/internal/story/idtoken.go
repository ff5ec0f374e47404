package story

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
)

// An IDToken is what a client reads of one (OIDC-Core, Section 2; CIBA, Section
// 10.3.1).
type IDToken struct {
	Issuer      string   `json:"iss"`
	Subject     string   `json:"sub"`
	Audience    audience `json:"aud"`
	Expires     int64    `json:"exp"`
	AccessHash  string   `json:"at_hash"`
	RefreshHash string   `json:"urn:openid:params:jwt:claim:rt_hash"`
	AuthReqID   string   `json:"urn:openid:params:jwt:claim:auth_req_id"`
	ACR         string   `json:"acr"`
}

type audience []string

func (a *audience) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(a))
}

// Verify checks an ID token with the issuer's keys (OIDC-Core, Section 3.1.3.7).
func (c *Client) Verify(ctx context.Context, compact string) (IDToken, error) {
	var t IDToken
	m, err := c.endpoints(ctx)
	if err != nil {
		return t, err
	}
	status, body, err := c.send(ctx, http.MethodGet, m.JWKS, nil, nil)
	if err != nil || status != http.StatusOK {
		return t, fmt.Errorf("keys of %s: status %d, %w", c.Issuer, status, err)
	}
	keys, err := jose.ParseKeys(body)
	if err != nil {
		return t, err
	}
	claims, _, err := jose.VerifyOwn(compact, func(kid string) (crypto.PublicKey, string, bool) {
		for _, k := range keys {
			if k.KeyID == kid {
				return k.Public, k.Algorithm, true
			}
		}
		return nil, "", false
	}, "JWT")
	if err != nil {
		return t, fmt.Errorf("ID token: %w", err)
	}
	if err := json.Unmarshal(claims, &t); err != nil {
		return t, err
	}
	switch {
	case t.Issuer != c.Issuer:
		return t, errors.New("ID token: it comes from another issuer")
	case len(t.Audience) != 1 || t.Audience[0] != c.ID:
		return t, errors.New("ID token: it is meant for somebody else")
	case c.Now().After(time.Unix(t.Expires, 0)):
		return t, errors.New("ID token: it has expired")
	}
	return t, nil
}

// CheckPush checks that a verified ID token belongs to what was pushed with it
// (CIBA, Section 10.3.1): no other request, no other tokens.
func (t IDToken) CheckPush(p Push) error {
	switch {
	case t.AuthReqID != p.AuthReqID:
		return errors.New("ID token: its auth_req_id is another one")
	case !same(t.AccessHash, halfHash(p.Access)):
		return errors.New("ID token: at_hash is not that of the access token")
	case p.Refresh != "" && !same(t.RefreshHash, halfHash(p.Refresh)):
		return errors.New("ID token: rt_hash is not that of the refresh token")
	}
	return nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// halfHash is at_hash for the algorithms with SHA-256 (OIDC-Core, Section
// 3.1.3.6).
func halfHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
