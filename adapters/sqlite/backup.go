package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// ManifestName is the name of the manifest in the folder of a backup.
const ManifestName = "manifest.json"

// A Manifest says what a backup holds.
type Manifest struct {
	Log        uuid.UUID `json:"log"`
	Format     int       `json:"format"`
	At         time.Time `json:"at"`
	Events     int64     `json:"events"`
	Root       tlog.Hash `json:"root"`
	Checkpoint string    `json:"checkpoint,omitempty"` // the newest in the copy
	SHA256     string    `json:"sha256"`               // of the file
}

const pagesPerStep = 1024 // 4 MiB

// Backup writes a copy of the log, as it is at one moment, and its manifest
// into a folder that has none yet. Appends and reads go on meanwhile. To make
// the newest checkpoint part of it, sign first.
func (l *Log) Backup(ctx context.Context, dir string) (m Manifest, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m, err
	}
	path := filepath.Join(dir, FileName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return m, fmt.Errorf("back up: %w", err)
	}
	defer f.Close()
	if err := l.copyTo(ctx, path); err != nil {
		return m, fmt.Errorf("back up: %w", errors.Join(told(err), os.Remove(path)))
	}
	if m, err = described(ctx, dir); err != nil {
		return m, fmt.Errorf("describe backup: %w", err)
	}
	m.At = l.now().UTC()
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	return m, errors.Join(f.Sync(), writeSynced(filepath.Join(dir, ManifestName), append(text, '\n')))
}

func (l *Log) copyTo(ctx context.Context, path string) error {
	src, err := openReader(l.path)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	defer dst.Close()
	// A read transaction around the copy pins the moment; without it the copy
	// would begin afresh at each commit.
	if err := sqlitex.ExecuteTransient(src, "BEGIN", nil); err != nil {
		return err
	}
	if _, err := queryText(src, "SELECT max(position) FROM event"); err != nil {
		return err
	}
	if err := copyPages(ctx, dst, src); err != nil {
		return err
	}
	return sqlitex.ExecuteTransient(dst, "PRAGMA journal_mode = DELETE", nil) // one file, nothing beside it
}

func copyPages(ctx context.Context, dst, src *sqlite.Conn) error {
	b, err := sqlite.NewBackup(dst, "", src, "")
	if err != nil {
		return err
	}
	defer b.Close()
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if more, err = b.Step(pagesPerStep); err != nil {
			return err
		}
	}
	return nil
}

// described computes the manifest of the copy in a folder from the copy.
func described(ctx context.Context, dir string) (m Manifest, err error) {
	copied, err := Open(Options{Dir: dir, ReadOnly: true})
	if err != nil {
		return m, err
	}
	defer copied.Close()
	m = Manifest{Log: copied.ID(), Format: len(migrations)}
	if m.Events, err = copied.Size(ctx); err != nil {
		return m, err
	}
	if m.Root, err = ledger.Root(ctx, copied, m.Events); err != nil {
		return m, err
	}
	note, err := copied.NewestCheckpoint(ctx)
	if err != nil {
		return m, err
	}
	m.Checkpoint = string(note)
	m.SHA256, err = fileHash(copied.path)
	return m, err
}

func fileHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

func writeSynced(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close(), syncFolder(filepath.Dir(path)))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
