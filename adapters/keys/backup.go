package keys

import (
	"context"
	"fmt"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// Backup writes a consistent copy of the keyring to a new file, durably, and
// while the keyring is in use. It is a keyring that [Open] opens, of whichever
// kind this one is. Erasures on this node wait for it. Who keeps the copy keeps
// the keys of those who are erased later, so it must not live long.
func (r *Ring) Backup(ctx context.Context, file string) error {
	if err := r.db.Backup(ctx, file); err != nil {
		return fmt.Errorf("keys: back up: %w", err)
	}
	return nil
}

// Restore fills this keyring, which must not hold a key yet, with those of a
// backup, of whichever kind it was made of. The file is not changed.
// [ErrWrongMaster] if the backup belongs to another master key.
func (r *Ring) Restore(ctx context.Context, file string) error {
	check := func(backup tables.Reader) error { return proven(ctx, backup, r.check) }
	if err := r.db.Restore(ctx, file, check, "slots", "keys", "signing", "secrets"); err != nil {
		return fmt.Errorf("keys: restore %s: %w", file, err)
	}
	return nil
}
