package fapi_test

import (
	"errors"
	"testing"

	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/oauth"
)

// What a client of FAPI-CIBA may not register.
func TestClientsOfCIBA(t *testing.T) {
	tests := []struct {
		name   string
		change func(*oauth.ClientMetadata)
		clause oauth.Clause
	}{
		{"a good client", func(*oauth.ClientMetadata) {}, ""},
		{"one that proves nothing", func(m *oauth.ClientMetadata) { m.TokenEndpointAuthMethod = "none" }, "FAPI-CIBA-ID1 §5.2.2-1"},
		{"one with a shared secret", func(m *oauth.ClientMetadata) { m.TokenEndpointAuthMethod = "client_secret_jwt" }, "FAPI1-ADV §5.2.2-14"},
		{"tokens that nothing binds", func(m *oauth.ClientMetadata) { m.TLSBoundTokens = false }, "FAPI1-ADV §5.2.2-5"},
		{"tokens bound by proof", func(m *oauth.ClientMetadata) { m.TLSBoundTokens, m.DPoPBoundTokens = false, true }, "FAPI1-ADV §5.2.2-5"},
		{"a grant that is none of its", func(m *oauth.ClientMetadata) { m.GrantTypes = append(m.GrantTypes, "password") }, "FAPI-CIBA-ID1 §5.2.2-4"},
		{"tokens in the browser", func(m *oauth.ClientMetadata) { m.ResponseTypes = []string{"token"} }, "FAPI2-SP §5.3.2.2-2.1"},
		{"a redirect in the clear", func(m *oauth.ClientMetadata) { m.RedirectURIs = []string{"http://till.example/back"} }, "FAPI2-SP §5.3.2.2-2.8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := oauth.ClientMetadata{
				TokenEndpointAuthMethod: "private_key_jwt", JWKSURI: "https://till.example/jwks", DeliveryMode: oauth.Poll, RequestAlg: "ES256", TLSBoundTokens: true,
				GrantTypes: []string{oauth.GrantCIBA, "authorization_code"}, ResponseTypes: []string{"code"}, RedirectURIs: []string{"https://till.example/back"},
			}
			tt.change(&m)
			err := fapi.CIBA.CheckClient(m, oauth.Server{})
			refusal, refused := errors.AsType[*oauth.Error](err)
			if refused != (tt.clause != "") || refused && refusal.By != tt.clause {
				t.Errorf("got %v; want %q", err, tt.clause)
			}
		})
	}
}

// What a client of FAPI-CIBA does by redirect is held to the FAPI 2.0 Security
// Profile.
func TestRedirectsOfCIBA(t *testing.T) {
	mine, theirs := fapi.CIBA, fapi.SecurityProfile
	for name, duty := range map[string][2]oauth.Duty{
		"pushed requests": {mine.PushedOnly, theirs.PushedOnly}, "exact redirect URIs": {mine.RedirectURI, theirs.RedirectURI},
		"the iss parameter": {mine.IssParameter, theirs.IssParameter}, "refresh tokens that stay": {mine.NoRotation, theirs.NoRotation},
	} {
		if duty[0] != duty[1] {
			t.Errorf("%s: %+v, and there %+v", name, duty[0], duty[1])
		}
	}
	if !mine.HeaderTokens.Demanded || mine.PKCE.Permits("plain") || mine.ClockAccept != theirs.ClockAccept || mine.ClockAhead != theirs.ClockAhead {
		t.Errorf("got %+v", mine)
	}
}
