package sqlite_test

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// TestKill kills a process in the middle of its appends and looks for every
// event that it had acknowledged. KILL_ROUNDS=200 does so thoroughly.
func TestKill(t *testing.T) {
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("KILL_ROUNDS")); err == nil {
		rounds = n
	}
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range rounds {
		child, lines := process(t, "append", dir)
		for n := 0; n < 500*(1+round%5) && lines.Scan(); n++ {
			acknowledged[lines.Text()] = true
		}
		child.Process.Kill()
		for lines.Scan() { // what it still managed to say
			if len(lines.Text()) == 36 {
				acknowledged[lines.Text()] = true
			}
		}
		child.Wait()
		if round%10 == 9 || round == rounds-1 {
			survived(t, dir, acknowledged)
		}
	}
	t.Logf("%d rounds, %d acknowledged events", rounds, len(acknowledged))
}

// survived demands that a log has every acknowledged event and is whole.
func survived(t *testing.T, dir string, acknowledged map[string]bool) {
	t.Helper()
	log := opened(t, sqlite.Options{Dir: dir})
	defer log.Close()
	there := map[string]bool{}
	for e, err := range log.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		there[e.ID.String()] = true
	}
	lost := 0
	for id := range acknowledged {
		if !there[id] {
			lost++
		}
	}
	if lost > 0 || len(acknowledged) == 0 {
		t.Fatalf("%d of %d acknowledged events are lost", lost, len(acknowledged))
	}
	folder := filepath.Join(dir, "checkpoints")
	checkpointed(t, log, folder)
	report, err := ledger.Verify(t.Context(), ledger.Audit{Log: log, Key: publicKey, Folders: []string{folder}})
	if err != nil || report.Events != int64(len(there)) {
		t.Fatalf("verify: %+v, %v", report, err)
	}
}

var (
	signingKey = ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
	publicKey  = signingKey.Public().(ed25519.PublicKey)
)

// checkpointed signs over a log that agrees with its checkpoints.
func checkpointed(t testing.TB, log *sqlite.Log, folder string) ledger.Checkpoint {
	t.Helper()
	k, err := ledger.Open(t.Context(), ledger.Config{Log: log, Key: signingKey, Folders: []string{folder}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := k.Sign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	child, lines := process(t, "full disk", dir)
	acknowledged := map[string]bool{}
	for lines.Scan() {
		if len(lines.Text()) == 36 {
			acknowledged[lines.Text()] = true
		} else {
			t.Log(lines.Text())
		}
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	survived(t, dir, acknowledged)
}

func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 10)
	for path := dir; len(path) > len(os.TempDir()); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(path, 0o700) })
	}
	for _, name := range []string{sqlite.FileName, "lock"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o444); err != nil {
			t.Fatal(err)
		}
	}
	child, lines := process(t, "nobody", dir)
	events := 0
	for lines.Scan() {
		if events++; len(lines.Text()) != 36 {
			t.Log(lines.Text())
		}
	}
	if err := child.Wait(); err != nil || events != 10 {
		t.Errorf("%d events, %v", events, err)
	}
}
