package oauth_test

import (
	"errors"
	"testing"

	"github.com/chirograph/chirograph/domain/oauth"
)

// OIDC-Registration §5, CIBA §4: the sector of a pairwise client.
func TestSector(t *testing.T) {
	const none = ""
	code := oauth.ClientMetadata{RedirectURIs: []string{"https://App.example/cb", "https://app.example/other"}}
	polls := oauth.ClientMetadata{DeliveryMode: oauth.Poll, JWKSURI: "https://keys.example/jwks"}
	pushed := oauth.ClientMetadata{DeliveryMode: oauth.Push, NotificationEndpoint: "https://till.example:8443/called", JWKSURI: "https://keys.example/jwks"}
	with := func(m oauth.ClientMetadata, change func(*oauth.ClientMetadata)) oauth.ClientMetadata {
		change(&m)
		return m
	}
	tests := []struct {
		name   string
		m      oauth.ClientMetadata
		sector string
		clause oauth.Clause
	}{
		{"the one host that browsers return to", code, "app.example", none},
		{"the host of the keys of a client that polls", polls, "keys.example", none},
		{"the host that is pushed to", pushed, "till.example", none},
		{"the host of the sector_identifier_uri before all", with(code, func(m *oauth.ClientMetadata) {
			m.RedirectURIs = append(m.RedirectURIs, "https://second.example/cb")
			m.SectorIdentifierURI = "https://Sector.example/list"
		}), "sector.example", none},
		{"not several hosts without one", with(code, func(m *oauth.ClientMetadata) { m.RedirectURIs = []string{"https://a.example/", "https://b.example/"} }),
			"a.example", "OIDC-Registration §5"},
		{"nor a browser's and that of the keys", with(polls, func(m *oauth.ClientMetadata) { m.RedirectURIs = code.RedirectURIs }), "app.example", "OIDC-Registration §5"},
		{"nor that of every device", with(code, func(m *oauth.ClientMetadata) { m.RedirectURIs = []string{"http://127.0.0.1/cb"} }), "127.0.0.1", "OIDC-Registration §5"},
		{"nor none", oauth.ClientMetadata{}, "", "OIDC-Registration §5"},
		{"who polls publishes its keys", with(polls, func(m *oauth.ClientMetadata) { m.JWKSURI = "" }), "", "CIBA §4"},
		{"also with a sector_identifier_uri", with(polls, func(m *oauth.ClientMetadata) {
			m.JWKSURI, m.SectorIdentifierURI = "", "https://sector.example/list"
		}), "sector.example", "CIBA §4"},
		{"a sector_identifier_uri must be https", with(code, func(m *oauth.ClientMetadata) { m.SectorIdentifierURI = "http://sector.example/list" }),
			"sector.example", "OIDC-Registration §5"},
		{"a resource server has none", oauth.ClientMetadata{Resources: []string{"https://r.example"}}, "", "OIDC-Registration §2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.m.SubjectType = oauth.Pairwise
			if got := tt.m.Sector(); got != tt.sector {
				t.Errorf("sector %q; want %q", got, tt.sector)
			}
			m := tt.m
			m.TokenEndpointAuthMethod, m.JWKS = "private_key_jwt", nil
			if m.JWKSURI == "" {
				m.JWKS = []byte(`{"keys":[]}`)
			}
			m.GrantTypes = []string{"client_credentials"}
			switch {
			case m.DeliveryMode != "":
				m.GrantTypes = []string{oauth.GrantCIBA}
			case m.ResourceServer():
				m.GrantTypes = nil
			}
			err := oauth.Profile{}.CheckClient(m, oauth.Server{Resources: m.Resources})
			refusal, refused := errors.AsType[*oauth.Error](err)
			if refused != (tt.clause != none) || refused && (refusal.By != tt.clause || refusal.Code != oauth.InvalidClientMetadata) {
				t.Errorf("got %v; want %q", err, tt.clause)
			}
		})
	}
}

func TestSubjectTypes(t *testing.T) {
	for kind, good := range map[string]bool{"": true, "public": true, "ephemeral": false} {
		m := oauth.ClientMetadata{SubjectType: kind, TokenEndpointAuthMethod: "tls_client_auth", TLSSubjectDN: "CN=till"}
		if err := (oauth.Profile{}).CheckClient(m, oauth.Server{}); (err == nil) != good {
			t.Errorf("%q: %v", kind, err)
		}
		m.SectorIdentifierURI = "http://sector.example/list"
		if err := (oauth.Profile{}).CheckClient(m, oauth.Server{}); err == nil {
			t.Errorf("%q: it may name a sector without https", kind)
		}
	}
}

// What a sector_identifier_uri lists holds everything that ties the client to a
// sector.
func TestCheckSector(t *testing.T) {
	m := oauth.ClientMetadata{RedirectURIs: []string{"https://a.example/", "https://b.example/"}, DeliveryMode: oauth.Ping, JWKSURI: "https://k.example/", NotificationEndpoint: "https://n.example/"}
	all := []string{"https://k.example/", "https://b.example/", "https://a.example/", "https://other.example/"}
	for name, tt := range map[string]struct {
		listed []string
		good   bool
	}{
		"all, among others": {all, true},
		"not the keys":      {all[1:], false},
		"not a redirect":    {all[:2], false},
		"nothing":           {nil, false},
		"another spelling":  {[]string{"https://k.example", "https://b.example/", "https://a.example/"}, false},
	} {
		if err := m.CheckSector(tt.listed); (err == nil) != tt.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// CIBA §4: who proves that the keys of the sector are its own.
func TestProvesSector(t *testing.T) {
	tests := []struct {
		subject, method string
		signed, good    bool
	}{
		{oauth.Pairwise, "tls_client_auth", false, false},
		{oauth.Pairwise, "tls_client_auth", true, true},
		{oauth.Pairwise, "private_key_jwt", false, true},
		{oauth.Pairwise, "self_signed_tls_client_auth", false, true},
		{"public", "tls_client_auth", false, true},
	}
	for _, tt := range tests {
		c := oauth.Client{ClientMetadata: oauth.ClientMetadata{SubjectType: tt.subject, TokenEndpointAuthMethod: tt.method}}
		if err := c.ProvesSector(tt.signed); (err == nil) != tt.good || err != nil && !errors.Is(err, oauth.InvalidRequest) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}
