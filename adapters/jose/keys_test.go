package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	stdjson "encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"
)

// The key of RFC 7638, Section 3.1.
const rfc7638Key = `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`

// The key of RFC 8037, Appendix A.2.
const rfc8037Key = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`

func TestThumbprint(t *testing.T) {
	keys := keySet(t, rfc7638Key, rfc8037Key)
	if got, want := keys[0].Thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; got != want { // RFC 7638 §3.1
		t.Errorf("got %s; want %s", got, want)
	}
	if got, want := keys[1].Thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"; got != want { // RFC 8037 App. A.3
		t.Errorf("got %s; want %s", got, want)
	}
	if got, err := Thumbprint(ecKey()); !errors.Is(err, ErrKey) {
		t.Errorf("a private key: got %q, %v", got, err)
	}
}

func TestParseKeys(t *testing.T) {
	ec := jwk("a", "ES256", "sig", ecKey())
	private := string(must(gojose.JSONWebKey{Key: ecKey()}.MarshalJSON()))
	tests := []struct {
		name string
		jwks string
		want []string // key ids
		err  error
	}{
		{"keys are read in order", `{"keys":[` + ec + `,` + jwk("b", "", "", rsaKey()) + `]}`, []string{"a", "b"}, nil},
		{"a key id may repeat", `{"keys":[` + ec + `,` + jwk("a", "", "", otherECKey()) + `]}`, []string{"a", "a"}, nil},
		{"larger curves are read", `{"keys":[` + jwk("c", "ES384", "", p384Key()) + `]}`, []string{"c"}, nil},
		{"an empty set is a set", `{"keys":[]}`, []string{}, nil},
		{"unknown members are ignored", `{"x":1,"keys":[` + strings.Replace(ec, "{", `{"zz":[{}],`, 1) + `]}`, []string{"a"}, nil},
		{"unknown kinds are left out", `{"keys":[{"kty":"AKP","alg":"x"},` + ec + `]}`, []string{"a"}, nil},
		{"unknown curves are left out", `{"keys":[{"kty":"EC","crv":"secp256k1"},{"kty":"OKP","crv":"X25519","x":"AA"},` + ec + `]}`, []string{"a"}, nil},
		{"32 keys are read", `{"keys":[` + strings.Repeat(ec+",", 31) + ec + `]}`, strings.Split(strings.Repeat("a", 32), ""), nil},

		{"33 are refused", `{"keys":[` + strings.Repeat(ec+",", 32) + ec + `]}`, nil, ErrKey},
		{"a private key is refused", `{"keys":[` + private + `]}`, nil, ErrKey},
		{"even a hollow one", `{"keys":[` + strings.Replace(ec, "{", `{"d":null,`, 1) + `]}`, nil, ErrKey},
		{"a symmetric key is refused", `{"keys":[{"kty":"oct","k":"AAAA"}]}`, nil, ErrKey},
		{"RSA below 2048 bits is refused", `{"keys":[` + jwk("w", "", "", weakKey()) + `]}`, nil, ErrKey},
		{"a point off the curve is refused", `{"keys":[{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}]}`, nil, ErrKey},
		{"a member given twice is refused", `{"keys":[` + strings.Replace(ec, "{", `{"kty":"EC",`, 1) + `]}`, nil, ErrKey},
		{"more than 64 KiB are refused", `{"keys":[]}` + strings.Repeat(" ", 64<<10), nil, ErrKey},
		{"a single key is no set", ec, nil, ErrKey},
		{"null is no set", `null`, nil, ErrKey},
		{"markup is no set", `<html>`, nil, ErrKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, err := ParseKeys([]byte(tt.jwks))
			if !errors.Is(err, tt.err) || len(keys) != len(tt.want) {
				t.Fatalf("got %d keys, %v; want %d, %v", len(keys), err, len(tt.want), tt.err)
			}
			for i, key := range keys {
				if key.KeyID != tt.want[i] || key.Thumbprint == "" {
					t.Errorf("key %d: got %+v; want id %q", i, key, tt.want[i])
				}
			}
		})
	}
}

func TestParseKeysRefusesEachPrivateMember(t *testing.T) {
	for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		hollow := strings.Replace(jwk("a", "", "", ecKey()), "{", `{"`+member+`":"",`, 1)
		if _, err := ParseKeys([]byte(`{"keys":[` + hollow + `]}`)); !errors.Is(err, ErrKey) {
			t.Errorf("%s: got %v", member, err)
		}
	}
}

func TestKeyOperations(t *testing.T) {
	encrypt := strings.Replace(jwk("a", "", "", ecKey()), "{", `{"key_ops":["deriveKey"],`, 1)
	verify := strings.Replace(jwk("a", "", "", ecKey()), "{", `{"key_ops":["verify"],`, 1)
	compact := handmade(ecKey(), crypto.SHA256, header("ES256", "a"), goodClaims)
	if _, err := VerifyAssertion(compact, keySet(t, encrypt)); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("a key for other operations: got %v", err)
	}
	if _, err := VerifyAssertion(compact, keySet(t, verify)); err != nil {
		t.Errorf("a key for verifying: got %v", err)
	}
}

func TestKeyCertificates(t *testing.T) {
	der := selfSigned(ecKey())
	x5c := `"x5c":["` + base64.StdEncoding.EncodeToString(der) + `"],`
	sum := sha256.Sum256(der)

	key := keySet(t, strings.Replace(jwk("a", "", "", ecKey()), "{", "{"+x5c, 1))[0]
	if len(key.Certificates) != 1 || !bytes.Equal(key.Certificates[0], der) || key.CertificateThumbprint != b64(sum[:]) {
		t.Errorf("with x5c: got %d certificates, thumbprint %q", len(key.Certificates), key.CertificateThumbprint)
	}
	key = keySet(t, strings.Replace(jwk("a", "", "", ecKey()), "{", `{"x5t#S256":"`+b64(sum[:])+`",`, 1))[0]
	if key.CertificateThumbprint != b64(sum[:]) {
		t.Errorf("with x5t#S256: got thumbprint %q", key.CertificateThumbprint)
	}
	foreign := strings.Replace(jwk("a", "", "", otherECKey()), "{", "{"+x5c, 1)
	if _, err := ParseKeys([]byte(`{"keys":[` + foreign + `]}`)); !errors.Is(err, ErrKey) {
		t.Errorf("a certificate of another key: got %v", err)
	}
}

func selfSigned(key *ecdsa.PrivateKey) []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	return must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
}

func TestPublicJWK(t *testing.T) {
	got, err := PublicJWK("k1", "EdDSA", "sig", edKey().Public())
	var members map[string]string
	if err != nil || stdjson.Unmarshal(got, &members) != nil || members["kid"] != "k1" || members["alg"] != "EdDSA" || members["use"] != "sig" || members["d"] != "" {
		t.Errorf("got %s, %v", got, err)
	}
	if got, err := PublicJWK("k1", "EdDSA", "sig", edKey()); !errors.Is(err, ErrKey) {
		t.Errorf("a private key: got %s, %v", got, err)
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[` + rfc7638Key + `,` + rfc8037Key + `]}`))
	f.Add([]byte(`{"keys":[` + jwk("a", "ES256", "sig", ecKey()) + `,{"kty":"oct","k":"AA"}]}`))
	f.Fuzz(func(t *testing.T, jwks []byte) {
		keys, err := ParseKeys(jwks)
		if err != nil {
			return
		}
		for _, key := range keys {
			if strong(key.Public) != nil || key.Thumbprint == "" || !stdjson.Valid(key.JWK) {
				t.Errorf("accepted %q as %+v", jwks, key)
			}
		}
	})
}
