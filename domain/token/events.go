package token

import (
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// Event is the closed set of facts about an access token.
//
//sumtype:decl
type Event interface{ isEvent() }

type (
	// Issued records an access token before it is sent. What the consent says
	// is not repeated, save details that the token request narrowed.
	Issued struct {
		Client        string         `json:"client_id"`
		Subject       string         `json:"sub,omitempty"`
		Consent       string         `json:"consent,omitempty"`
		Authorization string         `json:"authorization,omitempty"`
		Backchannel   string         `json:"backchannel,omitempty"`
		Refresh       string         `json:"refresh,omitempty"` // id of the refresh token that came with it or led to it
		Scope         string         `json:"scope,omitempty"`
		Details       []oauth.Detail `json:"authorization_details,omitempty"` // narrowed ones only; sealed
		Audience      []string       `json:"aud"`
		Expires       time.Time      `json:"exp"`
		Confirmation  Confirmation   `json:"cnf,omitzero"`
		Key           string         `json:"kid,omitempty"`    // of the signature of a JWT
		Digest        string         `json:"digest,omitempty"` // of the secret of an opaque token
		ACR           string         `json:"acr,omitempty"`
		AuthTime      time.Time      `json:"auth_time,omitzero"`
		IDTokenKey    string         `json:"id_token_kid,omitempty"` // an ID token went with it, signed by this key
		Evidence      oauth.Evidence `json:"evidence"`
	}

	// Revoked ends a token before its expiry, or before it was issued.
	Revoked struct {
		By     string `json:"by"` // "client", "customer", "bank", "system"
		Reason string `json:"reason"`
	}
)

// Confirmation is the key a token is bound to (RFC 7800, Section 3.1).
type Confirmation struct {
	JKT  string `json:"jkt,omitempty"`      // RFC 9449, Section 6.1
	X5TS string `json:"x5t#S256,omitempty"` // RFC 8705, Section 3.1
}

// Bound reports whether the token is bound to any key.
func (c Confirmation) Bound() bool { return c != Confirmation{} }

func (Issued) isEvent()  {}
func (Revoked) isEvent() {}

// RefreshEvent is the closed set of facts about a refresh token.
//
//sumtype:decl
type RefreshEvent interface{ isRefreshEvent() }

type (
	// RefreshIssued records a refresh token before it is sent.
	RefreshIssued struct {
		Client        string    `json:"client_id"`
		Subject       string    `json:"sub"`
		Consent       string    `json:"consent"`
		Authorization string    `json:"authorization,omitempty"`
		Backchannel   string    `json:"backchannel,omitempty"`
		Scope         string    `json:"scope,omitempty"`
		Resources     []string  `json:"resource,omitempty"`
		Digest        string    `json:"digest"`
		Expires       time.Time `json:"exp"` // the consent's
	}

	// RefreshRevoked ends a refresh token and every access token it led to, or
	// ends it before it was issued.
	RefreshRevoked struct {
		By     string `json:"by"`
		Reason string `json:"reason"`
	}
)

func (RefreshIssued) isRefreshEvent()  {}
func (RefreshRevoked) isRefreshEvent() {}

// Events declares every event of access and refresh tokens.
var Events = []event.Declaration{
	event.Type[Issued]{
		Name:   "token.issued",
		Past:   []event.Upcaster{event.Added},
		Sealed: []string{"authorization_details"},
		Audit: func(e Issued, n event.Names) string {
			how := ""
			switch {
			case e.Refresh != "" && e.Authorization == "" && e.Backchannel == "":
				how = " by refresh"
			case e.Subject == "":
				how = " for itself"
			}
			return n.Client(e.Client) + " was issued an access token" + how + ", valid until " + e.Expires.UTC().Format("15:04:05 UTC")
		},
	},
	event.Type[Revoked]{
		Name: "token.revoked",
		Audit: func(e Revoked, _ event.Names) string {
			return "the access token was revoked by the " + e.By + ": " + e.Reason
		},
	},
	event.Type[RefreshIssued]{
		Name: "refresh.issued",
		Past: []event.Upcaster{event.Added},
		Audit: func(e RefreshIssued, n event.Names) string {
			return n.Client(e.Client) + " was issued a refresh token"
		},
	},
	event.Type[RefreshRevoked]{
		Name: "refresh.revoked",
		Audit: func(e RefreshRevoked, _ event.Names) string {
			return "the refresh token was revoked by the " + e.By + ": " + e.Reason
		},
	},
}
