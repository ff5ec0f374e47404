package platform

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/chirograph/chirograph/adapters/sqlite"
)

// What a backup holds besides the log and its manifest.
const (
	backupKeys  = "keys" // the part that must not live long: keys of people who may be erased
	backupState = "state.db"
)

var errSharedBackup = errors.New("the log is not in the data folder: log copy makes a copy of it in one; docs/operations.md says how the rest is kept")

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
	log, own := p.Log.(*sqlite.Log)
	if !own {
		return nil, errSharedBackup
	}
	manifest, err := log.Backup(ctx, folder)
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
