package bench

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/json"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/adapters/mtls"
)

// testClient is the client that every process of a benchmark knows: its key is
// derived, not random. The authority of its certificate is told by the parent.
type testClient struct {
	signer jose.Signer
}

var benchClient = testClient{jose.Signer{KeyID: "bench", Algorithm: jose.ES256, Key: fixedKey()}}

// benchSubject is the subject of its certificate.
const benchSubject = "CN=bench"

// authorityVariable carries the authority of client certificates, in PEM.
const authorityVariable = "CHIROGRAPH_BENCH_AUTHORITY"

func (testClient) authorityPEM() []byte { return []byte(os.Getenv(authorityVariable)) }

// newCertificate makes the client's certificate and tells processes that are
// started later about its authority.
func newCertificate(b *testing.B) *tls.Certificate {
	b.Helper()
	authority, err := mtls.NewAuthority(time.Now())
	if err != nil {
		b.Fatal(err)
	}
	certificate, err := authority.IssueClient(time.Now(), mtls.Names{Subject: pkix.Name{CommonName: "bench"}})
	if err != nil {
		b.Fatal(err)
	}
	public, _, err := authority.Encode()
	if err != nil {
		b.Fatal(err)
	}
	b.Setenv(authorityVariable, string(public))
	return &certificate
}

// fixedKey is a key that is no secret.
func fixedKey() crypto.Signer {
	raw := make([]byte, 32)
	raw[31] = 0x5e
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		panic(err)
	}
	return key
}

func (c testClient) jwks() []byte {
	jwk, err := jose.PublicJWK(c.signer.KeyID, jose.ES256, "sig", c.signer.Key.Public())
	if err != nil {
		panic(err)
	}
	set, err := json.Marshal(map[string]any{"keys": []json.RawMessage{jwk}})
	if err != nil {
		panic(err)
	}
	return set
}

// authenticated returns a form that id sends to an issuer, with an assertion.
func (c testClient) authenticated(id, issuer string, fields url.Values) url.Values {
	assertion, err := jose.NewAssertion(c.signer, id, issuer, time.Now(), 5*time.Minute)
	if err != nil {
		panic(err)
	}
	form := url.Values{
		"client_id": {id}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}
	for name, values := range fields {
		form[name] = values
	}
	return form
}

func (c testClient) proof(method, url string) string {
	proof, err := jose.NewProof(c.signer, method, url, "", "", time.Now())
	if err != nil {
		panic(err)
	}
	return proof
}
