package sqlite

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/chirograph/chirograph/eventstore/ledger"
)

// Restore puts the log of a backup into a folder that has none. The copy is
// checked in full, with the public key of the checkpoints, and against the
// manifest, before it takes its place; if anything differs nothing is
// restored. Whether the restored log may be served beside the checkpoints
// that the folder has is for [ledger.Open] to say.
func Restore(ctx context.Context, from, to string, key ed25519.PublicKey) (ledger.Report, error) {
	want, err := readManifest(from)
	if err != nil {
		return ledger.Report{}, fmt.Errorf("restore: %w", err)
	}
	target := filepath.Join(to, FileName)
	if _, err := os.Lstat(target); err == nil {
		return ledger.Report{}, fmt.Errorf("restore: %s exists already", target)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return ledger.Report{}, err
	}
	held, err := lock(filepath.Join(to, lockName))
	if err != nil {
		return ledger.Report{}, fmt.Errorf("restore to %s: %w", to, err)
	}
	defer held.Close()
	beside, err := os.MkdirTemp(to, ".restore-")
	if err != nil {
		return ledger.Report{}, err
	}
	defer os.RemoveAll(beside)
	if err := copySynced(filepath.Join(from, FileName), filepath.Join(beside, FileName)); err != nil {
		return ledger.Report{}, err
	}
	report, err := checked(ctx, beside, want, key)
	if err != nil {
		return report, fmt.Errorf("restore: %w", err)
	}
	if err := os.Rename(filepath.Join(beside, FileName), target); err != nil {
		return report, err
	}
	return report, syncFolder(to)
}

func readManifest(dir string) (m Manifest, err error) {
	text, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s: %w", ManifestName, err)
	}
	if m.Format > len(migrations) {
		return m, &FormatError{Have: m.Format, Known: len(migrations)}
	}
	return m, nil
}

// checked demands that the copy in a folder is what the manifest says, and
// that nothing in it was altered.
func checked(ctx context.Context, dir string, want Manifest, key ed25519.PublicKey) (r ledger.Report, err error) {
	hash, err := fileHash(filepath.Join(dir, FileName))
	if err != nil {
		return r, err
	}
	if hash != want.SHA256 {
		return r, &ledger.AlteredError{What: "the file is not the one that the manifest describes"}
	}
	copied, err := Open(Options{Dir: dir, ReadOnly: true})
	if err != nil {
		return r, err
	}
	defer copied.Close()
	if r, err = ledger.Verify(ctx, ledger.Audit{Log: copied, Key: key}); err != nil {
		return r, err
	}
	if copied.ID() != want.Log || r.Events != want.Events || r.Root != want.Root {
		return r, &ledger.AlteredError{What: "the log is not the one that the manifest describes"}
	}
	return r, nil
}

func copySynced(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Sync(), dst.Close())
}
