package keys

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// A destroyed key leaves no byte of its wrapped form in any file, whatever
// SQLite did with the pages in the meantime.
func TestErasureLeavesNoBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.db")
	r := open(t, file(path), newMaster(t))
	for i := range 400 {
		seals(t, r, fmt.Sprintf("subject:%d", i*7919%400))
		seals(t, r, fmt.Sprintf("journey:%d", i))
		must(t, r.Adopt(ctx, fmt.Sprint(i), fmt.Sprint(i%20)))
	}
	slots := func(subject string) (all [][]byte) {
		rows, err := tables.Column(r.db.Query(ctx, `SELECT slots.wrapped FROM keys JOIN slots ON slots.id = slot WHERE subject = ?`, subject))
		must(t, err)
		for _, wrapped := range rows {
			all = append(all, []byte(wrapped))
		}
		return all
	}
	gone, kept := slots("7"), slots("8")
	if len(gone) != 21 || len(kept) != 21 {
		t.Fatalf("%d and %d keys", len(gone), len(kept))
	}
	must(t, r.Destroy(ctx, "7"))
	raw := content(t, path)
	for _, wrapped := range gone {
		if bytes.Contains(raw, wrapped[:16]) || bytes.Contains(raw, wrapped[len(wrapped)-16:]) {
			t.Fatal("bytes of a destroyed key remain")
		}
	}
	for _, wrapped := range kept {
		if bytes.Count(raw, wrapped) != 1 {
			t.Fatal("a key does not lie in exactly one place")
		}
	}
}

// A destroyed signing key leaves no byte either.
func TestADestroyedSigningKeyIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.db")
	r := open(t, file(path), newMaster(t))
	must(t, r.SigningKeys().Put(ctx, "k", "fapi2", "ES256", newEC(t)))
	var wrapped []byte
	must(t, r.db.QueryRow(ctx, "SELECT wrapped FROM slots").Scan(&wrapped))
	must(t, r.SigningKeys().Destroy(ctx, "k"))
	if bytes.Contains(content(t, path), wrapped[16:48]) {
		t.Error("bytes of the key remain")
	}
}

// A reader elsewhere pins the write-ahead log: then the caller is told.
func TestErasureTellsWhenTracesRemain(t *testing.T) {
	r := newRing(t, files)
	seals(t, r, "subject:alice")
	_, err := r.db.Exec(ctx, "PRAGMA busy_timeout = 0")
	must(t, err)
	rows, err := r.db.Query(ctx, "SELECT holder FROM keys")
	must(t, err)
	if !rows.Next() {
		t.Fatal("no rows")
	}
	if err := r.Destroy(ctx, "alice"); !errors.Is(err, ErrTraces) {
		t.Errorf("got %v", err)
	}
	rows.Close()
	must(t, r.Destroy(ctx, "alice"))
}

// content returns every byte of the keyring's files.
func content(t *testing.T, path string) (raw []byte) {
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
