package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// banked returns a folder of a bank with a backup that was made before its
// customer was erased.
func banked(t *testing.T) (dir string) {
	t.Helper()
	dir, _ = prepared(t)
	ok(t, dir, "apply", "-f", "bank.yaml")
	ok(t, dir, "backup", "before")
	ok(t, dir, "subject", "erase", "c-1", "--reason", "asked for")
	return dir
}

// emptied moves the data folder away, all but what is kept apart from backups.
func emptied(t *testing.T, dir string, keep ...string) {
	t.Helper()
	old, data := filepath.Join(dir, "old"), filepath.Join(dir, "data")
	if err := os.Rename(data, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range keep {
		if err := os.Rename(filepath.Join(old, name), filepath.Join(data, name)); err != nil {
			t.Fatal(err)
		}
	}
}

type person struct {
	Name   string
	Erased bool
}

func TestErasuresOutliveARestore(t *testing.T) {
	dir := banked(t)
	emptied(t, dir, "master.key", "checkpoints")
	if r := chirograph(t, dir, "restore", "before"); r.code != 10 || !strings.Contains(r.err, "--accept-loss") {
		t.Fatalf("an older copy: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if who := answer[person](t, dir, "subject", "get", "c-1"); who.Name != "" {
		t.Errorf("a log that may not be served still knows %s", who.Name)
	}
	ok(t, dir, "restore", "--accept-loss", "--reason", "the disk died")
	if who := answer[person](t, dir, "subject", "get", "c-1"); who.Name != "" || !who.Erased {
		t.Errorf("the loss brought back %+v", who)
	}
	again := answer[entries](t, dir, "audit", "timeline", "customer/c-1").of(t, "subject.erased")
	if !strings.Contains(again.Sentence, "before the log was restored") {
		t.Errorf("the log says: %s", again.Sentence)
	}
	before := answer[struct{ Report struct{ Events int } }](t, dir, "audit", "verify").Report.Events
	ok(t, dir, "restore", "--accept-loss", "--reason", "there is none any more")
	if after := answer[struct{ Report struct{ Events int } }](t, dir, "audit", "verify").Report.Events; after != before {
		t.Errorf("repeated it grows from %d to %d events", before, after)
	}
}

func TestARestoreThatFailsLeavesNothing(t *testing.T) {
	dir := banked(t)
	tests := []struct {
		name  string
		spoil func(dir string)
		code  int
		says  string
	}{
		{"without the master key", func(dir string) { os.Remove(filepath.Join(dir, "data", "master.key")) }, 11, "master.key"},
		{"with another one", func(dir string) {
			write(t, filepath.Join(dir, "data"), "master.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
		}, 11, "not the one of this keyring"},
		{"from a file that was changed", func(dir string) {
			text, _ := os.ReadFile(filepath.Join(dir, "before", "log.db"))
			write(t, filepath.Join(dir, "before"), "log.db", strings.Replace(string(text), "client.registered", "client.registerex", 1))
		}, 10, "not the one that the manifest describes"},
		{"of a newer format", func(dir string) {
			text, _ := os.ReadFile(filepath.Join(dir, "before", "manifest.json"))
			write(t, filepath.Join(dir, "before"), "manifest.json", strings.Replace(string(text), `"format": 1`, `"format": 2`, 1))
		}, 1, "use the newer binary"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at := filepath.Join(t.TempDir(), "bank")
			if err := os.CopyFS(at, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			t.Setenv("CHIROGRAPH_CONFIG", filepath.Join(at, "chirograph.yaml"))
			emptied(t, at, "master.key")
			if err := os.Chmod(filepath.Join(at, "data", "master.key"), 0o600); err != nil {
				t.Fatal(err)
			}
			tt.spoil(at)
			if r := chirograph(t, at, "restore", "before"); r.code != tt.code || !strings.Contains(r.err, tt.says) {
				t.Errorf("exit %d, want %d with %q\n%s%s", r.code, tt.code, tt.says, r.out, r.err)
			}
			for _, name := range []string{"log.db", "keyring.db", "state.db"} {
				if _, err := os.Stat(filepath.Join(at, "data", name)); err == nil {
					t.Errorf("%s is left", name)
				}
			}
		})
	}
}

func TestALogThatIsGoneIsNotReplaced(t *testing.T) {
	dir := banked(t)
	if err := os.Remove(filepath.Join(dir, "data", "log.db")); err != nil {
		t.Fatal(err)
	}
	if r := chirograph(t, dir, "serve"); r.code != 11 || !strings.Contains(r.err, "put a backup back") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "log.db")); err == nil {
		t.Error("another log has begun")
	}
}
