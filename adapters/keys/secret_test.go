package keys

import (
	"bytes"
	"errors"
	"testing"
)

func testSecrets(t *testing.T, e engine) {
	p, m := e(t), newMaster(t)
	r := open(t, p, m)
	secret := []byte("PRIVATE+KEY+log+1234abcd+AAAA")
	if _, err := r.Secret(ctx, ForCheckpoints); !errors.Is(err, ErrNoKey) {
		t.Errorf("before it is put: %v", err)
	}
	tests := []struct {
		name   string
		secret []byte
		ok     bool
	}{
		{"a secret is put", secret, true},
		{"putting it again changes nothing", secret, true},
		{"another one does not replace it", []byte("PRIVATE+KEY+log+1234abcd+BBBB"), false},
		{"not an empty one", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := r.PutSecret(ctx, ForCheckpoints, tt.secret); (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
			if got, err := open(t, p, m).Secret(ctx, ForCheckpoints); err != nil || !bytes.Equal(got, secret) {
				t.Errorf("stored is %q (%v)", got, err)
			}
		})
	}
	if r.PutSecret(ctx, "another", make([]byte, maxSecret+1)) == nil {
		t.Error("a secret without bound was stored")
	}
	var wrapped []byte
	must(t, r.db.QueryRow(ctx, "SELECT wrapped FROM slots").Scan(&wrapped))
	if bytes.Contains(wrapped, secret[8:]) {
		t.Error("the secret lies open")
	}
}
