package keys

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ctx  = context.Background()
)

// at returns settings whose clock shows one time.
func at(now time.Time) Settings { return Settings{Now: func() time.Time { return now }} }

func newMaster(t *testing.T) *Master {
	t.Helper()
	m, err := OpenMaster(filepath.Join(t.TempDir(), "master.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newRing returns an empty ring and its file.
func newRing(t *testing.T) (*Ring, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keyring.db")
	return open(t, path, newMaster(t)), path
}

func open(t *testing.T, path string, m *Master) *Ring {
	t.Helper()
	r, err := Open(ctx, path, m, at(noon))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// seals returns a text sealed for a holder.
func seals(t *testing.T, r *Ring, holder string) []byte {
	t.Helper()
	aead, err := r.Sealer(ctx, holder)
	if err != nil {
		t.Fatalf("sealer of %s: %v", holder, err)
	}
	return aead.Seal(nil, make([]byte, aead.NonceSize()), []byte("Alice"), nil)
}

// opens reports whether the holder's key opens a text.
func opens(r *Ring, holder string, sealed []byte) error {
	aead, err := r.Opener(ctx, holder)
	if err != nil {
		return err
	}
	_, err = aead.Open(nil, make([]byte, aead.NonceSize()), sealed, nil)
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
