package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/eventstore/memory"

	"golang.org/x/mod/sumdb/tlog"
)

func TestAdopt(t *testing.T) {
	log, table := grown(t, 3), &memory.Table{}
	a, b := sit(t, log, table), sit(t, log, table)
	if c, err := b.Adopt(t.Context()); err != nil || c.Size != 0 {
		t.Errorf("before anything is signed: %+v, %v", c, err)
	}
	for range 3 {
		grow(t, log, 4)
		want := signedNow(t, a.Keeper)
		c, err := b.Adopt(t.Context())
		if err != nil || !bytes.Equal(c.Note, want.Note) || !bytes.Equal(b.file(t).Note, want.Note) || b.Newest().Size != want.Size {
			t.Errorf("got %+v, %v; the file has %d", c, err, b.file(t).Size)
		}
	}
	if len(b.pen.texts) > 0 {
		t.Error("who adopts has signed")
	}
}

func TestWhatIsNotAdopted(t *testing.T) {
	altered, rollback, unverifiable := new(*ledger.AlteredError), new(*ledger.RollbackError), new(*ledger.UnverifiableError)
	tests := []struct {
		name  string
		given func(t *testing.T, log *doctored, table *memory.Table)
		want  any
	}{
		{"a checkpoint over another history", func(t *testing.T, log *doctored, table *memory.Table) {
			fork := log.Log.Fork()
			grow(t, fork, 9)
			keepBy(t, table, log, 1, 9, rootOf(t, fork, 9))
		}, altered},
		{"of the same size too", func(t *testing.T, log *doctored, table *memory.Table) {
			keepBy(t, table, log, 1, 5, tlog.Hash{1})
		}, altered},
		{"or a smaller one", func(t *testing.T, log *doctored, table *memory.Table) {
			keepBy(t, table, log, 1, 2, tlog.Hash{1})
		}, altered},
		{"a checkpoint beyond the log", func(t *testing.T, log *doctored, table *memory.Table) {
			keepBy(t, table, log, 1, 99, tlog.Hash{1})
		}, altered},
		{"one over a log that no longer begins with ours", func(t *testing.T, log *doctored, table *memory.Table) {
			fork := log.Log.Fork()
			grow(t, fork, 9)
			keepBy(t, table, log, 1, 9, rootOf(t, fork, 9))
			log.Log = fork
		}, altered},
		{"one of another epoch", func(t *testing.T, log *doctored, table *memory.Table) {
			keepBy(t, table, log, 2, 8, rootOf(t, log, 8))
		}, rollback},
		{"one that is not signed by the key", func(t *testing.T, log *doctored, table *memory.Table) {
			table.KeepCheckpoint(t.Context(), 1, 8, []byte("chirograph\n"))
		}, unverifiable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log, table := &doctored{Log: grown(t, 5)}, &memory.Table{}
			node := sit(t, log, table)
			before := signedNow(t, node.Keeper)
			*table = memory.Table{}
			grow(t, log.Log, 4)
			tt.given(t, log, table)
			_, err := node.Adopt(t.Context())
			if !errors.As(err, tt.want) {
				t.Errorf("got %v", err)
			}
			if !bytes.Equal(node.file(t).Note, before.Note) || node.Newest().Size != 5 {
				t.Error("it was adopted")
			}
		})
	}
}

func rootOf(t testing.TB, log ledger.Source, size int64) tlog.Hash {
	t.Helper()
	root, err := ledger.Root(t.Context(), log, size)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// keepBy keeps any checkpoint of the test key in a table.
func keepBy(t testing.TB, table *memory.Table, log ledger.Source, epoch, size int64, root tlog.Hash) {
	t.Helper()
	origin := ledger.Origin(log.ID(), epoch)
	note := noteBy(t, origin, origin+"\n"+tlogText(size, root))
	if err := table.KeepCheckpoint(t.Context(), epoch, size, note); err != nil {
		t.Fatal(err)
	}
}

func tlogText(size int64, root tlog.Hash) string {
	text := string(tlog.FormatTree(tlog.Tree{N: size, Hash: root}))
	return text[len("go.sum database tree\n"):]
}

func TestAFolderKeepsTheNewer(t *testing.T) {
	log, table := grown(t, 5), &memory.Table{}
	a, b := sit(t, log, table), sit(t, log, table)
	a.Folders, b.Folders = []string{a.folder}, []string{a.folder} // both use one
	a.pen.before = func() error {
		a.pen.before = nil
		grow(t, log, 3)
		signedNow(t, b.Keeper)
		return nil
	}
	signedNow(t, a.Keeper)
	if c := a.file(t); c.Size != 8 {
		t.Errorf("the folder has the checkpoint of %d events", c.Size)
	}
	if err := os.WriteFile(filepath.Join(a.folder, "checkpoint-1"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	grow(t, log, 1)
	if c := signedNow(t, a.Keeper); a.file(t).Size != c.Size {
		t.Error("what is no checkpoint stands in the way")
	}
}

func TestRunAmong(t *testing.T) {
	log, table := memory.New(time.Now), &memory.Table{}
	a, b := sit(t, log, table), sit(t, log, table)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		var first atomic.Bool
		first.Store(true)
		done := make(chan error)
		failed := func(err error) { t.Error(err) }
		go func() { done <- a.RunAmong(ctx, 10*time.Second, first.Load, failed) }()
		go func() { done <- b.RunAmong(ctx, 10*time.Second, func() bool { return !first.Load() }, failed) }()
		step := func(want int64) {
			t.Helper()
			grow(t, log, 5)
			time.Sleep(20 * time.Second)
			synctest.Wait()
			if x, y := a.Newest().Size, b.Newest().Size; x != want || y != want {
				t.Errorf("they have %d and %d, want %d", x, y, want)
			}
		}
		step(5)
		if len(a.pen.texts) != 1 || len(b.pen.texts) != 0 {
			t.Error("who is not elected has signed")
		}
		first.Store(false)
		step(10)
		if len(a.pen.texts) != 1 || len(b.pen.texts) != 1 {
			t.Error("who is not elected has signed, or the other not")
		}
		cancel()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
	})
}

func TestRunAmongEndsWhenAnotherEpochHasBegun(t *testing.T) {
	log, table := grown(t, 5), &memory.Table{}
	a := sit(t, log, table)
	keepBy(t, table, log, 2, 5, rootOf(t, log, 5))
	err := a.RunAmong(t.Context(), time.Nanosecond, func() bool { return false }, func(err error) { t.Error(err) })
	if r := (*ledger.RollbackError)(nil); !errors.As(err, &r) {
		t.Errorf("got %v", err)
	}
}
