package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	engine "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

func TestSecondWriterIsRefused(t *testing.T) {
	dir := t.TempDir()
	log := opened(t, sqlite.Options{Dir: dir})
	if _, err := sqlite.Open(sqlite.Options{Dir: dir}); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("got %v", err)
	}
	fill(t, log, 5) // the first is not disturbed
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	opened(t, sqlite.Options{Dir: dir}).Close()
}

func TestReaderBesideAWriter(t *testing.T) {
	dir := t.TempDir()
	if _, err := sqlite.Open(sqlite.Options{Dir: dir, ReadOnly: true}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a log that does not exist: got %v", err)
	}
	writer := opened(t, sqlite.Options{Dir: dir})
	defer writer.Close()
	fill(t, writer, 5)
	reader := opened(t, sqlite.Options{Dir: dir, ReadOnly: true})
	defer reader.Close()
	if reader.ID() != writer.ID() {
		t.Error("it is another log")
	}
	seen := 0
	for item, err := range reader.Subscribe(t.Context(), 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Event != nil {
			seen++
		} else if seen == 5 {
			fill(t, writer, 3)
		}
		if seen == 8 {
			break
		}
	}
	size, err := reader.Size(t.Context())
	if err != nil || size != 8 {
		t.Errorf("reader sees %d events, %v", size, err)
	}
	if _, err := reader.Append(t.Context(), eventstore.Append{Stream: "a-1", Expect: eventstore.Absent()}); !errors.Is(err, sqlite.ErrReadOnly) {
		t.Errorf("append: %v", err)
	}
	if err := reader.KeepCheckpoint(t.Context(), 1, 1, nil); !errors.Is(err, sqlite.ErrReadOnly) {
		t.Errorf("keep checkpoint: %v", err)
	}
}

// execute runs SQL on the file of a closed log, as an operator could.
func execute(t testing.TB, dir, sql string) {
	t.Helper()
	c, err := engine.OpenConn(filepath.Join(dir, sqlite.FileName), engine.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := sqlitex.ExecuteScript(c, sql, nil); err != nil {
		t.Fatal(err)
	}
}

func TestNewerDataFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 5)
	execute(t, dir, "UPDATE meta SET value = '1000' WHERE name = 'format'")
	for _, readOnly := range []bool{false, true} {
		_, err := sqlite.Open(sqlite.Options{Dir: dir, ReadOnly: readOnly})
		if f := (*sqlite.FormatError)(nil); !errors.As(err, &f) || f.Have != 1000 {
			t.Errorf("read-only %t: got %v", readOnly, err)
		}
	}
}

func TestAlteredTailIsFoundAtOpening(t *testing.T) {
	tests := []struct {
		name string
		sql  string
		at   eventstore.Position
	}{
		{"an event changed", "UPDATE event SET data = x'7b7d' WHERE position = 1500", 1500},
		{"a leaf hash changed", "UPDATE event SET leaf = zeroblob(32) WHERE position = 2000", 2000},
		{"an event was removed", "DELETE FROM event WHERE position = 1400", 1400},
		{"a stream was renamed", "UPDATE stream SET name = 'test-x' WHERE sid = 1996", 1996},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			filled(t, dir, 2000)
			execute(t, dir, tt.sql)
			_, err := sqlite.Open(sqlite.Options{Dir: dir})
			if a := (*ledger.AlteredError)(nil); !errors.As(err, &a) || a.Position != tt.at {
				t.Errorf("got %v, want position %d", err, tt.at)
			}
			reader, err := sqlite.Open(sqlite.Options{Dir: dir, ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			if a := (*ledger.AlteredError)(nil); !errors.As(reader.CheckTail(t.Context()), &a) || a.Position != tt.at {
				t.Errorf("a reader finds %v, want position %d", a, tt.at)
			}
		})
	}
}

// verified is a full check of a log that is opened for reading.
func verified(t testing.TB, dir string) (ledger.Report, error) {
	t.Helper()
	log, err := sqlite.Open(sqlite.Options{Dir: dir, ReadOnly: true})
	if err != nil {
		return ledger.Report{}, err
	}
	defer log.Close()
	return ledger.Verify(t.Context(), ledger.Audit{Log: log, Key: publicKey, Folders: []string{filepath.Join(dir, "checkpoints")}})
}

// signedLog is a closed log of n events with a checkpoint over them.
func signedLog(t testing.TB, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	log := opened(t, sqlite.Options{Dir: dir})
	fill(t, log, n)
	checkpointed(t, log, filepath.Join(dir, "checkpoints"))
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOneAlteredByteIsFound(t *testing.T) {
	dir := signedLog(t, 1500)
	if r, err := verified(t, dir); err != nil || r.Events != 1500 || r.Covered != 1500 {
		t.Fatalf("unaltered: %+v, %v", r, err)
	}
	path := filepath.Join(dir, sqlite.FileName)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 77, 1499} {
		mark := fmt.Appendf(nil, `{"n":%d,`, n)
		if bytes.Count(file, mark) != 1 {
			t.Fatalf("event %d is in the file %d times", n, bytes.Count(file, mark))
		}
		at := bytes.Index(file, mark)
		file[at+1] ^= 4
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		file[at+1] ^= 4
		_, err := verified(t, dir)
		if a := (*ledger.AlteredError)(nil); !errors.As(err, &a) || a.Position != eventstore.Position(n+1) {
			t.Errorf("got %v, want position %d", err, n+1)
		}
	}
}

func TestDamageIsFound(t *testing.T) {
	dir := signedLog(t, 1500)
	path := filepath.Join(dir, sqlite.FileName)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	zeroed := bytes.Clone(file)
	clear(zeroed[len(zeroed)/2 : len(zeroed)/2+4096])
	for name, damaged := range map[string][]byte{
		"half of the file is gone":        file[:len(file)/2],
		"the last page is gone":           file[:len(file)-4096],
		"half of the last page is gone":   file[:len(file)-2048],
		"only a part of a page is left":   file[:1000],
		"a page in the middle is cleared": zeroed,
		"it is another kind of file":      append([]byte("chirograph"), file[10:]...),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := verified(t, dir)
			if a := (*ledger.AlteredError)(nil); !errors.As(err, &a) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAnIndexThatHidesAStreamIsFound(t *testing.T) {
	dir := signedLog(t, 100)
	execute(t, dir, `
		PRAGMA writable_schema = ON;
		UPDATE sqlite_schema SET sql = 'CREATE TABLE stream(sid INTEGER PRIMARY KEY, name TEXT NOT NULL)' WHERE name = 'stream';
		DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_stream_1';
		CREATE TABLE shadow(sid INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);`)
	execute(t, dir, `
		INSERT INTO shadow SELECT * FROM stream WHERE sid <> 51;
		PRAGMA writable_schema = ON;
		UPDATE sqlite_schema SET name = 'sqlite_autoindex_stream_1', tbl_name = 'stream' WHERE name = 'sqlite_autoindex_shadow_1';
		UPDATE sqlite_schema SET sql = 'CREATE TABLE stream(sid INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)' WHERE name = 'stream';
		DELETE FROM sqlite_schema WHERE name = 'shadow';`)
	_, err := verified(t, dir)
	if a := (*ledger.AlteredError)(nil); !errors.As(err, &a) {
		t.Errorf("got %v", err)
	}
}

func TestOlderCopyBesideNewerCheckpoints(t *testing.T) {
	dir := signedLog(t, 20)
	path := filepath.Join(dir, sqlite.FileName)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log := opened(t, sqlite.Options{Dir: dir})
	fill(t, log, 10)
	checkpointed(t, log, filepath.Join(dir, "checkpoints"))
	log.Close()
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	log = opened(t, sqlite.Options{Dir: dir})
	defer log.Close()
	config := ledger.Config{Log: log, Key: signingKey, Folders: []string{filepath.Join(dir, "checkpoints")}}
	_, err = ledger.Open(t.Context(), config)
	if r := (*ledger.RollbackError)(nil); !errors.As(err, &r) || r.Have != 20 || r.Want != 30 {
		t.Fatalf("got %v", err)
	}
	loss, err := ledger.AcceptLoss(t.Context(), config, func(context.Context, ledger.Loss) error { fill(t, log, 1); return nil })
	if err != nil || loss.Restored != 20 || loss.Epoch != 2 {
		t.Fatalf("got %+v, %v", loss, err)
	}
	if c := checkpointed(t, log, config.Folders[0]); c.Epoch != 2 || c.Size != 21 {
		t.Errorf("got %+v", c)
	}
	if r, err := ledger.Verify(t.Context(), ledger.Audit{Log: log, Key: publicKey, Folders: config.Folders}); err != nil || r.Epoch != 2 {
		t.Errorf("got %+v, %v", r, err)
	}
}
