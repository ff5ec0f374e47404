package platform

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/eventstore/copying"
)

// What a backup holds besides the log and its manifest.
const (
	backupKeys  = "keys" // the part that must not live long: keys of people who may be erased
	backupState = "state.db"
)

// A BackupReport says what was copied, and what was not.
type BackupReport struct {
	Folder   string          `json:"folder"`
	Manifest sqlite.Manifest `json:"manifest"`
	Note     string          `json:"note"`
}

// Backup writes a consistent copy of the installation into a new folder while
// it is in use. The master key is left out: who has both can read everything.
func (p *Platform) Backup(ctx context.Context, folder string) (any, error) {
	if p.Keeper != nil {
		if _, err := p.sign(ctx); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Join(folder, backupKeys), 0o700); err != nil {
		return nil, err
	}
	// The log first: a key is durable before what it seals, so a later copy of
	// the keyring opens all of an earlier copy of the log.
	manifest, err := p.backupLog(ctx, folder)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		p.Ring.Backup(ctx, filepath.Join(folder, backupKeys, "keyring.db")),
		p.Login.Backup(ctx, filepath.Join(folder, backupState)),
	)
	return BackupReport{
		Folder: folder, Manifest: manifest,
		Note: "the master key " + p.Folder.Master + " is not part of it; keep keys/ no longer than erasure may take",
	}, err
}

// backupLog copies the log into a file, from whichever engine.
func (p *Platform) backupLog(ctx context.Context, folder string) (sqlite.Manifest, error) {
	if log, own := p.Log.(*sqlite.Log); own {
		return log.Backup(ctx, folder)
	}
	dir, err := os.MkdirTemp(folder, ".copy-")
	if err != nil {
		return sqlite.Manifest{}, err
	}
	defer os.RemoveAll(dir)
	log, err := sqlite.Open(sqlite.Options{Dir: dir, ID: p.Log.ID(), Now: p.Now})
	if err != nil {
		return sqlite.Manifest{}, err
	}
	defer log.Close()
	if _, err := copying.Copy(ctx, copying.Plan{From: p.Log, To: log, Key: p.CheckpointKey()}); err != nil {
		return sqlite.Manifest{}, err
	}
	return log.Backup(ctx, folder)
}
