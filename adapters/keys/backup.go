package keys

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Backup writes a consistent copy of the keyring to a new file, durably, and
// while the keyring is in use. Erasures wait for it. Who keeps the copy keeps
// the keys of those who are erased later, so it must not live long.
func (r *Ring) Backup(ctx context.Context, file string) error {
	r.copying.Lock()
	defer r.copying.Unlock()
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("keys: back up: %w", err)
	}
	defer f.Close()
	_, err = r.db.read.ExecContext(ctx, "VACUUM INTO ?", file)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = syncFolder(file)
	}
	if err != nil {
		return fmt.Errorf("keys: back up: %w", errors.Join(err, os.Remove(file)))
	}
	return nil
}
