package keys

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

func testBackup(t *testing.T, e engine) {
	m := newMaster(t)
	r := open(t, e(t), m)
	sealed := seals(t, r, "subject:alice")
	for i := range 250 { // more than are copied at once
		seals(t, r, fmt.Sprint("journey:", i))
	}
	must(t, r.Destroy(ctx, "ben"))
	must(t, r.PutSecret(ctx, "name", []byte("secret")))
	must(t, r.SigningKeys().Put(ctx, "k", "fapi2", "ES256", newEC(t)))
	copied := filepath.Join(t.TempDir(), "key ring?#%.db")
	must(t, r.Backup(ctx, copied))
	about, err := os.ReadDir(filepath.Dir(copied))
	must(t, err)
	if info, err := about[0].Info(); len(about) != 1 || err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy is %v", about)
	}
	if err := r.Backup(ctx, copied); !errors.Is(err, os.ErrExist) {
		t.Errorf("a backup replaced a file: %v", err)
	}
	must(t, r.Destroy(ctx, "alice"))

	back := open(t, e(t), m)
	must(t, back.Restore(ctx, copied))
	for name, restored := range map[string]*Ring{"filled": back, "opened": open(t, file(copied), m)} {
		t.Run(name, func(t *testing.T) {
			must(t, opens(restored, "subject:alice", sealed))
			if again, err := restored.Destroyed(ctx); err != nil || len(again) != 1 {
				t.Errorf("tombstones in the copy: %v (%v)", again, err)
			}
			if secret, err := restored.Secret(ctx, "name"); err != nil || string(secret) != "secret" {
				t.Errorf("the secret in the copy: %v", err)
			}
			_, err := restored.SigningKeys().Get(ctx, "k")
			must(t, err)
			must(t, opens(restored, "journey:249", seals(t, restored, "journey:249")))
			seals(t, restored, "subject:chidi") // in a slot of its own
			late, err := r.Destroyed(ctx)
			must(t, err)
			must(t, restored.DestroyHolders(ctx, late...))
			if opens(restored, "subject:alice", sealed) == nil {
				t.Error("a restore brought an erased subject back")
			}
		})
	}
	t.Run("not over keys that are there", func(t *testing.T) {
		if err := back.Restore(ctx, copied); !errors.Is(err, tables.ErrNotEmpty) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not under another master key", func(t *testing.T) {
		if err := open(t, e(t), newMaster(t)).Restore(ctx, copied); !errors.Is(err, ErrWrongMaster) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not when nobody knows under which", func(t *testing.T) {
		unproved := filepath.Join(t.TempDir(), "unproved.db")
		must(t, r.Backup(ctx, unproved))
		f := open(t, file(unproved), m)
		_, err := f.db.Exec(ctx, "DELETE FROM installation")
		must(t, err)
		if err := open(t, e(t), m).Restore(ctx, unproved); !errors.Is(err, ErrWrongMaster) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not from a file that is missing", func(t *testing.T) {
		missing := filepath.Join(t.TempDir(), "none")
		if open(t, e(t), m).Restore(ctx, missing) == nil {
			t.Error("it was filled")
		}
		if _, err := os.Stat(missing); err == nil {
			t.Error("it was made")
		}
	})
}
