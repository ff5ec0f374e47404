package fapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/openid"
)

// till asks for customers at the till of a shop.
var till = oauth.Client{ID: "till", ClientMetadata: oauth.ClientMetadata{
	GrantTypes: []string{oauth.GrantCIBA}, Scope: "openid accounts", DeliveryMode: oauth.Ping, RequestAlg: "ES256", UserCodes: true,
}}

var askAlice = oauth.BackchannelRequest{
	Scope: "openid accounts", LoginHint: "alice", BindingMessage: "1234", NotificationToken: strings.Repeat("t", 22),
}

const account = `[{"type":"account_information","permissions":["ReadBalances"]}]`

func TestCheckBackchannel(t *testing.T) {
	for _, r := range backchannelRows {
		r.under(t, fapi.CIBA)
	}
}

const (
	badRequest = oauth.InvalidRequest
	badMessage = oauth.InvalidBindingMessage
)

type (
	asks    = func(*oauth.BackchannelRequest)
	asksFor = func(*oauth.BackchannelRequest, *oauth.Client)
)

var backchannelRows = []row{
	backchannel("a good request", "", "", func(r *oauth.BackchannelRequest) {}),
	backchannel("the scopes in another order", "", "", func(r *oauth.BackchannelRequest) { r.Scope = "accounts openid" }),
	backchannel("everything as long as permitted", "", "", func(r *oauth.BackchannelRequest) {
		r.Scope, r.ACRValues, r.LoginHint = long("openid", 1024), long("urn:bank:sca", 1024), long("alice", 2048)
		r.NotificationToken, r.BindingMessage, r.UserCode = strings.Repeat("t", 1024), strings.Repeat("ß", 64), strings.Repeat("7", 64)
		r.AuthorizationDetails, r.RequestContext, r.RequestedExpiry = long(account, 16<<10), long("{}", 8<<10), "2147483648"
		r.Resource = slices.Repeat(bank.Resources, 8)
	}),
	backchannel("the longest login_hint_token", "", "", func(r *oauth.BackchannelRequest) { r.LoginHint, r.LoginHintToken = "", strings.Repeat("j", 8<<10) }),
	backchannel("the longest id_token_hint", "", "", func(r *oauth.BackchannelRequest) { r.LoginHint, r.IDTokenHint = "", strings.Repeat("j", 4096) }),
	backchannel("details in place of a message", "", "", func(r *oauth.BackchannelRequest) { r.BindingMessage, r.AuthorizationDetails = "", account }),
	backchannel("every character that a token may have", "", "", func(r *oauth.BackchannelRequest) { r.NotificationToken = "azAZ09-._~+/azAZ09-._~==" }),
	backchannel("a message with accents and a coin", "", "", func(r *oauth.BackchannelRequest) { r.BindingMessage = "Café Zürich № 7 ¤" }),
	asking("a token of a client that polls", "", "", func(r *oauth.BackchannelRequest, c *oauth.Client) {
		c.DeliveryMode, r.NotificationToken = oauth.Poll, "<ignored>"
	}),
	asking("a client that polls without a token", "", "", func(r *oauth.BackchannelRequest, c *oauth.Client) {
		c.DeliveryMode, r.NotificationToken = oauth.Poll, ""
	}),

	asking("a client that was pushed to before the profile", "FAPI-CIBA-ID1 §5.2.2-3", oauth.UnauthorizedClient, func(_ *oauth.BackchannelRequest, c *oauth.Client) {
		c.DeliveryMode = oauth.Push
	}),
	asking("a client without a delivery mode", "CIBA §13", oauth.UnauthorizedClient, func(_ *oauth.BackchannelRequest, c *oauth.Client) { c.DeliveryMode = "" }),
	asking("a client without the grant", "CIBA §13", oauth.UnauthorizedClient, func(_ *oauth.BackchannelRequest, c *oauth.Client) { c.GrantTypes = nil }),
	asking("a resource server", "CIBA §13", oauth.UnauthorizedClient, func(_ *oauth.BackchannelRequest, c *oauth.Client) { c.Resources = bank.Resources }),

	backchannel("no scope", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.Scope = "" }),
	backchannel("scope without openid", "CIBA §7.1", oauth.InvalidScope, func(r *oauth.BackchannelRequest) { r.Scope = "accounts" }),
	backchannel("a scope that is not registered", "RFC 6749 §3.3", oauth.InvalidScope, func(r *oauth.BackchannelRequest) { r.Scope = "openid email" }),
	asking("a scope that nobody knows", "RFC 6749 §3.3", oauth.InvalidScope, func(r *oauth.BackchannelRequest, c *oauth.Client) { r.Scope, c.Scope = "openid odd", "openid odd" }),
	backchannel("a scope with a quote", "RFC 6749 §3.3", oauth.InvalidScope, func(r *oauth.BackchannelRequest) { r.Scope = `openid "` }),
	backchannel("a scope without end", "CIBA §13", badRequest, func(r *oauth.BackchannelRequest) { r.Scope = long("openid", 1025) }),

	backchannel("no hint", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.LoginHint = "" }),
	backchannel("a name and a token", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.LoginHintToken = "e30.e30.c2ln" }),
	backchannel("a name and an ID token", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.IDTokenHint = "e30.e30.c2ln" }),
	backchannel("three hints", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.IDTokenHint, r.LoginHintToken = "e", "e" }),
	backchannel("a name without end", "CIBA §13", badRequest, func(r *oauth.BackchannelRequest) { r.LoginHint = long("a", 2049) }),
	backchannel("a name that is no text", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.LoginHint = "\xff" }),
	backchannel("a hint token without end", "CIBA §13", badRequest, func(r *oauth.BackchannelRequest) { r.LoginHintToken = long("a", 8<<10+1) }),
	backchannel("an ID token without end", "CIBA §13", badRequest, func(r *oauth.BackchannelRequest) { r.IDTokenHint = long("a", 4097) }),

	backchannel("no token to call with", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.NotificationToken = "" }),
	backchannel("a token of 1025 characters", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.NotificationToken = strings.Repeat("t", 1025) }),
	backchannel("a token that can be guessed", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.NotificationToken = strings.Repeat("t", 21) }),
	backchannel("a token with a space", "RFC 6750 §2.1", badRequest, func(r *oauth.BackchannelRequest) { r.NotificationToken = strings.Repeat("t", 22) + " t" }),
	backchannel("a token that ends a header", "RFC 6750 §2.1", badRequest, func(r *oauth.BackchannelRequest) { r.NotificationToken = strings.Repeat("t", 22) + "\r\nX: y" }),
	backchannel("a token of padding", "RFC 6750 §2.1", badRequest, func(r *oauth.BackchannelRequest) { r.NotificationToken = strings.Repeat("=", 22) }),
	backchannel("padding within a token", "RFC 6750 §2.1", badRequest, func(r *oauth.BackchannelRequest) { r.NotificationToken = strings.Repeat("t", 22) + "=t" }),

	backchannel("neither message nor details", "FAPI-CIBA-ID1 §5.2.2-2", badRequest, func(r *oauth.BackchannelRequest) { r.BindingMessage = "" }),
	backchannel("a message of 65 characters", "CIBA §13", badMessage, func(r *oauth.BackchannelRequest) { r.BindingMessage = strings.Repeat("ß", 65) }),
	backchannel("markup in the message", "CIBA §13", badMessage, func(r *oauth.BackchannelRequest) { r.BindingMessage = "<b>1234</b>" }),
	backchannel("a direction mark in the message", "CIBA §13", badMessage, func(r *oauth.BackchannelRequest) { r.BindingMessage = "12\u202e34" }),
	backchannel("a line break in the message", "CIBA §13", badMessage, func(r *oauth.BackchannelRequest) { r.BindingMessage = "12\n34" }),
	backchannel("a message of spaces", "CIBA §13", badMessage, func(r *oauth.BackchannelRequest) { r.BindingMessage = "   " }),
	backchannel("a message of letters that are not seen", "CIBA §13", badMessage, func(r *oauth.BackchannelRequest) { r.BindingMessage = "\u3164\u115f \u2800" }),
	backchannel("a message of marks on nothing", "CIBA §13", badMessage, func(r *oauth.BackchannelRequest) { r.BindingMessage = "\u0301" }),
	backchannel("marks that cover other lines", "CIBA §13", badMessage, func(r *oauth.BackchannelRequest) { r.BindingMessage = "1" + strings.Repeat("\u0301", 4) }),
	backchannel("marks on a character", "", "", func(r *oauth.BackchannelRequest) { r.BindingMessage = "1" + strings.Repeat("\u0301", 3) + "e\u0301" }),
	backchannel("a message that is no text", "CIBA §13", badMessage, func(r *oauth.BackchannelRequest) { r.BindingMessage = "12\xff" }),

	asking("a code of a client without them", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest, c *oauth.Client) { r.UserCode, c.UserCodes = "1234", false }),
	backchannel("a code without end", "CIBA §13", oauth.InvalidUserCode, func(r *oauth.BackchannelRequest) { r.UserCode = strings.Repeat("7", 65) }),
	backchannel("a code that cannot be typed", "CIBA §13", oauth.InvalidUserCode, func(r *oauth.BackchannelRequest) { r.UserCode = "12\x0034" }),

	backchannel("an expiry of 0", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.RequestedExpiry = "0" }),
	backchannel("a negative expiry", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.RequestedExpiry = "-10" }),
	backchannel("an expiry with a fraction", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.RequestedExpiry = "10.5" }),
	backchannel("an expiry in words", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.RequestedExpiry = "ten" }),
	backchannel("an endless expiry", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.RequestedExpiry = strings.Repeat("9", 11) }),

	backchannel("a context that is no object", "FAPI-CIBA-ID1 §5.3", badRequest, func(r *oauth.BackchannelRequest) { r.RequestContext = `["till 3"]` }),
	backchannel("a context that says a thing twice", "FAPI-CIBA-ID1 §5.3", badRequest, func(r *oauth.BackchannelRequest) { r.RequestContext = `{"till":1,"till":2}` }),
	backchannel("a context without end", "CIBA §13", badRequest, func(r *oauth.BackchannelRequest) { r.RequestContext = long("{}", 8<<10+1) }),
	backchannel("acr_values without end", "CIBA §13", badRequest, func(r *oauth.BackchannelRequest) { r.ACRValues = long("a", 1025) }),
	backchannel("acr_values with a line break", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest) { r.ACRValues = "a\nb" }),
	backchannel("details without end", "CIBA §13", badRequest, func(r *oauth.BackchannelRequest) { r.AuthorizationDetails = long(account, 16<<10+1) }),
	backchannel("details of an unknown type", "RFC 9396 §5", oauth.InvalidAuthorizationDetails, func(r *oauth.BackchannelRequest) { r.AuthorizationDetails = `[{"type":"payment"}]` }),
	backchannel("details that have ended", "RFC 9396 §5", oauth.InvalidAuthorizationDetails, func(r *oauth.BackchannelRequest) {
		r.AuthorizationDetails = `[{"type":"account_information","permissions":["ReadBalances"],"expires_at":"2025-12-31T00:00:00Z"}]`
	}),
	backchannel("an unknown resource", "RFC 8707 §2", oauth.InvalidTarget, func(r *oauth.BackchannelRequest) { r.Resource = []string{"https://other.example"} }),
	backchannel("a resource too often", "RFC 8707 §2", oauth.InvalidTarget, func(r *oauth.BackchannelRequest) { r.Resource = slices.Repeat(bank.Resources, 9) }),

	signing("a signed request", "", "", true, "ES256"),
	signing("a request that is not signed", "FAPI-CIBA-ID1 §5.2.2-6", badRequest, false, "ES256"),
	signing("a signed request of a client that does not sign", "CIBA §4", badRequest, true, ""),
}

func backchannel(name string, clause oauth.Clause, code oauth.Code, change asks) row {
	return asking(name, clause, code, func(r *oauth.BackchannelRequest, _ *oauth.Client) { change(r) })
}

func asking(name string, clause oauth.Clause, code oauth.Code, change asksFor) row {
	return row{name, clause, code, func(p oauth.Profile) error {
		r, c, s := askAlice, till, bank
		s.UserCodes = true
		change(&r, &c)
		return p.CheckBackchannel(r, c, s)
	}}
}

func signing(name string, clause oauth.Clause, code oauth.Code, signed bool, alg string) row {
	return row{name, clause, code, func(p oauth.Profile) error {
		c := till
		c.RequestAlg = alg
		return p.CheckSigning(signed, c)
	}}
}

// Outside FAPI, a client signs its requests if it registered how.
func TestCheckSigning(t *testing.T) {
	signing("a client that signs and does not", "CIBA §4", badRequest, false, "EdDSA").under(t, openid.CIBA)
	signing("a client that does not sign", "", "", false, "").under(t, openid.CIBA)
	backchannel("neither message nor details", "", "", func(r *oauth.BackchannelRequest) { r.BindingMessage = "" }).under(t, openid.CIBA)
	asking("a push client needs no grant type", "", "", func(_ *oauth.BackchannelRequest, c *oauth.Client) {
		c.GrantTypes, c.DeliveryMode = nil, oauth.Push
	}).under(t, openid.CIBA)
	asking("no token to push with", "CIBA §7.1", badRequest, func(r *oauth.BackchannelRequest, c *oauth.Client) {
		c.DeliveryMode, r.NotificationToken = oauth.Push, ""
	}).under(t, openid.CIBA)
}

// A code is one of the issuer's business too.
func TestUserCodesOfNobody(t *testing.T) {
	r := askAlice
	r.UserCode = "1234"
	if err := openid.CIBA.CheckBackchannel(r, till, bank); by(err) != "CIBA §7.1" {
		t.Errorf("an issuer without user codes: %v", err)
	}
}
