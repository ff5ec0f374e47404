package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"testing"
)

func newEC(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func testSigningKeys(t *testing.T, e engine) {
	p, m := e(t), newMaster(t)
	r := open(t, p, m)
	ec := newEC(t)
	_, ed, err := ed25519.GenerateKey(nil)
	must(t, err)
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)

	for alg, key := range map[string]crypto.Signer{"ES256": ec, "EdDSA": ed, "PS256": rs} {
		must(t, r.SigningKeys().Put(ctx, alg, "fapi2", alg, key))
		got, err := open(t, p, m).SigningKeys().Get(ctx, alg)
		if err != nil || !got.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public()) {
			t.Errorf("%s: got another key (%v)", alg, err)
		}
	}

	tests := []struct {
		name string
		kid  string
		key  crypto.Signer
		err  error
	}{
		{"putting a key again changes nothing", "ES256", ec, nil},
		{"a kid is not given to a second key", "ES256", newEC(t), ErrTaken},
		{"nor to one of another kind", "ES256", ed, ErrTaken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := r.SigningKeys().Put(ctx, tt.kid, "fapi2", "ES256", tt.key); !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
		})
	}
	t.Run("a key without a kid", func(t *testing.T) {
		if r.SigningKeys().Put(ctx, "", "fapi2", "ES256", ec) == nil {
			t.Error("it was stored")
		}
	})
	t.Run("a key that a device holds", func(t *testing.T) {
		if r.SigningKeys().Put(ctx, "hsm", "fapi2", "ES256", device{ec}) == nil {
			t.Error("it was stored")
		}
	})
	t.Run("a key nobody put", func(t *testing.T) {
		if _, err := r.SigningKeys().Get(ctx, "none"); !errors.Is(err, ErrNoKey) {
			t.Errorf("got %v", err)
		}
		if err := r.SigningKeys().Destroy(ctx, "none"); !errors.Is(err, ErrNoKey) {
			t.Errorf("got %v", err)
		}
	})
}

// A device signs with a key that it does not show.
type device struct{ inner crypto.Signer }

func (d device) Public() crypto.PublicKey { return d.inner.Public() }
func (d device) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return d.inner.Sign(random, digest, o)
}

func testADestroyedSigningKey(t *testing.T, e engine) {
	r := newRing(t, e)
	signing, key := r.SigningKeys(), newEC(t)
	must(t, signing.Put(ctx, "k", "fapi2", "ES256", key))
	for range 2 {
		must(t, signing.Destroy(ctx, "k"))
	}
	if _, err := signing.Get(ctx, "k"); !errors.Is(err, ErrDestroyed) {
		t.Errorf("get: %v", err)
	}
	if err := signing.Put(ctx, "k", "fapi2", "ES256", key); !errors.Is(err, ErrDestroyed) {
		t.Errorf("put: %v", err)
	}
	var wrapped []byte
	must(t, r.db.QueryRow(ctx, "SELECT wrapped FROM slots").Scan(&wrapped))
	if len(bytes.Trim(wrapped, "\x00")) > 0 {
		t.Error("the slot is not overwritten")
	}
}

func testASigningKeyIsBoundToItsIssuer(t *testing.T, e engine) {
	for _, damage := range []string{
		`UPDATE signing SET issuer = 'rogue'`, `UPDATE signing SET alg = 'none'`, `UPDATE signing SET use = 'enc'`,
		`UPDATE signing SET kid = 'k2'`, `UPDATE slots SET wrapped = substr(wrapped, 2)`,
	} {
		r := newRing(t, e)
		must(t, r.SigningKeys().Put(ctx, "k", "fapi2", "ES256", newEC(t)))
		_, err := r.db.Exec(ctx, damage)
		must(t, err)
		var kid string
		must(t, r.db.QueryRow(ctx, "SELECT kid FROM signing").Scan(&kid))
		if _, err := r.SigningKeys().Get(ctx, kid); !errors.Is(err, errTampered) {
			t.Errorf("%s: got %v", damage, err)
		}
	}
}
