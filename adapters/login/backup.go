package login

import (
	"context"
	"fmt"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// Backup writes a consistent copy to a new file, durably, and while the store
// is in use. [Open] opens it, of whichever kind this store is. Erasures on this
// node wait for it.
func (s *Store) Backup(ctx context.Context, file string) error {
	if err := s.db.Backup(ctx, file); err != nil {
		return fmt.Errorf("login: back up: %w", err)
	}
	return nil
}

// Restore fills this store, which must be empty, from a backup, of whichever
// kind it was made of. The file is not changed.
func (s *Store) Restore(ctx context.Context, file string) error {
	anything := func(tables.Reader) error { return nil }
	if err := s.db.Restore(ctx, file, anything, schema.Tables...); err != nil {
		return fmt.Errorf("login: restore %s: %w", file, err)
	}
	return nil
}
