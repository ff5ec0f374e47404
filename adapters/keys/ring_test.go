package keys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chirograph/chirograph/eventstore"
)

func testRing(t *testing.T, e engine) {
	p, m := e(t), newMaster(t)
	r := open(t, p, m)
	sealed := seals(t, r, "subject:alice")

	tests := []struct {
		name   string
		holder string
		err    error
	}{
		{"what a holder's key sealed, it opens", "subject:alice", nil},
		{"a holder without a key reads as erased", "subject:ben", eventstore.ErrErased},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := opens(r, tt.holder, sealed); !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
		})
	}
	t.Run("keys differ between holders", func(t *testing.T) {
		seals(t, r, "client:alice")
		if opens(r, "client:alice", sealed) == nil {
			t.Error("one key opens for two holders")
		}
	})
	t.Run("a key was durable before it was given", func(t *testing.T) {
		if err := opens(open(t, p, m), "subject:alice", sealed); err != nil {
			t.Error(err)
		}
	})
	t.Run("opening makes no key", func(t *testing.T) {
		if opens(r, "subject:chidi", sealed); count(t, r, "holder = 'subject:chidi'") != 0 {
			t.Error("a key was made")
		}
	})
}

func testHolders(t *testing.T, e engine) {
	r := newRing(t, e)
	tests := []struct {
		name   string
		holder string
		ok     bool
	}{
		{"a subject", "subject:alice", true},
		{"a journey", "journey:authorization-1", true},
		{"a client", "client:budgetly", true},
		{"events of no client share a key", "client:", true},
		{"nothing else", "account:1", false},
		{"not without a kind", "alice", false},
		{"not without bound", "subject:" + strings.Repeat("a", maxHolder), false},
		{"not with a NUL", "subject:a\x00b", false},
		{"not what is no text", "subject:\xff", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := r.Sealer(ctx, tt.holder)
			if (err == nil) != tt.ok {
				t.Errorf("sealer: %v", err)
			}
			if _, err := r.Opener(ctx, tt.holder); (err == nil) != tt.ok {
				t.Errorf("opener: %v", err)
			}
		})
	}
}

func testRacersGetOneKey(t *testing.T, e engine) {
	r := newRing(t, e)
	texts := make([][]byte, 32)
	var racers sync.WaitGroup
	for i := range texts {
		racers.Go(func() {
			if aead, err := r.Sealer(ctx, "subject:alice"); err == nil {
				texts[i] = aead.Seal(nil, make([]byte, 12), []byte("Alice"), nil)
			}
		})
	}
	racers.Wait()
	for i, text := range texts {
		if err := opens(r, "subject:alice", text); err != nil {
			t.Fatalf("racer %d has another key: %v", i, err)
		}
	}
	if n := count(t, r, "TRUE"); n != 1 {
		t.Errorf("%d keys were made", n)
	}
}

func testWrappedKeysAreBoundToTheirHolder(t *testing.T, e engine) {
	tests := []struct {
		name, damage string
		args         []any
	}{
		{"a key altered", `UPDATE slots SET wrapped = ? || substr(wrapped, 2)`, []any{[]byte{0}}},
		{"a key cut short", `UPDATE slots SET wrapped = substr(wrapped, 1, 20)`, nil},
		{"a key emptied", `UPDATE slots SET wrapped = ?`, []any{[]byte{}}},
		{"a key removed", `DELETE FROM slots`, nil},
		{"two keys swapped", `UPDATE keys SET slot = 3 - slot`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, m := e(t), newMaster(t)
			r := open(t, p, m)
			seals(t, r, "subject:alice")
			seals(t, r, "subject:ben")
			_, err := r.db.Exec(ctx, tt.damage, tt.args...)
			must(t, err)
			fresh := open(t, p, m)
			for _, use := range []string{"seal", "open"} {
				ask := fresh.Sealer
				if use == "open" {
					ask = fresh.Opener
				}
				if _, err := ask(ctx, "subject:alice"); !errors.Is(err, errTampered) || errors.Is(err, eventstore.ErrErased) {
					t.Errorf("%s: got %v", use, err)
				}
			}
		})
	}
}

func testTheCacheIsBounded(t *testing.T, e engine) {
	r, err := e(t)(newMaster(t), Settings{Cached: 2})
	must(t, err)
	defer r.Close()
	first := seals(t, r, "subject:a")
	seals(t, r, "subject:b")
	seals(t, r, "subject:c")
	if n := r.ciphers.lru.Len(); n != 2 {
		t.Errorf("%d ciphers in memory", n)
	}
	must(t, opens(r, "subject:a", first))
}

func testMasterOfARing(t *testing.T, e engine) {
	p, m := e(t), newMaster(t)
	open(t, p, m)
	open(t, p, m)
	if _, err := p(newMaster(t), Settings{}); !errors.Is(err, ErrWrongMaster) {
		t.Errorf("another master key: %v", err)
	}
}

func TestOpen(t *testing.T) {
	path, m := filepath.Join(t.TempDir(), "keyring.db"), newMaster(t)
	r := open(t, file(path), m)
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		if about, err := os.Stat(file); err != nil || about.Mode().Perm() != 0o600 {
			t.Errorf("%s is not for its owner only: %v", file, err)
		}
	}
	_, err := r.db.Exec(ctx, "PRAGMA user_version = 99")
	must(t, err)
	if _, err := Open(ctx, path, m, Settings{}); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer format: %v", err)
	}
}

func count(t *testing.T, r *Ring, where string) (n int) {
	t.Helper()
	must(t, r.db.QueryRow(ctx, "SELECT count(*) FROM keys WHERE "+where).Scan(&n))
	return n
}
