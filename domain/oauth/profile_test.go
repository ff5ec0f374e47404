package oauth_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// A profile that demands nothing leaves only what every server must check.
func TestFreeProfile(t *testing.T) {
	var free oauth.Profile
	now := time.Now()
	c := oauth.Client{ID: "c", ClientMetadata: oauth.ClientMetadata{
		RedirectURIs: []string{"https://c.example/cb"}, GrantTypes: []string{"authorization_code"}, Scope: "s",
	}}
	r := oauth.AuthorizationRequest{ClientID: "c", ResponseType: "code token", Scope: "s"}
	if err := free.Check(r, c, oauth.Server{Scopes: []string{"s"}}); err != nil {
		t.Errorf("a request was refused: %v", err)
	}
	r.CodeChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	judge(t, free.Check(r, c, oauth.Server{Scopes: []string{"s"}}), oauth.InvalidRequest, "RFC 7636 §4.4.1")

	a := oauth.Assertion{Issuer: "c", Subject: "c", Audience: []string{"https://as.example/token", "https://as.example"}, ID: "1", Expires: now.Add(1)}
	j := oauth.Judging{Now: now, Issuer: "https://as.example"}
	if err := free.CheckAssertion(a, "c", j); err != nil {
		t.Errorf("an assertion was refused: %v", err)
	}
	a.IssuedAt = now.Add(time.Hour)
	if err := free.CheckAssertion(a, "c", j); err != nil {
		t.Errorf("a clock was limited by nobody: %v", err)
	}
	a.Audience = a.Audience[:1]
	judge(t, free.CheckAssertion(a, "c", j), oauth.InvalidClient, "RFC 7523 §3")
	if got := free.Demands(); len(got) != 0 {
		t.Errorf("it demands %v", got)
	}
}

func TestDefaults(t *testing.T) {
	p := oauth.Profile{SigningAlgs: oauth.Only("ES256"), SenderBinding: oauth.Only("dpop", "mtls")}
	tests := []struct {
		name    string
		profile oauth.Profile
		sent    oauth.ClientMetadata
		want    oauth.ClientMetadata
	}{
		{"a client that says nothing", p, oauth.ClientMetadata{}, oauth.ClientMetadata{
			GrantTypes: []string{"authorization_code"}, ResponseTypes: []string{"code"}, IDTokenAlg: "ES256", AccessTokenFormat: "jwt", DPoPBoundTokens: true,
		}},
		{"a client of mutual TLS", p, oauth.ClientMetadata{GrantTypes: []string{"client_credentials"}, TokenEndpointAuthMethod: "tls_client_auth"}, oauth.ClientMetadata{
			GrantTypes: []string{"client_credentials"}, TokenEndpointAuthMethod: "tls_client_auth", IDTokenAlg: "ES256", AccessTokenFormat: "jwt", TLSBoundTokens: true,
		}},
		{"a resource server", p, oauth.ClientMetadata{Resources: []string{"urn:a"}}, oauth.ClientMetadata{
			Resources: []string{"urn:a"}, IDTokenAlg: "ES256", AccessTokenFormat: "jwt",
		}},
		{"a profile that demands nothing", oauth.Profile{}, oauth.ClientMetadata{JWKS: []byte("null")}, oauth.ClientMetadata{
			GrantTypes: []string{"authorization_code"}, ResponseTypes: []string{"code"}, IDTokenAlg: "RS256", AccessTokenFormat: "jwt",
		}},
		{"what was said stays", p, oauth.ClientMetadata{GrantTypes: []string{"client_credentials"}, IDTokenAlg: "PS256", AccessTokenFormat: "opaque", TLSBoundTokens: true}, oauth.ClientMetadata{
			GrantTypes: []string{"client_credentials"}, IDTokenAlg: "PS256", AccessTokenFormat: "opaque", TLSBoundTokens: true,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.sent.Defaults(tt.profile); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestError(t *testing.T) {
	cause := errors.New("signature mismatch")
	err := error(&oauth.Error{Code: oauth.InvalidGrant, By: "RFC 6749 §5.2", Description: "the code is not valid", Cause: cause})
	if !errors.Is(err, oauth.InvalidGrant) || errors.Is(err, oauth.InvalidClient) || !errors.Is(err, cause) {
		t.Error("an error is its code and its cause, and no other code")
	}
	if got, want := err.Error(), "invalid_grant: the code is not valid [RFC 6749 §5.2]: signature mismatch"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
