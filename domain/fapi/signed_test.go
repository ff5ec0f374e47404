package fapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/openid"
)

func TestCheckSignedRequest(t *testing.T) {
	for _, r := range signedRows {
		r.under(t, fapi.CIBA)
	}
	signed("an exp 25 hours after nbf", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.Expires = noon.Add(25 * time.Hour) }).under(t, openid.CIBA)
	signed("EdDSA", "", func(r *oauth.SignedRequest) { r.Algorithm = "EdDSA" }).under(t, openid.CIBA)
}

var signedRows = []row{
	signed("a good request", "", func(r *oauth.SignedRequest) {}),
	signed("an audience of several", "", func(r *oauth.SignedRequest) { r.Audience = []string{"https://other.example", bank.Issuer} }),
	signed("the client by name", "", func(r *oauth.SignedRequest) { r.Claims = []byte(`{"client_id":"till"}`) }),
	signed("iat and nbf 10 s ahead", "", func(r *oauth.SignedRequest) {
		r.IssuedAt, r.NotBefore = noon.Add(10*time.Second), noon.Add(10*time.Second)
	}),
	signed("iat and nbf 60 s ahead", "", func(r *oauth.SignedRequest) { r.IssuedAt, r.NotBefore = noon.Add(time.Minute), noon.Add(time.Minute) }),
	signed("exp 60 minutes after nbf", "", func(r *oauth.SignedRequest) { r.Expires = noon.Add(time.Hour) }),
	signed("the longest jti", "", func(r *oauth.SignedRequest) { r.ID = strings.Repeat("j", 256) }),

	signed("no signature", "FAPI1-ADV §8.6-1", func(r *oauth.SignedRequest) { r.Algorithm = "none" }),
	signed("RS256", "FAPI1-ADV §8.6-1", func(r *oauth.SignedRequest) { r.Algorithm = "RS256" }),
	signed("no aud", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.Audience = nil }),
	signed("another aud", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.Audience = []string{"https://other.example"} }),
	signed("the endpoint as aud", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.Audience = []string{bank.Issuer + "/bc-authorize"} }),
	signed("no iss", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.Issuer = "" }),
	signed("another iss", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.Issuer = "rival" }),
	signed("another client_id", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.Claims = []byte(`{"client_id":"rival"}`) }),
	signed("a client_id that is a number", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.Claims = []byte(`{"client_id":7}`) }),
	signed("no exp", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.Expires = time.Time{} }),
	signed("an exp that is now", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.Expires = noon }),
	signed("an exp 70 minutes ahead", "FAPI-CIBA-ID1 §5.2.2-9", func(r *oauth.SignedRequest) { r.Expires = noon.Add(70 * time.Minute) }),
	signed("an exp a second too far", "FAPI-CIBA-ID1 §5.2.2-9", func(r *oauth.SignedRequest) { r.Expires = noon.Add(time.Hour + time.Second) }),
	signed("no iat", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.IssuedAt = time.Time{} }),
	signed("iat 61 s ahead", "FAPI2-SP §5.3.2.1-2.13", func(r *oauth.SignedRequest) { r.IssuedAt = noon.Add(61 * time.Second) }),
	signed("no nbf", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.NotBefore = time.Time{} }),
	signed("an nbf 70 minutes ago", "FAPI-CIBA-ID1 §5.2.2-9", func(r *oauth.SignedRequest) { r.NotBefore = noon.Add(-70 * time.Minute) }),
	signed("an nbf 10 minutes ahead", "FAPI2-SP §5.3.2.1-2.13", func(r *oauth.SignedRequest) { r.NotBefore = noon.Add(10 * time.Minute) }),
	signed("an nbf 61 s ahead", "FAPI2-SP §5.3.2.1-2.13", func(r *oauth.SignedRequest) { r.NotBefore = noon.Add(61 * time.Second) }),
	signed("no jti", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.ID = "" }),
	signed("a jti without end", "CIBA §7.1.1", func(r *oauth.SignedRequest) { r.ID = strings.Repeat("j", 257) }),
}

func signed(name string, clause oauth.Clause, change func(*oauth.SignedRequest)) row {
	return row{name, clause, oauth.InvalidRequest, func(p oauth.Profile) error {
		r := oauth.SignedRequest{
			Algorithm: "ES256", Issuer: "till", Audience: []string{bank.Issuer}, ID: "1", Claims: []byte("{}"),
			IssuedAt: noon, NotBefore: noon, Expires: noon.Add(5 * time.Minute),
		}
		change(&r)
		return p.CheckSignedRequest(r, till, oauth.Judging{Now: noon, Issuer: bank.Issuer})
	}}
}

// Where a profile does not insist on the issuer, an assertion may name the
// endpoints too (CIBA, Section 7.1).
func TestAudienceOfAssertions(t *testing.T) {
	endpoints := []string{bank.Issuer + "/token", bank.Issuer + "/bc-authorize", "https://mtls.bank.example/fapi2/bc-authorize"}
	tests := []struct {
		name string
		aud  []string
		ok   bool
	}{
		{"the issuer", []string{bank.Issuer}, true},
		{"the token endpoint", endpoints[:1], true},
		{"the endpoint that is called", endpoints[1:2], true},
		{"it on the other listener", endpoints[2:], true},
		{"all of them", append([]string{bank.Issuer}, endpoints...), true},
		{"one of ours among others", []string{"https://other.example", endpoints[0]}, true},
		{"another endpoint", []string{bank.Issuer + "/revoke"}, false},
		{"somebody else", []string{"https://other.example"}, false},
		{"nobody", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := oauth.Assertion{Algorithm: "ES256", Issuer: "till", Subject: "till", Audience: tt.aud, ID: "1", Expires: noon.Add(time.Minute)}
			err := fapi.CIBA.CheckAssertion(a, "till", oauth.Judging{Now: noon, Issuer: bank.Issuer, Endpoints: endpoints})
			if (err == nil) != tt.ok || err != nil && by(err) != "RFC 7523 §3" {
				t.Errorf("got %v", err)
			}
		})
	}
}
