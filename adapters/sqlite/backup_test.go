package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

func TestBackupAndRestore(t *testing.T) {
	dir, copied, restored := t.TempDir(), filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "new")
	log := opened(t, sqlite.Options{Dir: dir})
	defer log.Close()
	fill(t, log, 600)
	c := checkpointed(t, log, filepath.Join(dir, "checkpoints"))

	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	wg.Go(func() { // a busy server does not disturb a backup
		for ctx.Err() == nil {
			fill(t, log, 5)
		}
	})
	m, err := log.Backup(t.Context(), copied)
	stop()
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	root, err := ledger.Root(t.Context(), log, m.Events)
	if err != nil || m.Log != log.ID() || m.Events < 600 || m.Root != root || m.Checkpoint != string(c.Note) {
		t.Errorf("manifest %+v, root of %d is %v, %v", m, m.Events, root, err)
	}
	if files, err := os.ReadDir(copied); err != nil || len(files) != 2 {
		t.Errorf("the backup has %v, %v", files, err)
	}
	if _, err := log.Backup(t.Context(), copied); !errors.Is(err, os.ErrExist) {
		t.Errorf("a backup over another: %v", err)
	}
	report, err := sqlite.Restore(t.Context(), copied, restored, publicKey)
	if err != nil || report.Events != m.Events || report.Covered != 600 {
		t.Fatalf("restore: %+v, %v", report, err)
	}
	again := opened(t, sqlite.Options{Dir: restored})
	defer again.Close()
	fill(t, again, 5)
	if size, err := again.Size(t.Context()); err != nil || size != m.Events+5 || again.ID() != log.ID() {
		t.Errorf("restored log has %d events, %v", size, err)
	}
	if _, err := sqlite.Restore(t.Context(), copied, restored, publicKey); err == nil {
		t.Error("restored over a log")
	}
}

func TestBackupEndsWithItsContext(t *testing.T) {
	log := opened(t, sqlite.Options{Dir: t.TempDir()})
	defer log.Close()
	fill(t, log, 5)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := log.Backup(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("left behind: %v", files)
	}
}

func TestRestoreRefuses(t *testing.T) {
	rewrite := func(t *testing.T, dir string, change func(eventstore.Log)) {
		t.Helper()
		m, err := os.ReadFile(filepath.Join(dir, sqlite.ManifestName))
		if err != nil {
			t.Fatal(err)
		}
		log := opened(t, sqlite.Options{Dir: dir})
		change(log)
		log.Close()
		os.Remove(filepath.Join(dir, sqlite.ManifestName))
		if err := os.WriteFile(filepath.Join(dir, sqlite.ManifestName), m, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		spoil func(t *testing.T, dir string)
	}{
		{"an altered event", func(t *testing.T, dir string) { execute(t, dir, "UPDATE event SET data = x'00' WHERE position = 3") }},
		{"a log that went on", func(t *testing.T, dir string) { rewrite(t, dir, func(l eventstore.Log) { fill(t, l, 5) }) }},
		{"an altered row that is no event", func(t *testing.T, dir string) { execute(t, dir, "INSERT INTO once VALUES (x'01', 1)") }},
		{"a manifest of another log", func(t *testing.T, dir string) {
			path := filepath.Join(dir, sqlite.ManifestName)
			m, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			os.WriteFile(path, bytes.Replace(m, []byte(`"events": 20`), []byte(`"events": 21`), 1), 0o600)
		}},
		{"no manifest", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, sqlite.ManifestName)) }},
		{"a manifest that is none", func(t *testing.T, dir string) {
			os.WriteFile(filepath.Join(dir, sqlite.ManifestName), []byte("{"), 0o600)
		}},
		{"a newer format", func(t *testing.T, dir string) {
			os.WriteFile(filepath.Join(dir, sqlite.ManifestName), []byte(`{"format": 1000}`), 0o600)
		}},
		{"no log", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, sqlite.FileName)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backup, target := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "target")
			log := opened(t, sqlite.Options{Dir: t.TempDir()})
			fill(t, log, 20)
			checkpointed(t, log, t.TempDir())
			_, err := log.Backup(t.Context(), backup)
			if err != nil {
				t.Fatal(err)
			}
			log.Close()
			tt.spoil(t, backup)
			if _, err := sqlite.Restore(t.Context(), backup, target, publicKey); err == nil {
				t.Error("it was restored")
			}
			if _, err := os.Stat(filepath.Join(target, sqlite.FileName)); err == nil {
				t.Error("a log was left in the folder")
			}
		})
	}
}
