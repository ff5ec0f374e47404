package jose

import (
	"crypto"
	"errors"
	"testing"
)

func TestVerifyOwn(t *testing.T) {
	keys := func(kid string) (crypto.PublicKey, string, bool) {
		switch kid {
		case "k1":
			return ecKey().Public(), ES256, true
		case "k2":
			return edKey().Public(), EdDSA, true
		}
		return nil, "", false
	}
	token := must(Sign(Signer{"k1", ES256, ecKey()}, "at+jwt", []byte(`{"sub":"alice"}`)))
	tests := []struct {
		name    string
		compact string
		typ     string
		err     error
	}{
		{"our token is ours", token, "at+jwt", nil},
		{"Ed25519 too", must(Sign(Signer{"k2", EdDSA, edKey()}, "at+jwt", []byte(`{"sub":"alice"}`))), "at+jwt", nil},
		{"an untyped one is untyped", must(Sign(Signer{"k1", ES256, ecKey()}, "", []byte(`{"sub":"alice"}`))), "", nil},
		{"an ID token is no access token", must(Sign(Signer{"k1", ES256, ecKey()}, "JWT", []byte(`{"sub":"alice"}`))), "at+jwt", ErrType},
		{"an access token is no ID token", token, "JWT", ErrType},
		{"an unknown key is told apart", must(Sign(Signer{"k3", ES256, ecKey()}, "at+jwt", []byte(`{}`))), "at+jwt", ErrUnknownKey},
		{"a stranger's signature is refused", must(Sign(Signer{"k1", ES256, otherECKey()}, "at+jwt", []byte(`{}`))), "at+jwt", ErrSignature},
		{"an algorithm that the key is not for is refused", must(Sign(Signer{"k1", EdDSA, edKey()}, "at+jwt", []byte(`{}`))), "at+jwt", ErrAlgorithm},
		{"garbage is refused", "a.b", "at+jwt", ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			claims, header, err := VerifyOwn(tt.compact, keys, tt.typ)
			if !errors.Is(err, tt.err) {
				t.Fatalf("got %v; want %v", err, tt.err)
			}
			if err == nil && (string(claims) != `{"sub":"alice"}` || header.KeyID == "" || header.Type != tt.typ) {
				t.Errorf("got %s, %+v", claims, header)
			}
		})
	}
}
