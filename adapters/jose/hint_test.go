package jose

import (
	"crypto"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

const hintClaims = `{"iss":"https://desk.example","aud":["https://bank.example"],"jti":"h1","iat":1700000000,"nbf":1700000001,"exp":1700000060,"sub_id":{"format":"opaque","id":"alice"}}`

func TestVerifyHint(t *testing.T) {
	keys := keySet(t, jwk("ec", "", "", ecKey()))
	got, err := VerifyHint(handmade(ecKey(), crypto.SHA256, header("ES256", "ec"), hintClaims), keys)
	want := oauth.HintToken{
		Algorithm: "ES256", Issuer: "https://desk.example", Audience: []string{"https://bank.example"}, ID: "h1", Claims: []byte(hintClaims),
		IssuedAt: time.Unix(1700000000, 0).UTC(), NotBefore: time.Unix(1700000001, 0).UTC(), Expires: time.Unix(1700000060, 0).UTC(),
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	refused := []struct {
		name    string
		compact string
		err     error
	}{
		{"an access token is no hint", handmade(ecKey(), crypto.SHA256, `{"alg":"ES256","typ":"at+jwt"}`, hintClaims), ErrType},
		{"another key's signature", handmade(otherECKey(), crypto.SHA256, header("ES256", "ec"), hintClaims), ErrSignature},
		{"an unknown key", handmade(ecKey(), crypto.SHA256, header("ES256", "new"), hintClaims), ErrUnknownKey},
		{"no signature", b64([]byte(`{"alg":"none"}`)) + "." + b64([]byte(hintClaims)) + ".", ErrAlgorithm},
		{"a secret in place of a key", hs256(keys[0].JWK, header("HS256", "ec"), hintClaims), ErrAlgorithm},
		{"a claim that occurs twice", handmade(ecKey(), crypto.SHA256, header("ES256", "ec"), `{"iss":"a","iss":"b"}`), ErrMalformed},
		{"no JWT", "alice", ErrMalformed},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := VerifyHint(tt.compact, keys); !errors.Is(err, tt.err) {
				t.Errorf("got %v; want %v", err, tt.err)
			}
		})
	}
}

const requestClaims = `{"iss":"till","aud":"https://bank.example","jti":"r1","iat":1700000000,"nbf":1700000001,"exp":1700000060,"scope":"openid"}`

func TestVerifyRequest(t *testing.T) {
	keys := keySet(t, jwk("ec", "", "", ecKey()))
	compact := handmade(ecKey(), crypto.SHA256, header("ES256", "ec"), requestClaims)
	got, err := VerifyRequest(compact, keys)
	want := oauth.SignedRequest{
		Raw: compact, Algorithm: "ES256", KeyID: "ec", Thumbprint: keys[0].Thumbprint, Issuer: "till", Audience: []string{"https://bank.example"},
		ID: "r1", Claims: []byte(requestClaims),
		IssuedAt: time.Unix(1700000000, 0).UTC(), NotBefore: time.Unix(1700000001, 0).UTC(), Expires: time.Unix(1700000060, 0).UTC(),
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := VerifyRequest(handmade(ecKey(), crypto.SHA256, `{"alg":"ES256","typ":"oauth-authz-req+jwt"}`, requestClaims), keys); err != nil {
		t.Errorf("the type of request objects: %v", err)
	}
	refused := []struct {
		name    string
		compact string
		err     error
	}{
		{"an assertion is no request", handmade(ecKey(), crypto.SHA256, `{"alg":"ES256","typ":"client-authentication+jwt"}`, requestClaims), ErrType},
		{"a proof is none", handmade(ecKey(), crypto.SHA256, `{"alg":"ES256","typ":"dpop+jwt"}`, requestClaims), ErrType},
		{"RS256", handmade(rsaKey(), crypto.SHA256, header("RS256", "rsa"), requestClaims), ErrAlgorithm},
		{"no signature", b64([]byte(`{"alg":"none"}`)) + "." + b64([]byte(requestClaims)) + ".", ErrAlgorithm},
		{"another key's signature", handmade(otherECKey(), crypto.SHA256, header("ES256", "ec"), requestClaims), ErrSignature},
		{"a claim that occurs twice", handmade(ecKey(), crypto.SHA256, header("ES256", "ec"), `{"scope":"a","scope":"b"}`), ErrMalformed},
		{"no object", handmade(ecKey(), crypto.SHA256, header("ES256", "ec"), `null`), ErrMalformed},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := VerifyRequest(tt.compact, keys); !errors.Is(err, tt.err) {
				t.Errorf("got %v; want %v", err, tt.err)
			}
		})
	}
}

func TestPeekHintIssuer(t *testing.T) {
	tests := []struct {
		name    string
		compact string
		want    string
	}{
		{"the issuer, not the subject", "e30." + b64([]byte(`{"iss":"a","sub":"b"}`)) + ".", "a"},
		{"nobody", "e30.e30.", ""},
		{"two of them", "e30." + b64([]byte(`{"iss":"a","iss":"b"}`)) + ".", ""},
		{"no JWT", "alice", ""},
		{"too much", "e30." + b64([]byte(`{"iss":"a"}`)) + "." + strings.Repeat("A", 8<<10), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := PeekHintIssuer(tt.compact); got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// Whatever is sent as a hint or a request is refused, or was signed.
func FuzzVerifyHint(f *testing.F) {
	keys := keySet(f, jwk("ec", "", "", ecKey()))
	f.Add(handmade(ecKey(), crypto.SHA256, header("ES256", "ec"), hintClaims))
	f.Add("e30.e30.c2ln")
	f.Fuzz(func(t *testing.T, compact string) {
		hint, err := VerifyHint(compact, keys)
		if iss, peeked := PeekHintIssuer(compact); err == nil && hint.Issuer != "" && (peeked != nil || iss != hint.Issuer) {
			t.Errorf("from %q, and looked like from %q, %v", hint.Issuer, iss, peeked)
		}
		if _, err := VerifyRequest(compact, keys); err == nil && hint.Claims == nil && !strings.Contains(compact, ".") {
			t.Error("a request without a signature")
		}
	})
}
