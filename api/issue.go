package api

import (
	"context"
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
func (s *Server) prepare(ctx context.Context, m moment, c *caller, e token.Issued, details []oauth.Detail) (issuance, error) {
	e.Client, e.Evidence = c.ID, c.Evidence
	e.Expires = m.At.Add(m.Tenant.Settings.AccessTokenLifetime).Truncate(time.Second)
	in := issuance{details: details, jwt: c.AccessTokenFormat != "opaque"}
	if in.jwt {
		kid, err := s.activeKey(ctx, m.Tenant.ID, "")
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
func (s *Server) write(ctx context.Context, m moment, c *caller, in issuance) (string, error) {
	if !in.jwt {
		return in.opaque.Text(), nil
	}
	e := in.event
	subject := e.Client // RFC 9068 §2.2
	if e.Subject != "" {
		subject = s.subjectFor(c.Client, e.Subject)
	}
	claims, err := json.Marshal(accessClaims{
		Issuer: m.Tenant.URL, Subject: subject, Audience: e.Audience, Client: e.Client, ID: in.id,
		Issued: m.At.Unix(), Expires: e.Expires.Unix(), Scope: e.Scope, Confirmation: e.Confirmation,
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
