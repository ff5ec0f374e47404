package fapi_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/oauth"
)

var keys = json.RawMessage(`{"keys":[{"kty":"EC"}]}`)

func metadata() oauth.ClientMetadata {
	return oauth.ClientMetadata{
		TokenEndpointAuthMethod: "private_key_jwt", JWKS: keys, RedirectURIs: []string{"https://budgetly.example/cb"},
		GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"}, Scope: "openid accounts",
		ClientName: "Budgetly", DPoPBoundTokens: true,
	}
}

func TestCheckClient(t *testing.T) {
	for _, r := range clientRows {
		r.test(t)
	}
}

const bad, badURI = oauth.InvalidClientMetadata, oauth.InvalidRedirectURI

var clientRows = []row{
	client("a good client", "", "", func(m *oauth.ClientMetadata) {}),
	client("everything as long as permitted", "", "", func(m *oauth.ClientMetadata) {
		uri := "https://budgetly.example/" + strings.Repeat("u", 2048-len("https://budgetly.example/"))
		m.RedirectURIs, m.Contacts = slices.Repeat([]string{uri}, 32), slices.Repeat([]string{strings.Repeat("c", 254)}, 16)
		m.ClientName, m.ClientURI, m.DefaultMaxAge = strings.Repeat("n", 128), uri, new(1<<31-1)
		m.JWKS = append(keys[:len(keys):len(keys)], strings.Repeat(" ", 64<<10-len(keys))...)
	}),
	client("the longest jwks_uri and subject", "", "", func(m *oauth.ClientMetadata) {
		m.JWKS, m.JWKSURI = nil, "https://budgetly.example/"+strings.Repeat("k", 2048-len("https://budgetly.example/"))
		m.TokenEndpointAuthMethod, m.TLSSubjectDN = "tls_client_auth", strings.Repeat("n", 512)
		m.DefaultMaxAge = new(0)
	}),
	client("jwks_uri in place of jwks", "", "", func(m *oauth.ClientMetadata) { m.JWKS, m.JWKSURI = nil, "https://budgetly.example/jwks" }),
	client("a native client on loopback", "", "", func(m *oauth.ClientMetadata) {
		m.ApplicationType, m.RedirectURIs = "native", []string{"http://127.0.0.1/cb", "http://[::1]/cb", "example.budgetly:/cb"}
	}),
	client("mutual TLS by subject", "", "", func(m *oauth.ClientMetadata) {
		m.TokenEndpointAuthMethod, m.JWKS, m.TLSSubjectDN = "tls_client_auth", nil, "CN=payzip"
	}),
	client("tokens bound by mutual TLS", "", "", func(m *oauth.ClientMetadata) { m.DPoPBoundTokens, m.TLSBoundTokens = false, true }),
	client("a resource server", "", "", func(m *oauth.ClientMetadata) {
		*m = oauth.ClientMetadata{TokenEndpointAuthMethod: "private_key_jwt", JWKS: keys, Resources: bank.Resources}
	}),
	client("Ed25519 under its new name", "", "", func(m *oauth.ClientMetadata) { m.IDTokenAlg = "Ed25519" }),

	client("a public client", "FAPI2-SP §5.3.2.1-2.3", bad, func(m *oauth.ClientMetadata) { m.TokenEndpointAuthMethod = "none" }),
	client("a client secret", "FAPI2-SP §5.3.2.1-2.6", bad, func(m *oauth.ClientMetadata) { m.TokenEndpointAuthMethod = "client_secret_basic" }),
	client("no way to authenticate", "FAPI2-SP §5.3.2.1-2.6", bad, func(m *oauth.ClientMetadata) { m.TokenEndpointAuthMethod = "" }),
	client("the password grant", "FAPI2-SP §5.3.2.1-2.2", bad, func(m *oauth.ClientMetadata) { m.GrantTypes = append(m.GrantTypes, "password") }),
	client("the implicit response type", "FAPI2-SP §5.3.2.2-2.1", bad, func(m *oauth.ClientMetadata) { m.ResponseTypes = []string{"code", "id_token"} }),
	client("a response type without its grant", "RFC 7591 §2.1", bad, func(m *oauth.ClientMetadata) { m.GrantTypes = []string{"client_credentials"} }),
	client("refresh without the code grant", "RFC 7591 §2.1", bad, func(m *oauth.ClientMetadata) { m.GrantTypes, m.ResponseTypes = []string{"refresh_token"}, nil }),

	client("no redirect URI", "RFC 7591 §2", badURI, func(m *oauth.ClientMetadata) { m.RedirectURIs = nil }),
	client("too many redirect URIs", "RFC 7591 §2", badURI, func(m *oauth.ClientMetadata) { m.RedirectURIs = slices.Repeat(m.RedirectURIs, 33) }),
	redirect("http", "FAPI2-SP §5.3.2.2-2.8", "http://budgetly.example/cb"),
	redirect("loopback of a web client", "FAPI2-SP §5.3.2.2-2.8", "http://127.0.0.1/cb"),
	redirect("a relative one", "RFC 6749 §3.1.2", "/cb"),
	redirect("one with a fragment", "RFC 6749 §3.1.2", "https://budgetly.example/cb#"),
	redirect("one with a user", "RFC 6749 §3.1.2", "https://a@budgetly.example/cb"),
	redirect("one without a host", "RFC 6749 §3.1.2", "https:/cb"),
	redirect("one with a line break", "RFC 6749 §3.1.2", "https://budgetly.example/cb\r\nX: y"),
	redirect("one with a space", "RFC 6749 §3.1.2", "https://budgetly.example/c b"),
	redirect("one whose host ends a directive", "RFC 6749 §3.1.2", "https://budgetly.example;script-src/cb"),
	redirect("one that is too long", "RFC 6749 §3.1.2", "https://budgetly.example/"+strings.Repeat("c", 2048)),
	redirect("a private scheme of a web client", "RFC 8252 §7.1", "example.budgetly:/cb"),
	redirect("a script", "RFC 8252 §7.1", "javascript:alert(1)"),
	client("a private scheme without a domain", "RFC 8252 §7.1", badURI, func(m *oauth.ClientMetadata) { m.ApplicationType, m.RedirectURIs = "native", []string{"budgetly:/cb"} }),
	client("http of a native client", "FAPI2-SP §5.3.2.2-2.8", badURI, func(m *oauth.ClientMetadata) {
		m.ApplicationType, m.RedirectURIs = "native", []string{"http://localhost.budgetly.example/cb"}
	}),

	client("jwks beside jwks_uri", "RFC 7591 §2", bad, func(m *oauth.ClientMetadata) { m.JWKSURI = "https://budgetly.example/jwks" }),
	client("no keys", "RFC 7591 §2", bad, func(m *oauth.ClientMetadata) { m.JWKS = nil }),
	client("keys that are no set", "RFC 7517 §5", bad, func(m *oauth.ClientMetadata) { m.JWKS = json.RawMessage(`"key"`) }),
	client("keys that are no JSON", "RFC 7517 §5", bad, func(m *oauth.ClientMetadata) { m.JWKS = json.RawMessage(`{`) }),
	client("keys beyond 64 KiB", "RFC 7517 §5", bad, func(m *oauth.ClientMetadata) {
		m.JWKS = json.RawMessage(`{"a":"` + strings.Repeat("a", 64<<10) + `"}`)
	}),
	client("jwks_uri without TLS", "FAPI2-SP §5.4.2-2.1", bad, func(m *oauth.ClientMetadata) { m.JWKS, m.JWKSURI = nil, "http://budgetly.example/jwks" }),
	client("jwks_uri without end", "FAPI2-SP §5.4.2-2.1", bad, func(m *oauth.ClientMetadata) {
		m.JWKS, m.JWKSURI = nil, "https://budgetly.example/"+strings.Repeat("k", 2048)
	}),

	client("mutual TLS without a subject", "RFC 8705 §2.1.2", bad, func(m *oauth.ClientMetadata) { m.TokenEndpointAuthMethod = "tls_client_auth" }),
	client("mutual TLS by two subjects", "RFC 8705 §2.1.2", bad, func(m *oauth.ClientMetadata) {
		m.TokenEndpointAuthMethod, m.TLSSubjectDN, m.TLSSANDNS = "tls_client_auth", "CN=payzip", "payzip.example"
	}),
	client("a subject without mutual TLS", "RFC 8705 §2.1.2", bad, func(m *oauth.ClientMetadata) { m.TLSSubjectDN = "CN=payzip" }),
	client("a subject that is no address", "RFC 8705 §2.1.2", bad, func(m *oauth.ClientMetadata) {
		m.TokenEndpointAuthMethod, m.TLSSANIP = "tls_client_auth", "fe80::1%eth0"
	}),
	client("a subject without end", "RFC 8705 §2.1.2", bad, func(m *oauth.ClientMetadata) {
		m.TokenEndpointAuthMethod, m.TLSSubjectDN = "tls_client_auth", strings.Repeat("n", 513)
	}),

	client("tokens bound to nothing", "FAPI2-SP §5.3.2.1-2.5", bad, func(m *oauth.ClientMetadata) { m.DPoPBoundTokens = false }),
	client("tokens bound twice", "FAPI2-SP §5.3.2.1-2.5", bad, func(m *oauth.ClientMetadata) { m.TLSBoundTokens = true }),
	client("assertions signed with RS256", "FAPI2-SP §5.4.1-2.1", bad, func(m *oauth.ClientMetadata) { m.TokenEndpointAuthAlg = "RS256" }),
	client("unsigned ID tokens", "FAPI2-SP §5.4.1-2.1", bad, func(m *oauth.ClientMetadata) { m.IDTokenAlg = "none" }),

	client("a negative default_max_age", "OIDC-Registration §2", bad, func(m *oauth.ClientMetadata) { m.DefaultMaxAge = new(-1) }),
	client("an endless default_max_age", "OIDC-Registration §2", bad, func(m *oauth.ClientMetadata) { m.DefaultMaxAge = new(1 << 31) }),
	client("an unknown application_type", "OIDC-Registration §2", bad, func(m *oauth.ClientMetadata) { m.ApplicationType = "toaster" }),
	client("pairwise subjects", "", "", func(m *oauth.ClientMetadata) { m.SubjectType = oauth.Pairwise }),
	client("subjects of an unknown kind", "OIDC-Registration §2", bad, func(m *oauth.ClientMetadata) { m.SubjectType = "ephemeral" }),

	client("markup in the name", "RFC 7591 §5", bad, func(m *oauth.ClientMetadata) { m.ClientName = "<b>Bank</b>" }),
	client("half a mark in the name", "RFC 7591 §5", bad, func(m *oauth.ClientMetadata) { m.ClientName = "a>b" }),
	client("the other half", "RFC 7591 §5", bad, func(m *oauth.ClientMetadata) { m.ClientName = "a<b" }),
	client("a direction mark in the name", "RFC 7591 §5", bad, func(m *oauth.ClientMetadata) { m.ClientName = "Bud\u202egetly" }),
	client("a control character in the name", "RFC 7591 §5", bad, func(m *oauth.ClientMetadata) { m.ClientName = "Budgetly\n" }),
	client("a name that nobody sees", "RFC 7591 §5", bad, func(m *oauth.ClientMetadata) { m.ClientName = "\u3164 \u3164" }),
	client("a name that covers what is around it", "RFC 7591 §5", bad, func(m *oauth.ClientMetadata) { m.ClientName = "B" + strings.Repeat("\u0301", 4) }),
	client("a name that is too long", "RFC 7591 §5", bad, func(m *oauth.ClientMetadata) { m.ClientName = strings.Repeat("n", 129) }),
	client("a script as policy", "RFC 7591 §2", bad, func(m *oauth.ClientMetadata) { m.PolicyURI = "javascript:alert(1)" }),
	client("a contact that is too long", "RFC 7591 §2", bad, func(m *oauth.ClientMetadata) { m.Contacts = []string{strings.Repeat("c", 255)} }),
	client("markup in a contact", "RFC 7591 §2", bad, func(m *oauth.ClientMetadata) { m.Contacts = []string{"<b>"} }),
	client("a logo that is too far", "RFC 7591 §2", bad, func(m *oauth.ClientMetadata) { m.LogoURI = "https://budgetly.example/" + strings.Repeat("l", 2048) }),
	client("too many contacts", "RFC 7591 §2", bad, func(m *oauth.ClientMetadata) { m.Contacts = slices.Repeat([]string{"a@b.example"}, 17) }),
	client("an unknown token format", "RFC 7591 §2", bad, func(m *oauth.ClientMetadata) { m.AccessTokenFormat = "macaroon" }),
	client("an unknown scope", "RFC 7591 §2", bad, func(m *oauth.ClientMetadata) { m.Scope = "payments" }),
	client("an unknown type of details", "RFC 9396 §10", bad, func(m *oauth.ClientMetadata) { m.DetailTypes = []string{"payment_initiation"} }),
	client("an unknown resource", "RFC 8707 §2", bad, func(m *oauth.ClientMetadata) { m.Resources = []string{"https://other.example"} }),
	client("a resource server with redirect URIs", "RFC 7662 §4", bad, func(m *oauth.ClientMetadata) {
		m.GrantTypes, m.ResponseTypes, m.Resources = nil, nil, bank.Resources
	}),
	client("a resource server that wants tokens", "RFC 7662 §4", bad, func(m *oauth.ClientMetadata) {
		m.GrantTypes, m.ResponseTypes, m.RedirectURIs, m.Resources = []string{"client_credentials"}, nil, nil, bank.Resources
	}),
}

func client(name string, clause oauth.Clause, code oauth.Code, change func(*oauth.ClientMetadata)) row {
	return row{name, clause, code, func(p oauth.Profile) error {
		m := metadata()
		change(&m)
		return p.CheckClient(m, bank)
	}}
}

func redirect(name string, clause oauth.Clause, uri string) row {
	return client("redirect URI: "+name, clause, badURI, func(m *oauth.ClientMetadata) { m.RedirectURIs = []string{uri} })
}

// A profile that permits one way of binding holds clients to it.
func TestOneBindingOnly(t *testing.T) {
	p := fapi.SecurityProfile
	p.SenderBinding = oauth.Only("mtls").SaidBy("market pack")
	if err := p.CheckClient(metadata(), bank); by(err) != "market pack" {
		t.Errorf("a DPoP client got %v", err)
	}
	m := metadata()
	m.DPoPBoundTokens = false
	if err := p.CheckClient(m.Defaults(p), bank); err != nil {
		t.Errorf("the defaults contradict the profile: %v", err)
	}
}
