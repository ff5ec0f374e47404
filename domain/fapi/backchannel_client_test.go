package fapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/openid"
)

const called = "https://till.example/called"

func TestCheckBackchannelClient(t *testing.T) {
	for _, r := range tillRows {
		r.under(t, fapi.CIBA)
	}
	for _, r := range openRows {
		r.under(t, openid.CIBA)
	}
	registering("a mode where nobody knows any", "CIBA §4", func(m *oauth.ClientMetadata) { m.GrantTypes, m.DeliveryMode = nil, "pigeon" }).under(t, fapi.SecurityProfile)
	registering("backchannel authentication where none is", "FAPI2-SP §5.3.2.1-2.2", func(m *oauth.ClientMetadata) { m.GrantTypes = nil }).under(t, fapi.SecurityProfile)
}

// tillRows are of clients that FAPI binds.
var tillRows = []row{
	registering("a client that is pinged", "", func(m *oauth.ClientMetadata) {}),
	registering("a client that polls", "", func(m *oauth.ClientMetadata) { m.DeliveryMode, m.NotificationEndpoint = oauth.Poll, "" }),
	registering("refresh tokens", "", func(m *oauth.ClientMetadata) { m.GrantTypes = append(m.GrantTypes, "refresh_token") }),
	registering("user codes", "", func(m *oauth.ClientMetadata) { m.UserCodes = true }),
	registering("types of hint tokens", "", func(m *oauth.ClientMetadata) { m.HintTokenTypes = slices.Repeat([]string{strings.Repeat("t", 128)}, 8) }),
	registering("somewhere for events", "", func(m *oauth.ClientMetadata) { m.EventEndpoint = "https://till.example/events" }),

	registering("no delivery mode", "CIBA §4", func(m *oauth.ClientMetadata) { m.DeliveryMode, m.NotificationEndpoint = "", "" }),
	registering("an unknown delivery mode", "FAPI-CIBA-ID1 §5.2.2-3", func(m *oauth.ClientMetadata) { m.DeliveryMode = "pigeon" }),
	registering("push", "FAPI-CIBA-ID1 §5.2.2-3", func(m *oauth.ClientMetadata) { m.DeliveryMode = oauth.Push }),
	registering("polling without the grant", "CIBA §4", func(m *oauth.ClientMetadata) {
		m.GrantTypes, m.DeliveryMode, m.NotificationEndpoint = []string{"client_credentials"}, oauth.Poll, ""
	}),
	registering("a ping to nowhere", "CIBA §4", func(m *oauth.ClientMetadata) { m.NotificationEndpoint = "" }),
	registering("a ping in the clear", "CIBA §4", func(m *oauth.ClientMetadata) { m.NotificationEndpoint = "http://till.example/called" }),
	registering("a ping to a fragment", "CIBA §4", func(m *oauth.ClientMetadata) { m.NotificationEndpoint = called + "#here" }),
	registering("a ping too far away", "CIBA §4", func(m *oauth.ClientMetadata) { m.NotificationEndpoint = called + strings.Repeat("d", 2048) }),
	registering("a poll that is called", "CIBA §4", func(m *oauth.ClientMetadata) { m.DeliveryMode = oauth.Poll }),
	registering("requests that are not signed", "FAPI-CIBA-ID1 §5.2.2-6", func(m *oauth.ClientMetadata) { m.RequestAlg = "" }),
	registering("requests signed with RS256", "FAPI1-ADV §8.6-1", func(m *oauth.ClientMetadata) { m.RequestAlg = "RS256" }),
	registering("requests signed with nothing", "FAPI1-ADV §8.6-1", func(m *oauth.ClientMetadata) { m.RequestAlg = "none" }),
	registering("requests signed without a key", "RFC 7591 §2", func(m *oauth.ClientMetadata) {
		m.JWKS, m.TokenEndpointAuthMethod, m.TLSSubjectDN = nil, "tls_client_auth", "CN=till"
	}),
	registering("refresh tokens without a grant", "RFC 7591 §2.1", func(m *oauth.ClientMetadata) {
		m.GrantTypes, m.DeliveryMode, m.NotificationEndpoint = []string{"refresh_token"}, "", ""
	}),
	registering("too many types of hint tokens", "FAPI-CIBA-ID1 §7", func(m *oauth.ClientMetadata) { m.HintTokenTypes = slices.Repeat([]string{"t"}, 9) }),
	registering("a type without a name", "FAPI-CIBA-ID1 §7", func(m *oauth.ClientMetadata) { m.HintTokenTypes = []string{""} }),
	registering("a type of markup", "FAPI-CIBA-ID1 §7", func(m *oauth.ClientMetadata) { m.HintTokenTypes = []string{"<t>"} }),
	registering("a type without end", "FAPI-CIBA-ID1 §7", func(m *oauth.ClientMetadata) { m.HintTokenTypes = []string{strings.Repeat("t", 129)} }),
	registering("events in the clear", "RFC 8935 §2", func(m *oauth.ClientMetadata) { m.EventEndpoint = "http://till.example/events" }),
	registering("events too far away", "RFC 8935 §2", func(m *oauth.ClientMetadata) { m.EventEndpoint = called + strings.Repeat("d", 2048) }),
	{"user codes where none are", "CIBA §4", bad, func(p oauth.Profile) error {
		m := tillMetadata()
		m.UserCodes = true
		return p.CheckClient(m, bank)
	}},
}

// openRows are of clients that FAPI does not bind.
var openRows = []row{
	registering("push", "", func(m *oauth.ClientMetadata) { m.DeliveryMode = oauth.Push }),
	registering("push without the grant", "", func(m *oauth.ClientMetadata) { m.DeliveryMode, m.GrantTypes = oauth.Push, []string{"refresh_token"} }),
	registering("requests that are not signed", "", func(m *oauth.ClientMetadata) { m.RequestAlg = "" }),
	registering("requests signed with EdDSA", "", func(m *oauth.ClientMetadata) { m.RequestAlg = "EdDSA" }),
	registering("tokens bound to nothing", "", func(m *oauth.ClientMetadata) { m.TLSBoundTokens = false }),
	registering("a push to nowhere", "CIBA §4", func(m *oauth.ClientMetadata) { m.DeliveryMode, m.NotificationEndpoint = oauth.Push, "" }),
	registering("requests signed with a secret", "CIBA §4", func(m *oauth.ClientMetadata) { m.RequestAlg = "HS256" }),
	registering("a mode that nobody knows", "CIBA §5", func(m *oauth.ClientMetadata) { m.DeliveryMode = "pigeon" }),
}

func tillMetadata() oauth.ClientMetadata {
	return oauth.ClientMetadata{
		TokenEndpointAuthMethod: "private_key_jwt", JWKS: keys, GrantTypes: []string{oauth.GrantCIBA}, Scope: "openid accounts", ClientName: "Till",
		TLSBoundTokens: true, DeliveryMode: oauth.Ping, NotificationEndpoint: called, RequestAlg: "ES256",
	}
}

func registering(name string, clause oauth.Clause, change func(*oauth.ClientMetadata)) row {
	return row{name, clause, bad, func(p oauth.Profile) error {
		m, s := tillMetadata(), bank
		s.UserCodes = true
		change(&m)
		return p.CheckClient(m, s)
	}}
}
