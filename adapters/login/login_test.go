package login

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/chirograph/chirograph/eventstore"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ctx  = context.Background()
)

// A keyring gives everybody a key, but for those who are erased.
type keyring struct {
	mu     sync.Mutex
	erased map[string]bool
}

func (k *keyring) Sealer(_ context.Context, holder string) (cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.erased[holder] {
		return nil, eventstore.ErrErased
	}
	key := sha256.Sum256([]byte(holder))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (k *keyring) Opener(ctx context.Context, holder string) (cipher.AEAD, error) {
	return k.Sealer(ctx, holder)
}

func (k *keyring) erase(subject string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.erased["subject:"+subject] = true
}

// quick are the defaults with a hash that takes no time.
func quick() Settings {
	s := Defaults()
	s.Hash = argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	return s
}

// newStore returns an empty store, its keys and its file.
func newStore(t *testing.T) (*Store, *keyring, string) {
	t.Helper()
	keys, path := &keyring{erased: map[string]bool{}}, filepath.Join(t.TempDir(), "state.db")
	s, err := Open(ctx, path, [32]byte{1}, keys, quick())
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s, keys, path
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// files returns every byte of the store's files.
func files(t *testing.T, path string) (raw []byte) {
	t.Helper()
	names, err := filepath.Glob(path + "*")
	must(t, err)
	for _, name := range names {
		b, err := os.ReadFile(name)
		must(t, err)
		raw = append(raw, b...)
	}
	return raw
}

func TestOpen(t *testing.T) {
	s, keys, path := newStore(t)
	about, err := os.Stat(path)
	must(t, err)
	if about.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v", about.Mode())
	}
	if _, err := Open(ctx, path, [32]byte{1}, keys, Settings{}); err == nil {
		t.Error("opened without limits")
	}
	_, err = s.db.write.Exec("PRAGMA user_version = 99")
	must(t, err)
	if _, err := Open(ctx, path, [32]byte{1}, keys, quick()); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer format: %v", err)
	}
}

func TestBackup(t *testing.T) {
	s, keys, _ := newStore(t)
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
	copied := filepath.Join(t.TempDir(), "copy.db")
	must(t, s.Backup(ctx, copied))
	if err := s.Backup(ctx, copied); !errors.Is(err, os.ErrExist) {
		t.Errorf("a backup replaced a file: %v", err)
	}
	restored, err := Open(ctx, copied, [32]byte{1}, keys, quick())
	must(t, err)
	defer restored.Close()
	if _, err := restored.Check(ctx, "fapi2", "alice", "open sesame", "192.0.2.1", noon); err != nil {
		t.Error(err)
	}
}
