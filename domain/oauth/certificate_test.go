package oauth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

func TestCheckCertificate(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	good := func() oauth.Certificate {
		return oauth.Certificate{
			Thumbprint: "x5t-1", Trusted: true, Subject: "CN=payzip", DNS: []string{"Payzip.example"}, URIs: []string{"https://payzip.example/id"},
			IPs: []string{"2001:db8::1"}, Emails: []string{"ops@payzip.example"}, NotBefore: noon, NotAfter: noon,
		}
	}
	pki := func(m oauth.ClientMetadata) oauth.ClientMetadata {
		m.TokenEndpointAuthMethod = "tls_client_auth"
		return m
	}
	own := oauth.ClientMetadata{TokenEndpointAuthMethod: "self_signed_tls_client_auth"}
	same := func(*oauth.Certificate) {}

	tests := []struct {
		name     string
		metadata oauth.ClientMetadata
		change   func(*oauth.Certificate)
		clause   oauth.Clause // "" if the client is genuine
	}{
		{"the registered subject", pki(oauth.ClientMetadata{TLSSubjectDN: "CN=payzip"}), same, ""},
		{"the registered DNS name, in any letters", pki(oauth.ClientMetadata{TLSSANDNS: "payzip.example"}), same, ""},
		{"the registered URI", pki(oauth.ClientMetadata{TLSSANURI: "https://payzip.example/id"}), same, ""},
		{"the registered address, in any spelling", pki(oauth.ClientMetadata{TLSSANIP: "2001:db8:0::1"}), same, ""},
		{"the registered mail address", pki(oauth.ClientMetadata{TLSSANEmail: "ops@payzip.example"}), same, ""},
		{"another subject", pki(oauth.ClientMetadata{TLSSubjectDN: "CN=rogue"}), same, "RFC 8705 §2.1.2"},
		{"another DNS name", pki(oauth.ClientMetadata{TLSSANDNS: "rogue.example"}), same, "RFC 8705 §2.1.2"},
		{"another URI", pki(oauth.ClientMetadata{TLSSANURI: "https://payzip.example/ID"}), same, "RFC 8705 §2.1.2"},
		{"another address", pki(oauth.ClientMetadata{TLSSANIP: "2001:db8::2"}), same, "RFC 8705 §2.1.2"},
		{"another mail address", pki(oauth.ClientMetadata{TLSSANEmail: "ops@rogue.example"}), same, "RFC 8705 §2.1.2"},
		{"no registered subject", pki(oauth.ClientMetadata{}), same, "RFC 8705 §2.1.2"},
		{"no subject either", pki(oauth.ClientMetadata{}), func(c *oauth.Certificate) { c.Subject = "" }, "RFC 8705 §2.1.2"},
		{"no trusted authority", pki(oauth.ClientMetadata{TLSSubjectDN: "CN=payzip"}), func(c *oauth.Certificate) { c.Trusted = false }, "RFC 8705 §2.1"},

		{"a registered certificate of nobody's", own, func(c *oauth.Certificate) { c.Trusted = false }, ""},
		{"another certificate", own, func(c *oauth.Certificate) { c.Thumbprint = "x5t-3" }, "RFC 8705 §2.2"},
		{"a certificate of tomorrow", own, func(c *oauth.Certificate) { c.NotBefore = noon.Add(1) }, "RFC 8705 §2.2"},
		{"a certificate of yesterday", own, func(c *oauth.Certificate) { c.NotAfter = noon.Add(-1) }, "RFC 8705 §2.2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := good()
			tt.change(&c)
			err := oauth.CheckCertificate(&c, tt.metadata, []string{"x5t-2", "x5t-1"}, oauth.Judging{Now: noon})
			judge(t, err, oauth.InvalidClient, tt.clause)
		})
	}
	t.Run("no certificate", func(t *testing.T) {
		judge(t, oauth.CheckCertificate(nil, own, nil, oauth.Judging{Now: noon}), oauth.InvalidClient, "RFC 8705 §2")
	})
}

// judge compares a verdict with the clause it should lean on, "" for none.
func judge(t *testing.T, err error, code oauth.Code, clause oauth.Clause) {
	t.Helper()
	if clause == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	refused, ok := errors.AsType[*oauth.Error](err)
	if !ok || !errors.Is(err, code) || refused.By != clause {
		t.Errorf("got %v; want %s by %s", err, code, clause)
	}
}
