package login

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, file(path), &keyring{})
	about, err := os.Stat(path)
	must(t, err)
	if about.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v", about.Mode())
	}
	_, err = s.db.Exec(ctx, "PRAGMA user_version = 99")
	must(t, err)
	if _, err := file(path)(&keyring{}, quick()); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer format: %v", err)
	}
}

func TestErasureLeavesNoBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, file(path), &keyring{})
	must(t, s.PutCustomer(ctx, ada))
	var record []byte
	must(t, s.db.QueryRow(ctx, "SELECT record FROM customers").Scan(&record))
	must(t, s.Erase(ctx, ada.Subject))
	names, err := filepath.Glob(path + "*")
	must(t, err)
	for _, name := range names {
		raw, err := os.ReadFile(name)
		must(t, err)
		if bytes.Contains(raw, record[:16]) {
			t.Errorf("bytes of the record remain in %s", name)
		}
	}
}
