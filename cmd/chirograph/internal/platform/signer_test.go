package platform

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/adapters/keys"
)

func TestSignerSignsAndRecognizes(t *testing.T) {
	p, _ := opened(t)
	held := privateKeys{p}
	for _, alg := range []string{jose.ES256, jose.PS256, jose.EdDSA} {
		t.Run(alg, func(t *testing.T) {
			made, err := held.Make(t.Context(), "bank", alg)
			if err != nil || made.Algorithm != alg {
				t.Fatalf("%+v, %v", made, err)
			}
			compact, err := p.Signer.Sign(t.Context(), made.ID, "at+jwt", []byte(`{"sub":"alice"}`))
			if err != nil {
				t.Fatal(err)
			}
			known := func(kid string) ([]byte, bool) { return made.JWK, kid == made.ID }
			got, err := p.Signer.Verify(t.Context(), compact, known)
			var claims struct{ Sub string }
			if err != nil || got.Type != "at+jwt" || got.KeyID != made.ID || json.Unmarshal(got.Claims, &claims) != nil || claims.Sub != "alice" {
				t.Errorf("%+v, %v", got, err)
			}
			nobody := func(string) ([]byte, bool) { return nil, false }
			if _, err := p.Signer.Verify(t.Context(), compact, nobody); !errors.Is(err, jose.ErrUnknownKey) {
				t.Errorf("under a key that does not count: %v", err)
			}
			other, err := held.Make(t.Context(), "bank", alg)
			if err != nil {
				t.Fatal(err)
			}
			swapped := func(string) ([]byte, bool) { return other.JWK, true }
			if _, err := p.Signer.Verify(t.Context(), compact, swapped); !errors.Is(err, jose.ErrSignature) {
				t.Errorf("under another key: %v", err)
			}
			if err := held.Destroy(t.Context(), made.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := p.Signer.Sign(t.Context(), made.ID, "at+jwt", []byte(`{}`)); !errors.Is(err, keys.ErrDestroyed) {
				t.Errorf("a destroyed key signs: %v", err)
			}
		})
	}
	for _, nonsense := range []string{"", ".", "e30", "e30.e30.e30", "bm90IGpzb24.e30.AA"} {
		if _, err := p.Signer.Verify(t.Context(), nonsense, func(string) ([]byte, bool) { return nil, false }); err == nil {
			t.Errorf("%q verifies", nonsense)
		}
	}
}

func TestKeepTakesAPrivateKeyOnce(t *testing.T) {
	p, _ := opened(t)
	const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
-----END PRIVATE KEY-----`
	first, err := privateKeys{p}.Keep(t.Context(), "bank", "key-1", []byte(key))
	if err != nil || first.Algorithm != jose.ES256 {
		t.Fatalf("%+v, %v", first, err)
	}
	if _, err := (privateKeys{p}).Keep(t.Context(), "bank", "key-1", []byte(key)); err != nil {
		t.Errorf("the same again: %v", err)
	}
	for name, text := range map[string]string{"nothing": "", "a certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "garbage": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"} {
		if _, err := (privateKeys{p}).Keep(t.Context(), "bank", "key-2", []byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
