package keys

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestSecrets(t *testing.T) {
	path, m := filepath.Join(t.TempDir(), "keyring.db"), newMaster(t)
	r := open(t, path, m)
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
			if got, err := open(t, path, m).Secret(ctx, ForCheckpoints); err != nil || !bytes.Equal(got, secret) {
				t.Errorf("stored is %q (%v)", got, err)
			}
		})
	}
	if r.PutSecret(ctx, "another", make([]byte, maxSecret+1)) == nil {
		t.Error("a secret without bound was stored")
	}
	if bytes.Contains(files(t, path), secret[8:]) {
		t.Error("the secret lies open in the file")
	}
}

func TestBackup(t *testing.T) {
	path, m := filepath.Join(t.TempDir(), "key ring?#%.db"), newMaster(t)
	r := open(t, path, m)
	sealed := seals(t, r, "subject:alice")
	must(t, r.Destroy(ctx, "ben"))
	copied := filepath.Join(t.TempDir(), "copy.db")
	must(t, r.Backup(ctx, copied))
	about, err := os.Stat(copied)
	must(t, err)
	if about.Mode().Perm() != 0o600 {
		t.Errorf("the copy has mode %v", about.Mode())
	}
	if err := r.Backup(ctx, copied); !errors.Is(err, os.ErrExist) {
		t.Errorf("a backup replaced a file: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the keyring lies elsewhere: %v", err)
	}
	must(t, r.Destroy(ctx, "alice"))

	restored := open(t, copied, m)
	must(t, opens(restored, "subject:alice", sealed))
	if again, err := restored.Destroyed(ctx); err != nil || len(again) != 1 {
		t.Errorf("tombstones in the copy: %v (%v)", again, err)
	}
	late, err := r.Destroyed(ctx)
	must(t, err)
	must(t, restored.DestroyHolders(ctx, late...))
	if opens(restored, "subject:alice", sealed) == nil {
		t.Error("a restore brought an erased subject back")
	}
}
