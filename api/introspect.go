package api

import (
	"net/http"
	"slices"

	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
)

// introspect serves the introspection endpoint (RFC 7662, Section 2). Only
// registered resource servers may ask, and only about tokens meant for them;
// about any other token the answer is that it is not active.
func (s *Server) introspect(v *visit) error {
	params, _, err := form(v.Request())
	if err != nil {
		return err
	}
	c, err := s.authenticate(v, params)
	if err != nil {
		return err
	}
	switch {
	case !c.ResourceServer():
		e := oauth.Refuse(oauth.UnauthorizedClient, "RFC 7662 §4", "only resource servers may introspect")
		return &httpError{e, http.StatusForbidden, 0}
	case params.Get("token") == "":
		return oauth.Refuse(oauth.InvalidRequest, "RFC 7662 §2.1", "token is required")
	}
	if err := s.remember(v.Request().Context(), c, c.Once); err != nil {
		return err
	}
	found, err := s.check(v.Request().Context(), v, params.Get("token"))
	switch {
	case inactive(err):
		return v.JSON(http.StatusOK, introspection{})
	case err != nil:
		return err
	}
	meant := slices.ContainsFunc(found.token.Issued().Audience, func(a string) bool { return slices.Contains(c.Resources, a) })
	if !meant {
		return v.JSON(http.StatusOK, introspection{})
	}
	return v.JSON(http.StatusOK, s.describeToken(v.Tenant, found))
}

// describeToken names the customer as the token does.
func (s *Server) describeToken(t Tenant, l live) introspection {
	e := l.token.Issued()
	subject := e.Client
	if e.Subject != "" {
		subject = s.subjectFor(l.holder, e.Subject)
	}
	return introspection{
		Active: true, Scope: e.Scope, Client: e.Client, TokenType: tokenType(e.Confirmation),
		Expires: e.Expires.Unix(), Subject: subject, Audience: e.Audience, Issuer: t.URL, ID: l.id,
		Confirmation: e.Confirmation, ACR: e.ACR, AuthTime: unix(e.AuthTime), Details: l.details(), Consent: e.Consent,
	}
}

// introspection is RFC 7662, Section 2.2, with RFC 8705, RFC 9396 and RFC 9470.
type introspection struct {
	Active       bool               `json:"active"`
	Scope        string             `json:"scope,omitempty"`
	Client       string             `json:"client_id,omitempty"`
	TokenType    string             `json:"token_type,omitempty"`
	Expires      int64              `json:"exp,omitempty"`
	Subject      string             `json:"sub,omitempty"`
	Audience     oneOrMore          `json:"aud,omitempty"`
	Issuer       string             `json:"iss,omitempty"`
	ID           string             `json:"jti,omitempty"`
	Confirmation token.Confirmation `json:"cnf,omitzero"`
	ACR          string             `json:"acr,omitempty"`
	AuthTime     int64              `json:"auth_time,omitempty"`
	Details      []oauth.Detail     `json:"authorization_details,omitempty"`
	Consent      string             `json:"consent_id,omitempty"`
}
