package login

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Backup writes a consistent copy to a new file, durably, and while the store
// is in use. Erasures wait for it.
func (s *Store) Backup(ctx context.Context, file string) error {
	s.copying.Lock()
	defer s.copying.Unlock()
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("login: back up: %w", err)
	}
	defer f.Close()
	_, err = s.db.read.ExecContext(ctx, "VACUUM INTO ?", file)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = syncFolder(file)
	}
	if err != nil {
		return fmt.Errorf("login: back up: %w", errors.Join(err, os.Remove(file)))
	}
	return nil
}
