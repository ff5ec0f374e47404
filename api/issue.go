package api

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// An issuance is an access token to be: its event, and how to write it once
// the event is durable.
type issuance struct {
	id      string
	event   token.Issued
	details []oauth.Detail // as granted, for the JWT
	opaque  oauth.Artefact
	jwt     bool
}

// prepare decides form, life and key of an access token.
func (s *Server) prepare(ctx context.Context, v *visit, c *caller, e token.Issued, details []oauth.Detail) (issuance, error) {
	e.Client, e.Evidence = c.ID, c.Evidence
	e.Expires = v.At.Add(v.Tenant.Settings.AccessTokenLifetime).Truncate(time.Second)
	in := issuance{details: details, jwt: c.AccessTokenFormat != "opaque"}
	if in.jwt {
		kid, err := s.activeKey(ctx, v.Tenant.ID, "")
		in.id, e.Key = newID(), kid
		in.event = e
		return in, err
	}
	in.opaque = newArtefact()
	in.id, e.Digest = in.opaque.ID, in.opaque.Digest()
	in.event = e
	return in, nil
}

// draft is the event of the token, absent before.
func (s *Server) draft(in issuance) eventstore.Draft {
	return eventstore.Draft{Stream: s.Tokens.Stream(in.id), Expect: eventstore.Absent(), Events: []any{in.event}}
}

// write returns the token as the client receives it. Its event is durable.
func (s *Server) write(ctx context.Context, v *visit, in issuance) (string, error) {
	if !in.jwt {
		return in.opaque.Text(), nil
	}
	e := in.event
	subject := e.Subject
	if subject == "" {
		subject = e.Client // RFC 9068 §2.2
	}
	claims, err := json.Marshal(accessClaims{
		Issuer: v.Tenant.URL, Subject: subject, Audience: e.Audience, Client: e.Client, ID: in.id,
		Issued: v.At.Unix(), Expires: e.Expires.Unix(), Scope: e.Scope, Confirmation: e.Confirmation,
		ACR: e.ACR, AuthTime: unix(e.AuthTime), Details: in.details,
	})
	if err != nil {
		return "", err
	}
	return s.Signer.Sign(ctx, e.Key, "at+jwt", claims)
}

// accessClaims is the payload of a JWT access token (RFC 9068, Section 2.2).
type accessClaims struct {
	Issuer       string             `json:"iss"`
	Subject      string             `json:"sub"`
	Audience     oneOrMore          `json:"aud"`
	Client       string             `json:"client_id"`
	ID           string             `json:"jti"`
	Issued       int64              `json:"iat"`
	Expires      int64              `json:"exp"`
	Scope        string             `json:"scope,omitempty"`
	Confirmation token.Confirmation `json:"cnf,omitzero"`
	ACR          string             `json:"acr,omitempty"`
	AuthTime     int64              `json:"auth_time,omitempty"`
	Details      []oauth.Detail     `json:"authorization_details,omitempty"`
}

// oneOrMore writes a single audience as a string (RFC 7519, Section 4.1.3).
type oneOrMore []string

func (o oneOrMore) MarshalJSON() ([]byte, error) {
	if len(o) == 1 {
		return json.Marshal(o[0])
	}
	return json.Marshal([]string(o))
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// An identity is what an ID token says about the customer.
type identity struct {
	subject  string
	acr      string
	amr      []string
	authTime time.Time
	nonce    string
	claims   map[string]any
}

// idToken signs an ID token for the client, with the hash of the access token
// it comes with (OIDC-Core, Sections 2 and 3.1.3.6).
func (s *Server) idToken(ctx context.Context, v *visit, c *caller, kid, accessToken string, who identity) (string, error) {
	claims := map[string]any{}
	for name, value := range who.claims {
		claims[name] = value
	}
	claims["iss"], claims["sub"], claims["aud"] = v.Tenant.URL, who.subject, c.ID
	claims["iat"], claims["exp"] = v.At.Unix(), v.At.Add(v.Tenant.Settings.IDTokenLifetime).Unix()
	claims["auth_time"], claims["acr"] = who.authTime.Unix(), who.acr
	claims["at_hash"] = halfHash(signedWith(c.IDTokenAlg), accessToken)
	if len(who.amr) > 0 {
		claims["amr"] = who.amr
	}
	if who.nonce != "" {
		claims["nonce"] = who.nonce
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
