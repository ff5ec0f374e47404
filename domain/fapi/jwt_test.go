package fapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

func TestCheckAssertion(t *testing.T) {
	for _, r := range assertionRows {
		r.test(t)
	}
}

const (
	token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU" // RFC 9449, Section 7.1
	ath   = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
)

var assertionRows = []row{
	assertion("a good assertion", "", func(a *oauth.Assertion) {}),
	assertion("iat 10 s ahead", "", func(a *oauth.Assertion) { a.IssuedAt = noon.Add(10 * time.Second) }),
	assertion("nbf 60 s ahead", "", func(a *oauth.Assertion) { a.NotBefore = noon.Add(60 * time.Second) }),
	assertion("the longest jti", "", func(a *oauth.Assertion) { a.ID = strings.Repeat("j", 256) }),
	assertion("the last exp", "", func(a *oauth.Assertion) { a.Expires = noon.Add(10 * time.Minute) }),
	assertion("Ed25519 under its old name", "", func(a *oauth.Assertion) { a.Algorithm = "EdDSA" }),

	assertion("RS256", "FAPI2-SP §5.4.1-2.1", func(a *oauth.Assertion) { a.Algorithm = "RS256" }),
	assertion("no signature", "FAPI2-SP §5.4.1-2.1", func(a *oauth.Assertion) { a.Algorithm = "none" }),
	assertion("another issuer", "RFC 7523 §3", func(a *oauth.Assertion) { a.Issuer = "payzip" }),
	assertion("another subject", "RFC 7523 §3", func(a *oauth.Assertion) { a.Subject = "payzip" }),
	assertion("the issuer as an array", "FAPI2-SP §5.3.2.1-2.8", func(a *oauth.Assertion) { a.AudienceOne = false }),
	assertion("the issuer among others", "FAPI2-SP §5.3.2.1-2.8", func(a *oauth.Assertion) {
		a.AudienceOne, a.Audience = false, []string{bank.Issuer, "https://other.example"}
	}),
	assertion("the token endpoint", "FAPI2-SP §5.3.2.1-2.8", func(a *oauth.Assertion) { a.Audience = []string{bank.Issuer + "/token"} }),
	assertion("the pushed request endpoint", "FAPI2-SP §5.3.2.1-2.8", func(a *oauth.Assertion) { a.Audience = []string{bank.Issuer + "/par"} }),
	assertion("no audience", "FAPI2-SP §5.3.2.1-2.8", func(a *oauth.Assertion) { a.Audience = nil }),
	assertion("no jti", "OIDC-Core §9", func(a *oauth.Assertion) { a.ID = "" }),
	assertion("a jti without end", "RFC 7523 §3", func(a *oauth.Assertion) { a.ID = strings.Repeat("j", 257) }),
	assertion("no exp", "RFC 7523 §3", func(a *oauth.Assertion) { a.Expires = time.Time{} }),
	assertion("an exp that is now", "RFC 7523 §3", func(a *oauth.Assertion) { a.Expires = noon }),
	assertion("an exp that is far ahead", "RFC 7523 §3", func(a *oauth.Assertion) { a.Expires = noon.Add(10*time.Minute + 1) }),
	assertion("iat 61 s ahead", "FAPI2-SP §5.3.2.1-2.13", func(a *oauth.Assertion) { a.IssuedAt = noon.Add(61 * time.Second) }),
	assertion("nbf 61 s ahead", "FAPI2-SP §5.3.2.1-2.13", func(a *oauth.Assertion) { a.NotBefore = noon.Add(61 * time.Second) }),
}

func assertion(name string, clause oauth.Clause, change func(*oauth.Assertion)) row {
	return row{name, clause, oauth.InvalidClient, func(p oauth.Profile) error {
		a := oauth.Assertion{
			Algorithm: "ES256", Issuer: "budgetly", Subject: "budgetly", Audience: []string{bank.Issuer}, AudienceOne: true,
			ID: "1", IssuedAt: noon, Expires: noon.Add(time.Minute),
		}
		change(&a)
		return p.CheckAssertion(a, "budgetly", oauth.Judging{Now: noon, Issuer: bank.Issuer})
	}}
}

func TestCheckProof(t *testing.T) {
	for _, r := range proofRows {
		r.test(t)
	}
}

const badProof = oauth.InvalidDPoPProof

var proofRows = []row{
	proof("a good proof", "", "", func(*oauth.Proof, *oauth.Proving) {}),
	proof("iat 10 s ahead", "", "", func(p *oauth.Proof, _ *oauth.Proving) { p.IssuedAt = noon.Add(10 * time.Second) }),
	proof("iat 10 s ago", "", "", func(p *oauth.Proof, _ *oauth.Proving) { p.IssuedAt = noon.Add(-10 * time.Second) }),
	proof("the longest jti", "", "", func(p *oauth.Proof, _ *oauth.Proving) { p.ID = strings.Repeat("j", 256) }),
	proof("the oldest iat", "", "", func(p *oauth.Proof, _ *oauth.Proving) { p.IssuedAt = noon.Add(-5 * time.Minute) }),
	proof("nbf and exp around now", "", "", func(p *oauth.Proof, _ *oauth.Proving) { p.NotBefore, p.Expires = noon, noon.Add(1) }),
	proof("the other listener", "", "", func(p *oauth.Proof, w *oauth.Proving) { w.URLs = []string{"https://mtls.bank.example", p.URI} }),
	proof("an old iat with a nonce", "", "", func(p *oauth.Proof, w *oauth.Proving) {
		p.Nonce, p.IssuedAt, w.NonceNeeded = "fresh", noon.Add(-time.Hour), true
	}),
	proof("a nonce for a server that hands out none", "", "", func(p *oauth.Proof, w *oauth.Proving) { p.Nonce, w.NonceValid = "other", nil }),

	proof("RS256", "FAPI2-SP §5.4.1-2.1", badProof, func(p *oauth.Proof, _ *oauth.Proving) { p.Algorithm = "RS256" }),
	proof("no jti", "RFC 9449 §4.3-1.3", badProof, func(p *oauth.Proof, _ *oauth.Proving) { p.ID = "" }),
	proof("a jti without end", "RFC 9449 §4.3-1.3", badProof, func(p *oauth.Proof, _ *oauth.Proving) { p.ID = strings.Repeat("j", 257) }),
	proof("another method", "RFC 9449 §4.3-1.8", badProof, func(p *oauth.Proof, _ *oauth.Proving) { p.Method = "POST" }),
	proof("another URI", "RFC 9449 §4.3-1.9", badProof, func(p *oauth.Proof, _ *oauth.Proving) { p.URI += "/" }),
	proof("no nonce where one is needed", "RFC 9449 §8", oauth.UseDPoPNonce, func(_ *oauth.Proof, w *oauth.Proving) { w.NonceNeeded = true }),
	proof("a stale nonce where one is needed", "RFC 9449 §8", oauth.UseDPoPNonce, func(p *oauth.Proof, w *oauth.Proving) { p.Nonce, w.NonceNeeded = "stale", true }),
	proof("a stale nonce", "RFC 9449 §4.3-1.10", oauth.UseDPoPNonce, func(p *oauth.Proof, _ *oauth.Proving) { p.Nonce = "stale" }),
	proof("no iat", "RFC 9449 §4.3-1.3", badProof, func(p *oauth.Proof, _ *oauth.Proving) { p.IssuedAt = time.Time{} }),
	proof("iat 61 s ahead", "FAPI2-SP §5.3.2.1-2.13", badProof, func(p *oauth.Proof, _ *oauth.Proving) { p.IssuedAt = noon.Add(61 * time.Second) }),
	proof("iat ahead in spite of a nonce", "FAPI2-SP §5.3.2.1-2.13", badProof, func(p *oauth.Proof, _ *oauth.Proving) {
		p.Nonce, p.IssuedAt = "fresh", noon.Add(time.Hour)
	}),
	proof("nbf 61 s ahead", "FAPI2-SP §5.3.2.1-2.13", badProof, func(p *oauth.Proof, _ *oauth.Proving) { p.NotBefore = noon.Add(61 * time.Second) }),
	proof("an old iat", "RFC 9449 §4.3-1.11", badProof, func(p *oauth.Proof, _ *oauth.Proving) { p.IssuedAt = noon.Add(-5*time.Minute - 1) }),
	proof("an exp that is now", "RFC 7519 §4.1.4", badProof, func(p *oauth.Proof, _ *oauth.Proving) { p.Expires = noon }),
	proof("no ath", "RFC 9449 §4.3-1.12", badProof, func(p *oauth.Proof, _ *oauth.Proving) { p.AccessTokenHash = "" }),
	proof("ath of another token", "RFC 9449 §4.3-1.12", badProof, func(_ *oauth.Proof, w *oauth.Proving) { w.AccessToken += "x" }),
	proof("another key", "RFC 9449 §4.3-1.12", oauth.InvalidToken, func(p *oauth.Proof, _ *oauth.Proving) { p.Thumbprint = "key-2" }),
}

func proof(name string, clause oauth.Clause, code oauth.Code, change func(*oauth.Proof, *oauth.Proving)) row {
	return row{name, clause, code, func(profile oauth.Profile) error {
		p := oauth.Proof{
			Algorithm: "ES256", Thumbprint: "key-1", ID: "1", Method: "GET", URI: "https://bank.example/accounts",
			AccessTokenHash: ath, IssuedAt: noon,
		}
		w := oauth.Proving{
			Judging: oauth.Judging{Now: noon, Issuer: bank.Issuer}, Method: "GET", URLs: []string{"https://bank.example/accounts"},
			SameURI: func(a, b string) bool { return a == b }, AccessToken: token, Thumbprint: "key-1",
			NonceValid: func(nonce string) bool { return nonce == "fresh" },
		}
		change(&p, &w)
		return profile.CheckProof(p, w)
	}}
}
