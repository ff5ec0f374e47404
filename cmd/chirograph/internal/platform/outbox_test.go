package platform

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/installation"
)

func TestReadersMakeNoOutbox(t *testing.T) {
	o := in(made(t, installation.Production))
	file := folderOf(o.Config).outbox()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	o.ReadOnly = true
	p, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := os.Stat(file); err == nil {
		t.Error("it was made")
	}
	if _, err := p.API.Waiting.Find(t.Context(), "one", p.Now()); !errors.Is(err, api.ErrGone) {
		t.Errorf("a reader finds %v", err)
	}
	if p.API.Waiting.Keep(t.Context(), "one", []byte("secret"), p.Now()) == nil || p.API.Waiting.Forget(t.Context(), "one") == nil {
		t.Error("a reader writes")
	}
}

func TestWhatWaitsIsInNoBackup(t *testing.T) {
	p, _ := opened(t)
	if err := p.Outbox.Keep(t.Context(), "a-secret-of-somebody", []byte("secret"), p.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "backup")
	if _, err := p.Backup(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte("a-secret-of-somebody")) || entry.Name() == filepath.Base(p.Folder.outbox()) {
			t.Errorf("it is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWhatWaitsOutlivesARestart(t *testing.T) {
	p, later := opened(t)
	if err := p.Outbox.Keep(t.Context(), "one", []byte("secret"), p.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	o := p.Options
	again, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if kept, err := again.API.Waiting.Find(t.Context(), "one", again.Now()); err != nil || string(kept) != "secret" {
		t.Errorf("found %q, %v", kept, err)
	}
	later(time.Hour)
	if _, err := again.API.Waiting.Find(t.Context(), "one", again.Now()); !errors.Is(err, api.ErrGone) {
		t.Errorf("after its end: %v", err)
	}
}
