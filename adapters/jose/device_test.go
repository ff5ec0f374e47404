package jose

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func deviceStatement(t *testing.T, s Signer, typ string, claims map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := Sign(s, typ, raw)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func deviceSigner(t *testing.T, alg string) (Signer, []byte) {
	t.Helper()
	key, err := GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := PublicJWK("", "", "", key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return Signer{Algorithm: alg, Key: key}, jwk
}

func TestDeviceAnswer(t *testing.T) {
	mine, jwk := deviceSigner(t, ES256)
	other, _ := deviceSigner(t, ES256)
	edwards, _ := deviceSigner(t, EdDSA)
	good := map[string]any{
		"iss": "d-1", "aud": "https://as.example", "sub": "r-1", "iat": 1700000000, "exp": 1700000060, "jti": "j-1",
		"decision": "approve", "shown": "hash", "accounts": []string{"a-1"},
	}
	tests := []struct {
		name    string
		compact string
		err     error
	}{
		{"what the device signed", deviceStatement(t, mine, answerType, good), nil},
		{"not what another one signed", deviceStatement(t, other, answerType, good), ErrSignature},
		{"not with a key of another kind", deviceStatement(t, edwards, answerType, good), ErrAlgorithm},
		{"not a registration", deviceStatement(t, mine, registrationType, good), ErrType},
		{"not a proof", deviceStatement(t, mine, proofType, good), ErrType},
		{"not without a type", deviceStatement(t, mine, "", good), ErrType},
		{"not with a decision that is a number", deviceStatement(t, mine, answerType, map[string]any{"decision": 1}), ErrMalformed},
		{"not with accounts that are no list", deviceStatement(t, mine, answerType, map[string]any{"accounts": "a-1"}), ErrMalformed},
		{"not with a member twice", signedTwice(t, mine), ErrMalformed},
		{"not what is no JWS", "approve", ErrMalformed},
		{"not what is too long", strings.Repeat("a", maxJWT+1), ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := (DeviceKeys{}).Answer(jwk, tt.compact); !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
		})
	}
	got, err := DeviceKeys{}.Answer(jwk, tests[0].compact)
	if err != nil || got.Issuer != "d-1" || got.Subject != "r-1" || got.ID != "j-1" || got.Decision != "approve" || got.Shown != "hash" ||
		!reflect.DeepEqual(got.Accounts, []string{"a-1"}) || !got.Expires.Equal(time.Unix(1700000060, 0)) || got.Raw != tests[0].compact {
		t.Errorf("the facts are %+v, %v", got, err)
	}
}

func signedTwice(t *testing.T, s Signer) string {
	t.Helper()
	compact, err := Sign(s, answerType, []byte(`{"decision":"deny","decision":"approve"}`))
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func TestDeviceKey(t *testing.T) {
	_, good := deviceSigner(t, ES256)
	private := strings.Replace(string(good), "{", `{"d":"AQ",`, 1)
	tests := []struct {
		name, jwk string
		good      bool
	}{
		{"a public key", string(good), true},
		{"with further members", strings.Replace(string(good), "{", `{"use":"sig","kid":"k",`, 1), true},
		{"not a private key", private, false},
		{"not a symmetric one", `{"kty":"oct","k":"AQAB"}`, false},
		{"not one of a curve that no accepted algorithm has", `{"kty":"EC","crv":"P-384","x":"l8lFrhx34dV3QbJgnmyuGQpZvEl2HvEgzJPL0FdCkPRRfjMNqsB8FnEJ6V0BdKpp","y":"s84HZ"}`, false},
		{"not something else", `[]`, false},
		{"not what is too long", strings.Replace(string(good), "{", `{"use":"`+strings.Repeat("a", maxDeviceKey)+`",`, 1), false},
		{"not nothing", ``, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			public, thumbprint, err := DeviceKeys{}.Key([]byte(tt.jwk))
			if (err == nil) != tt.good || (len(thumbprint) == 43) != tt.good {
				t.Errorf("got %s, %v", thumbprint, err)
			}
			if strings.Contains(string(public), "kid") {
				t.Errorf("it is kept as %s", public)
			}
		})
	}
}

func FuzzDeviceAnswer(f *testing.F) {
	key, err := GenerateKey(ES256)
	if err != nil {
		f.Fatal(err)
	}
	jwk, _ := PublicJWK("", "", "", key.Public())
	good, _ := Sign(Signer{Algorithm: ES256, Key: key}, answerType, []byte(`{"decision":"approve","aud":"a","exp":1}`))
	f.Add(string(jwk), good)
	f.Add(`{}`, "a.b.c")
	f.Fuzz(func(t *testing.T, jwk, compact string) {
		said, err := DeviceKeys{}.Answer([]byte(jwk), compact)
		if err == nil && said.Raw != compact {
			t.Error("it is not what was sent")
		}
	})
}
