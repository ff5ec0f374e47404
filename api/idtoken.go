package api

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// An identity is what an ID token says about the customer.
type identity struct {
	subject  string
	acr      string
	amr      []string
	authTime time.Time
	nonce    string
	claims   map[string]any // that the request wants in the ID token itself

	accessToken  string // that it goes with
	refreshToken string // of a push
	authReqID    string // likewise
}

// idToken signs an ID token for the client, with the hash of the access token
// it comes with (OIDC-Core, Sections 2 and 3.1.3.6). One that is pushed proves
// also what else is pushed with it (CIBA, Section 10.3.1).
func (s *Server) idToken(ctx context.Context, m moment, c *caller, kid string, who identity) (string, error) {
	claims := map[string]any{}
	for name, value := range who.claims {
		claims[name] = value
	}
	claims["iss"], claims["sub"], claims["aud"] = m.Tenant.URL, s.subjectFor(c.Client, who.subject), c.ID
	claims["iat"], claims["exp"] = m.At.Unix(), m.At.Add(m.Tenant.Settings.IDTokenLifetime).Unix()
	claims["auth_time"], claims["acr"] = who.authTime.Unix(), who.acr
	alg := signedWith(c.IDTokenAlg)
	claims["at_hash"] = halfHash(alg, who.accessToken)
	if len(who.amr) > 0 {
		claims["amr"] = who.amr
	}
	if who.nonce != "" {
		claims["nonce"] = who.nonce
	}
	if who.authReqID != "" {
		claims["urn:openid:params:jwt:claim:auth_req_id"] = who.authReqID
	}
	if who.refreshToken != "" {
		claims["urn:openid:params:jwt:claim:rt_hash"] = halfHash(alg, who.refreshToken)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return s.Signer.Sign(ctx, kid, "JWT", raw)
}

// halfHash is the value of at_hash: half of the hash that belongs to the
// algorithm, which is SHA-512 for Ed25519 (RFC 8032).
func halfHash(alg, s string) string {
	if alg == "EdDSA" {
		sum := sha512.Sum512([]byte(s))
		return base64.RawURLEncoding.EncodeToString(sum[:32])
	}
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// idTokenClaims returns the claims that the request wants in the ID token
// itself (OIDC-Core, Section 5.5).
func (s *Server) idTokenClaims(ctx context.Context, subject, requested string) (map[string]any, error) {
	asked, err := oauth.ParseClaims(requested)
	if err != nil || len(asked.IDToken) == 0 {
		return nil, nil
	}
	known, err := s.Directory.Claims(ctx, subject)
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	for name := range asked.IDToken {
		if value, found := known[name]; found && !strings.HasPrefix(name, "_") {
			claims[name] = value
		}
	}
	return claims, nil
}
