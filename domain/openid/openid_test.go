package openid_test

import (
	"errors"
	"testing"

	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/openid"
)

// What a client of such an issuer may not register, FAPI or not.
func TestClientsOfCIBA(t *testing.T) {
	tests := []struct {
		name   string
		change func(*oauth.ClientMetadata)
		clause oauth.Clause
	}{
		{"a good client", func(*oauth.ClientMetadata) {}, ""},
		{"one that proves nothing", func(m *oauth.ClientMetadata) { m.TokenEndpointAuthMethod = "none" }, "CIBA §4"},
		{"one with a shared secret", func(m *oauth.ClientMetadata) { m.TokenEndpointAuthMethod = "client_secret_basic" }, "RFC 9700 §2.5"},
		{"a grant that is none of its", func(m *oauth.ClientMetadata) { m.GrantTypes = append(m.GrantTypes, "password") }, "CIBA §4"},
		{"tokens in the browser", func(m *oauth.ClientMetadata) { m.ResponseTypes = []string{"token"} }, "RFC 9700 §2.1.2"},
		{"a redirect in the clear", func(m *oauth.ClientMetadata) { m.RedirectURIs = []string{"http://till.example/back"} }, "RFC 9700 §2.6"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := oauth.ClientMetadata{
				TokenEndpointAuthMethod: "private_key_jwt", JWKSURI: "https://till.example/jwks", DeliveryMode: oauth.Poll,
				GrantTypes: []string{oauth.GrantCIBA, "authorization_code"}, ResponseTypes: []string{"code"}, RedirectURIs: []string{"https://till.example/back"},
			}
			tt.change(&m)
			err := openid.CIBA.CheckClient(m, oauth.Server{})
			refusal, refused := errors.AsType[*oauth.Error](err)
			if refused != (tt.clause != "") || refused && refusal.By != tt.clause {
				t.Errorf("got %v; want %q", err, tt.clause)
			}
		})
	}
}

// What such a client does by redirect follows RFC 9700.
func TestRedirectsOfCIBA(t *testing.T) {
	for name, duty := range map[string]oauth.Duty{
		"pushed requests": openid.CIBA.PushedOnly, "exact redirect URIs": openid.CIBA.RedirectURI, "the iss parameter": openid.CIBA.IssParameter,
		"tokens in headers only": openid.CIBA.HeaderTokens, "refresh tokens that stay": openid.CIBA.NoRotation,
	} {
		if !duty.Demanded || duty.By == "" {
			t.Errorf("%s: not demanded", name)
		}
	}
	if openid.CIBA.PKCE.Permits("plain") {
		t.Error("a code challenge in the clear is permitted")
	}
	for name, limit := range map[string]oauth.Limit{
		"codes": openid.CIBA.CodeLifetime, "request_uri": openid.CIBA.PushedLifetime, "clocks ahead": openid.CIBA.ClockAhead, "clocks accepted": openid.CIBA.ClockAccept,
	} {
		if limit.Max <= 0 {
			t.Errorf("%s: not bounded", name)
		}
	}
}
