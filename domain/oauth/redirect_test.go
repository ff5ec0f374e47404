package oauth_test

import (
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/oauth"
)

func TestRedirectURI(t *testing.T) {
	tests := []struct {
		name, registered, sent string
		good                   bool
	}{
		{"the same", "https://c.example/cb", "https://c.example/cb", true},
		{"the same with a query", "https://c.example/cb?a=b", "https://c.example/cb?a=b", true},
		{"the same private scheme", "example.c:/cb", "example.c:/cb", true},
		{"another port of 127.0.0.1", "http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true},
		{"no port of 127.0.0.1", "http://127.0.0.1:80/cb", "http://127.0.0.1/cb", true},
		{"another port of ::1", "http://[::1]:1/cb", "http://[::1]:2/cb", true},

		{"another host", "https://c.example/cb", "https://c.example.rogue.example/cb", false},
		{"another path", "https://c.example/cb", "https://c.example/cb2", false},
		{"another case", "https://c.example/cb", "https://C.example/cb", false},
		{"another port", "https://c.example/cb", "https://c.example:443/cb", false},
		{"another port of TLS on loopback", "https://127.0.0.1/cb", "https://127.0.0.1:1/cb", false},
		{"another port of a private network", "http://10.0.0.1/cb", "http://10.0.0.1:1/cb", false},
		{"another query", "https://c.example/cb?a=b", "https://c.example/cb?a=c", false},
		{"a fragment", "https://c.example/cb", "https://c.example/cb#", false},
		{"another path of loopback", "http://127.0.0.1/cb", "http://127.0.0.1:1/other", false},
		{"another loopback", "http://127.0.0.1/cb", "http://[::1]/cb", false},
		{"a name of loopback", "http://127.0.0.1/cb", "http://localhost/cb", false},
		{"loopback with TLS", "http://127.0.0.1/cb", "https://127.0.0.1/cb", false},
		{"loopback with a fragment", "http://127.0.0.1/cb", "http://127.0.0.1:1/cb#", false},
		{"loopback with a user", "http://127.0.0.1/cb", "http://127.0.0.1:1@127.0.0.1:1/cb", false},
		{"loopback in other letters", "http://127.0.0.1/cb", "HTTP://127.0.0.1/cb", false},
		{"a host that begins like loopback", "http://127.0.0.1/cb", "http://127.0.0.1.rogue.example/cb", false},
		{"what is no URI", "http://127.0.0.1/cb", "http://127.0.0.1:port/cb", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := oauth.Client{ID: "c", ClientMetadata: oauth.ClientMetadata{
				RedirectURIs: []string{tt.registered}, GrantTypes: []string{"authorization_code"}, Scope: "s",
			}}
			r := oauth.AuthorizationRequest{ClientID: "c", ResponseType: "code", RedirectURI: tt.sent, Scope: "s"}
			err := oauth.Profile{}.Check(r, c, oauth.Server{Scopes: []string{"s"}})
			clause := oauth.Clause("RFC 9700 §2.1")
			if tt.good {
				clause = ""
			}
			judge(t, err, oauth.InvalidRequest, clause)
		})
	}
}

func TestCheckResources(t *testing.T) {
	s := oauth.Server{Resources: []string{"https://a.example", "urn:b"}}
	tests := []struct {
		name      string
		resources []string
		clause    oauth.Clause
	}{
		{"none", nil, ""},
		{"one of the issuer's", []string{"https://a.example"}, ""},
		{"several of them", []string{"urn:b", "https://a.example"}, ""},
		{"another", []string{"https://a.example", "https://c.example"}, "RFC 8707 §2"},
		{"a longer one", []string{"https://a.example/"}, "RFC 8707 §2"},
		{"a relative one", []string{"a.example"}, "RFC 8707 §2"},
		{"one with a fragment", []string{"https://a.example#"}, "RFC 8707 §2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			judge(t, oauth.CheckResources(tt.resources, s), oauth.InvalidTarget, tt.clause)
		})
	}
}

func TestValidIssuer(t *testing.T) {
	for url, want := range map[string]bool{
		"https://bank.example": true, "https://localhost:8443/fapi2": true, "https://[::1]:8443": true,
		"http://bank.example": false, "https://bank.example?": false, "https://bank.example#": false, "https://": false, "bank": false,
		"https://bank.example/" + strings.Repeat("x", 2048-21): true, "https://bank.example/" + strings.Repeat("x", 2048-20): false,
		"https://:443": false, "https://a@bank.example": false, "https://bank.example/\u00e9": false, "https://bank.example/ x": false,
	} {
		if got := oauth.ValidIssuer(url); got != want {
			t.Errorf("%s: got %v", url, got)
		}
	}
}
