package platform

import (
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
)

const bankURL = "https://bank.example"

// A signing is a client's key as the client has it.
func signing(t *testing.T, kid, alg string) jose.Signer {
	t.Helper()
	key, err := jose.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return jose.Signer{KeyID: kid, Algorithm: alg, Key: key}
}

func jwks(t *testing.T, signers ...jose.Signer) json.RawMessage {
	t.Helper()
	var all []string
	for _, s := range signers {
		jwk, err := jose.PublicJWK(s.KeyID, s.Algorithm, "sig", s.Key.Public())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(jwk))
	}
	return json.RawMessage(`{"keys":[` + strings.Join(all, ",") + `]}`)
}

func assertion(t *testing.T, s jose.Signer) string {
	t.Helper()
	compact, err := jose.NewAssertion(s, "reader", bankURL, time.Now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func reader(m oauth.ClientMetadata) oauth.Client {
	return oauth.Client{ID: "reader", ClientMetadata: m}
}

func TestAssertionIsCheckedWithRegisteredKeys(t *testing.T) {
	keys, err := newClientKeys(&fetched{now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	old, fresh, ed := signing(t, "old", jose.ES256), signing(t, "new", jose.ES256), signing(t, "ed", jose.EdDSA)
	tests := []struct {
		name string
		set  json.RawMessage
		alg  string
		by   jose.Signer
		err  error
	}{
		{"the registered key verifies", jwks(t, old), "", old, nil},
		{"again, from memory", jwks(t, old), "", old, nil},
		{"after an update the old one does not", jwks(t, fresh), "", old, jose.ErrUnknownKey},
		{"the new one does", jwks(t, fresh), "", fresh, nil},
		{"with the algorithm that was registered", jwks(t, fresh), jose.ES256, fresh, nil},
		{"not with another", jwks(t, fresh), jose.PS256, fresh, jose.ErrAlgorithm},
		{"Ed25519 goes by two names", jwks(t, ed), jose.Ed25519, ed, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := reader(oauth.ClientMetadata{JWKS: tt.set, TokenEndpointAuthAlg: tt.alg})
			fact, seen, err := keys.Assertion(t.Context(), c, api.Tenant{ID: "bank"}, assertion(t, tt.by))
			if !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			if err == nil && (fact.Subject != "reader" || seen.Thumbprint != fact.Thumbprint || len(seen.JWK) == 0 || seen.Source != "registration") {
				t.Errorf("got %+v, %+v", fact, seen)
			}
		})
	}
	if keys.Claimed(assertion(t, old)) != "reader" || keys.Claimed("nonsense") != "" {
		t.Error("who an assertion claims to be from")
	}
}

// CIBA §4: a client signs its requests as it registered for requests, however it
// signs its assertions.
func TestSignedRequestsHaveTheRegisteredAlgorithm(t *testing.T) {
	keys, err := newClientKeys(&fetched{now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	by := signing(t, "1", jose.ES256)
	compact, err := jose.Sign(by, "", []byte(`{"iss":"reader"}`))
	if err != nil {
		t.Fatal(err)
	}
	for registered, want := range map[string]error{jose.ES256: nil, jose.PS256: jose.ErrAlgorithm} {
		c := reader(oauth.ClientMetadata{JWKS: jwks(t, by), RequestAlg: registered, TokenEndpointAuthAlg: jose.PS256})
		fact, seen, err := keys.Request(t.Context(), c, api.Tenant{ID: "bank"}, compact)
		if !errors.Is(err, want) || want == nil && (fact.Issuer != "reader" || seen.Thumbprint != fact.Thumbprint || len(seen.JWK) == 0) {
			t.Errorf("%s: got %+v, %+v, %v", registered, fact, seen, err)
		}
	}
}

func TestPublishedKeysAreFetchedAgainForAnUnknownKey(t *testing.T) {
	first, second := signing(t, "1", jose.ES256), signing(t, "2", jose.ES256)
	var current atomic.Pointer[json.RawMessage]
	publish := func(set json.RawMessage) { current.Store(&set) }
	publish(jwks(t, first))
	var fetches atomic.Int32
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetches.Add(1)
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Write(*current.Load())
	}))
	defer site.Close()
	var ahead atomic.Int64
	roots := site.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	keys, err := newClientKeys(&fetched{roots: roots, now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	c := reader(oauth.ClientMetadata{JWKSURI: site.URL + "/jwks"})
	bank := api.Tenant{ID: "bank", Settings: issuer.Settings{FetchOrigins: []string{site.URL}}}
	check := func(name string, tenant api.Tenant, by jose.Signer, good bool, total int32) {
		t.Helper()
		_, seen, err := keys.Assertion(t.Context(), c, tenant, assertion(t, by))
		if (err == nil) != good || fetches.Load() != total {
			t.Errorf("%s: %v after %d fetches, want %d", name, err, fetches.Load(), total)
		}
		if err == nil && (seen.Source != c.JWKSURI || seen.Fetched.IsZero()) {
			t.Errorf("%s: what is recorded does not say where the key is from: %+v", name, seen)
		}
	}
	check("the first time it is fetched", bank, first, true, 1)
	check("then it is at hand", bank, first, true, 1)
	publish(jwks(t, second))
	check("not twice in a minute", bank, second, false, 1)
	ahead.Add(int64(2 * time.Minute))
	check("but later for a key that is missing", bank, second, true, 2)
	check("an issuer without the exception cannot reach this machine", api.Tenant{ID: "other"}, second, false, 2)
}

// What lists a sector's clients is fetched by the rules of all that is fetched.
func TestASectorIsFetched(t *testing.T) {
	answers := map[string]string{"/list": `["https://a.example/cb","https://b.example/cb"]`, "/object": `{"a":1}`, "/numbers": `[1]`}
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answers[r.URL.Path])
	}))
	defer site.Close()
	f := &fetched{roots: site.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, now: time.Now}
	bank := api.Tenant{ID: "bank", Settings: issuer.Settings{FetchOrigins: []string{site.URL}}}
	listed, err := f.Sector(t.Context(), bank, site.URL+"/list")
	if err != nil || !slices.Equal(listed, []string{"https://a.example/cb", "https://b.example/cb"}) {
		t.Errorf("got %v, %v", listed, err)
	}
	for _, path := range []string{"/object", "/numbers", "/nothing"} {
		if listed, err := f.Sector(t.Context(), bank, site.URL+path); err == nil {
			t.Errorf("%s: got %v", path, listed)
		}
	}
	if _, err := f.Sector(t.Context(), api.Tenant{ID: "other"}, site.URL+"/list"); err == nil {
		t.Error("an issuer without the exception reaches this machine")
	}
}

func TestCheckRefusesKeysThatNeverVerify(t *testing.T) {
	keys, err := newClientKeys(&fetched{now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := mtls.SelfSigned(time.Now(), mtls.Names{Subject: pkix.Name{CommonName: "reader"}})
	if err != nil {
		t.Fatal(err)
	}
	certified := fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","x":"%s","y":"%s","x5c":["%s"]}]}`, coordinates(t, cert.Leaf.PublicKey)[0],
		coordinates(t, cert.Leaf.PublicKey)[1], base64.StdEncoding.EncodeToString(cert.Certificate[0]))
	const selfSigned = "self_signed_tls_client_auth"
	tests := []struct {
		name string
		m    oauth.ClientMetadata
		good bool
	}{
		{"keys that verify", oauth.ClientMetadata{JWKS: jwks(t, signing(t, "1", jose.ES256))}, true},
		{"none at all", oauth.ClientMetadata{JWKS: json.RawMessage(`{"keys":[]}`)}, false},
		{"a secret", oauth.ClientMetadata{JWKS: json.RawMessage(`{"keys":[{"kty":"oct","k":"AAAA"}]}`)}, false},
		{"no set", oauth.ClientMetadata{JWKS: json.RawMessage(`[]`)}, false},
		{"self-signed with a certificate", oauth.ClientMetadata{JWKS: json.RawMessage(certified), TokenEndpointAuthMethod: selfSigned}, true},
		{"self-signed without one", oauth.ClientMetadata{JWKS: jwks(t, signing(t, "1", jose.ES256)), TokenEndpointAuthMethod: selfSigned}, false},
		{"a name that is none", oauth.ClientMetadata{TLSSubjectDN: "reader"}, false},
	}
	for _, tt := range tests {
		if _, err := keys.Check(tt.m); (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	got, err := keys.Check(oauth.ClientMetadata{TLSSubjectDN: "cn = reader , o=Reader Ltd"})
	same, err2 := keys.Check(oauth.ClientMetadata{TLSSubjectDN: "CN=reader,O=Reader Ltd"})
	if err != nil || err2 != nil || got.TLSSubjectDN != same.TLSSubjectDN {
		t.Errorf("two spellings of one name stay %q and %q", got.TLSSubjectDN, same.TLSSubjectDN)
	}
	prints, err := keys.Certificates(t.Context(), reader(oauth.ClientMetadata{JWKS: json.RawMessage(certified)}), api.Tenant{ID: "bank"})
	if err != nil || len(prints) != 1 {
		t.Errorf("thumbprints are %v, %v", prints, err)
	}
}

// coordinates returns x and y of a public key as its JWK has them.
func coordinates(t *testing.T, pub any) [2]string {
	t.Helper()
	jwk, err := jose.PublicJWK("", jose.ES256, "sig", pub)
	if err != nil {
		t.Fatal(err)
	}
	var point struct{ X, Y string }
	if err := json.Unmarshal(jwk, &point); err != nil {
		t.Fatal(err)
	}
	return [2]string{point.X, point.Y}
}
