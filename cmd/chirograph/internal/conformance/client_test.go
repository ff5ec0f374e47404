package conformance

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/domain/oauth"
)

// A client is a registered client with its private halves.
type client struct {
	id          string
	issuer      string // name of its issuer
	keys        []key  // the first signs unless a script says otherwise
	holder      key    // the key of its DPoP proofs
	certificate *tls.Certificate
	suspended   bool
	metadata    oauth.ClientMetadata
	management  string // registration access token
}

func (c *client) signs() bool  { return c.metadata.TokenEndpointAuthMethod == "private_key_jwt" }
func (c *client) proves() bool { return c.metadata.DPoPBoundTokens }
func (c *client) mutual() bool { return c.certificate != nil }
func (c *client) redirect() string {
	if len(c.metadata.RedirectURIs) == 0 {
		return ""
	}
	return c.metadata.RedirectURIs[0]
}

// key returns the client's key for an algorithm; RS256 uses the one for PS256.
func (c *client) key(alg string) key {
	want := map[string]string{"RS256": "PS256", "Ed25519": "EdDSA"}[alg]
	if want == "" {
		want = alg
	}
	if i := slices.IndexFunc(c.keys, func(k key) bool { return k.alg == want }); i >= 0 {
		return c.keys[i]
	}
	return c.keys[0]
}

const allScopes = "openid profile email phone offline_access accounts"

// cast returns every client that scripts can be. Two by two they differ in
// authentication and binding; of each pair that matters there is a second with
// other keys.
func cast(now time.Time, authority *mtls.Authority) map[string]*client {
	all := map[string]*client{}
	add := func(c *client) *client { all[c.id] = c; return c }

	budgetly := add(web("budgetly", "ES256", "PS256", "EdDSA").dpop())
	second := add(web("budgetly2", "ES256").dpop())
	second.metadata.RedirectURIs = []string{"https://budgetly2.example/callback?dummy1=lorem&dummy2=ipsum"}
	add(web("opaque", "ES256").dpop()).metadata.AccessTokenFormat = "opaque"
	add(web("rsa", "PS256").dpop()).metadata.IDTokenAlg = "PS256"
	add(web("edwards", "EdDSA").dpop())
	add(web("rogue", "ES256").dpop()).suspended = true
	add(web("strict", "ES256").dpop()).issuer = "strict"
	add(web("narrow", "ES256").dpop()).narrow()
	add(web("twins", "ES256", "PS256").dpop()).sameKeyID()
	budgetly.metadata.RedirectURIs = append(budgetly.metadata.RedirectURIs, "https://budgetly.example/other")

	add(web("payzip").issued(now, authority).bound())
	add(web("payzip2").issued(now, authority).bound())
	add(web("selfsigned").selfSigned(now).bound())
	add(web("selfsigned2").selfSigned(now).bound())
	add(web("mixed", "ES256", "PS256", "EdDSA").carries(now).bound())
	add(web("mixed2", "ES256").carries(now).bound())
	add(web("proving").issued(now, authority).dpop())

	backchannelCast(now, authority, add)

	add(resourceServer("bank", "bank"))
	add(resourceServer("vault", "vault"))
	return all
}

func web(id string, algs ...string) *client {
	c := &client{id: id, issuer: "main", holder: newKey("", "ES256"), metadata: oauth.ClientMetadata{
		ClientName: id, RedirectURIs: []string{"https://" + id + ".example/callback"}, Scope: allScopes,
		GrantTypes: []string{"authorization_code", "refresh_token", "client_credentials"}, ResponseTypes: []string{"code"},
	}}
	for _, alg := range algs {
		c.keys = append(c.keys, newKey(id+"-"+alg, alg))
	}
	if len(algs) > 0 {
		c.metadata.TokenEndpointAuthMethod = "private_key_jwt"
		c.metadata.JWKS = jwks(c.keys)
	}
	return c
}

func (c *client) dpop() *client  { c.metadata.DPoPBoundTokens = true; return c }
func (c *client) bound() *client { c.metadata.TLSBoundTokens = true; return c }

// narrow takes away what most clients have.
func (c *client) narrow() {
	c.metadata.GrantTypes, c.metadata.Scope = []string{"authorization_code"}, "openid accounts"
}

// sameKeyID gives both keys one id, which no client should do and servers must
// cope with (FAPI2-SP §5.4.3-1).
func (c *client) sameKeyID() {
	for i := range c.keys {
		c.keys[i].id = c.id
	}
	c.metadata.JWKS = jwks(c.keys)
}

// issued gives the client a certificate of an authority that the server trusts.
func (c *client) issued(now time.Time, authority *mtls.Authority) *client {
	cert, err := authority.IssueClient(now, mtls.Names{Subject: pkix.Name{CommonName: c.id, Organization: []string{"Sample"}}})
	if err != nil {
		panic(err)
	}
	c.certificate = &cert
	c.metadata.TokenEndpointAuthMethod, c.metadata.TLSSubjectDN = "tls_client_auth", "CN="+c.id+",O=Sample"
	return c
}

// carries gives it one that nobody vouches for.
func (c *client) carries(now time.Time) *client {
	cert, err := mtls.SelfSigned(now, mtls.Names{Subject: pkix.Name{CommonName: c.id}})
	if err != nil {
		panic(err)
	}
	c.certificate = &cert
	return c
}

// selfSigned has it registered in the client's key set (RFC 8705, Section 2.2).
func (c *client) selfSigned(now time.Time) *client {
	c.carries(now)
	jwk := publicJWK(c.certificate.Leaf.PublicKey)
	jwk["x5c"] = []string{base64.StdEncoding.EncodeToString(c.certificate.Certificate[0])}
	c.metadata.TokenEndpointAuthMethod, c.metadata.JWKS = "self_signed_tls_client_auth", keySet(jwk)
	return c
}

func resourceServer(id, resource string) *client {
	c := &client{id: id, issuer: "main", keys: []key{newKey(id, "ES256")}, holder: newKey("", "ES256")}
	c.metadata = oauth.ClientMetadata{
		ClientName: id, TokenEndpointAuthMethod: "private_key_jwt", JWKS: jwks(c.keys), Resources: []string{resource},
	}
	return c
}

func jwks(keys []key) json.RawMessage {
	var all []map[string]any
	for _, k := range keys {
		all = append(all, k.jwk(false))
	}
	return keySet(all...)
}

func keySet(keys ...map[string]any) json.RawMessage {
	raw, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		panic(err)
	}
	return raw
}

// registeredAt reports whether a URI is one of the client's redirect URIs with
// parameters added.
func (c *client) registeredAt(u *url.URL) bool {
	return slices.ContainsFunc(c.metadata.RedirectURIs, func(raw string) bool {
		known, err := url.Parse(raw)
		return err == nil && known.Scheme == u.Scheme && known.Host == u.Host && known.Path == u.Path
	})
}
