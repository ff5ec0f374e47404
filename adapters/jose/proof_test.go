package jose

import (
	"crypto"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"

	gojose "github.com/go-jose/go-jose/v4"
)

// The proofs of RFC 9449, Figures 2 and 12, and their key's thumbprint from Section 6.1.
const (
	rfc9449Token    = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	rfc9449Resource = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
	rfc9449Key      = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
	rfc9449Access   = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
)

func TestVerifyProofOfRFC9449(t *testing.T) {
	tests := []struct {
		compact string
		want    oauth.Proof
	}{
		{rfc9449Token, oauth.Proof{Raw: rfc9449Token, Algorithm: "ES256", Thumbprint: rfc9449Key, ID: "-BwC3ESc6acc2lTc",
			Method: "POST", URI: "https://server.example.com/token", IssuedAt: time.Unix(1562262616, 0).UTC()}},
		{rfc9449Resource, oauth.Proof{Raw: rfc9449Resource, Algorithm: "ES256", Thumbprint: rfc9449Key, ID: "e1j3V_bKic8-LAEB",
			Method: "GET", URI: "https://resource.example.org/protectedresource", IssuedAt: time.Unix(1562262618, 0).UTC(),
			AccessTokenHash: accessTokenHash(rfc9449Access)}},
	}
	for _, tt := range tests {
		if got, err := VerifyProof(tt.compact); err != nil || got != tt.want {
			t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
		}
	}
}

const proofClaims = `{"jti":"p1","htm":"POST","htu":"https://bank.example/token","iat":1700000000}`

func proofHeader(alg string, key crypto.Signer) string {
	return fmt.Sprintf(`{"typ":"dpop+jwt","alg":%q,"jwk":%s}`, alg, jwk("", "", "", key))
}

func TestVerifyProof(t *testing.T) {
	es := func(header, claims string) string { return handmade(ecKey(), crypto.SHA256, header, claims) }
	good := proofHeader("ES256", ecKey())
	private := string(must(gojose.JSONWebKey{Key: ecKey()}.MarshalJSON()))
	tests := []struct {
		name    string
		compact string
		err     error
	}{
		{"ES256 is accepted", es(good, proofClaims), nil},
		{"PS256 is accepted", handmade(rsaKey(), crypto.SHA256, proofHeader("PS256", rsaKey()), proofClaims), nil},
		{"EdDSA is accepted", handmade(edKey(), 0, proofHeader("EdDSA", edKey()), proofClaims), nil},
		{"Ed25519 is accepted", handmade(edKey(), 0, proofHeader("Ed25519", edKey()), proofClaims), nil},

		{"RS256 is refused", handmade(rsaKey(), crypto.SHA256, proofHeader("RS256", rsaKey()), proofClaims), ErrAlgorithm},
		{"none is refused", b64([]byte(proofHeader("none", ecKey()))) + "." + b64([]byte(proofClaims)) + ".", ErrAlgorithm},
		{"another typ is refused", es(strings.Replace(good, "dpop+jwt", "JWT", 1), proofClaims), ErrType},
		{"no typ is refused", es(strings.Replace(good, `"typ":"dpop+jwt",`, "", 1), proofClaims), ErrType},
		{"no key is refused", es(`{"typ":"dpop+jwt","alg":"ES256"}`, proofClaims), ErrMalformed},
		{"a private key is refused", es(fmt.Sprintf(`{"typ":"dpop+jwt","alg":"ES256","jwk":%s}`, private), proofClaims), ErrMalformed},
		{"a stray private member is refused", es(strings.Replace(good, `"jwk":{`, `"jwk":{"dp":"AA",`, 1), proofClaims), ErrMalformed},
		{"a symmetric key is refused", es(`{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"oct","k":"AAAA"}}`, proofClaims), ErrMalformed},
		{"a weak key is refused", handmade(weakKey(), crypto.SHA256, proofHeader("PS256", weakKey()), proofClaims), ErrKey},
		{"a key of another kind than the algorithm is refused", es(proofHeader("PS256", ecKey()), proofClaims), ErrSignature},
		{"a key that did not sign is refused", es(proofHeader("ES256", otherECKey()), proofClaims), ErrSignature},
		{"Ed25519 by another key is refused", handmade(otherEdKey(), 0, proofHeader("Ed25519", edKey()), proofClaims), ErrSignature},
		{"jti is required", es(good, strings.Replace(proofClaims, `"jti":"p1",`, "", 1)), ErrMalformed},
		{"htm is required", es(good, strings.Replace(proofClaims, `"htm":"POST",`, "", 1)), ErrMalformed},
		{"htu is required", es(good, strings.Replace(proofClaims, `"htu":"https://bank.example/token",`, "", 1)), ErrMalformed},
		{"iat is required", es(good, strings.Replace(proofClaims, `,"iat":1700000000`, "", 1)), ErrMalformed},
		{"a numeric nonce is refused", es(good, strings.Replace(proofClaims, `{`, `{"nonce":1,`, 1)), ErrMalformed},
		{"a long jti is refused", es(good, strings.Replace(proofClaims, "p1", strings.Repeat("p", 257), 1)), ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := VerifyProof(tt.compact); !errors.Is(err, tt.err) {
				t.Errorf("got %+v, %v; want %v", got, err, tt.err)
			}
		})
	}
}

func TestVerifyProofOptionalClaims(t *testing.T) {
	claims := `{"jti":"p1","htm":"GET","htu":"https://bank.example/a","iat":1,"nbf":2,"exp":3,"ath":"h","nonce":"n"}`
	got, err := VerifyProof(handmade(edKey(), 0, proofHeader("EdDSA", edKey()), claims))
	if err != nil || got.AccessTokenHash != "h" || got.Nonce != "n" || got.NotBefore.Unix() != 2 || got.Expires.Unix() != 3 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestNewProof(t *testing.T) {
	now := time.Unix(1700000000, 0).UTC()
	for _, s := range []Signer{{"", PS256, rsaKey()}, {"", ES256, ecKey()}, {"", EdDSA, edKey()}, {"", ES256, foreign{ecKey()}}} {
		compact, err := NewProof(s, "GET", "https://bank.example/accounts?page=2#top", rfc9449Access, "n-1", now)
		if err != nil {
			t.Fatal(err)
		}
		got, err := VerifyProof(compact)
		if err != nil {
			t.Fatal(err)
		}
		want := oauth.Proof{Raw: compact, Algorithm: s.Algorithm, Thumbprint: must(Thumbprint(s.Key.Public())), ID: got.ID, Method: "GET",
			URI: "https://bank.example/accounts", AccessTokenHash: "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo", Nonce: "n-1", IssuedAt: now}
		if got != want || len(got.ID) < 22 {
			t.Errorf("got %+v; want %+v", got, want)
		}
	}
}

func TestNewProofTowardsTheTokenEndpoint(t *testing.T) {
	compact := must(NewProof(Signer{"", ES256, ecKey()}, "POST", "https://bank.example/token", "", "", time.Unix(1700000000, 0)))
	if got, err := VerifyProof(compact); err != nil || got.AccessTokenHash != "" || got.Nonce != "" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzVerifyProof(f *testing.F) {
	f.Add(rfc9449Token)
	f.Add(rfc9449Resource)
	f.Add(handmade(edKey(), 0, proofHeader("Ed25519", edKey()), proofClaims))
	f.Fuzz(func(t *testing.T, compact string) {
		got, err := VerifyProof(compact)
		if err == nil && (got.ID == "" || got.Thumbprint == "" || got.IssuedAt.IsZero()) {
			t.Errorf("accepted %q as %+v", compact, got)
		}
	})
}
