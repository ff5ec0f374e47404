package tables

import (
	"context"
	"errors"
	"fmt"
)

// ErrTraces means that rows are deleted or overwritten, but that bytes of them
// may remain where they need not. Repeat the call.
var ErrTraces = errors.New("erased, but traces remain on disk")

// Scrub removes what deleted and overwritten rows of tables left behind, as
// far as the engine can.
//
// In a file, all of it: the write-ahead log, which holds older copies of
// pages, is written through and emptied.
//
// On a shared database, the older versions of the rows: their space in the
// tables is free and will be written over. Until then their bytes may lie
// there, and copies lie in the write-ahead log and its archive, on replicas
// and in backups for as long as those are kept.
func (d *DB) Scrub(ctx context.Context, tables ...string) error {
	d.copying.Lock() // a backup reads an old state, which then must be kept
	defer d.copying.Unlock()
	if !d.shared {
		return d.truncate(ctx)
	}
	for _, t := range tables {
		if _, err := d.write.ExecContext(ctx, "VACUUM "+t); err != nil {
			return fmt.Errorf("%w: %w", ErrTraces, err)
		}
	}
	return nil
}

func (d *DB) truncate(ctx context.Context) error {
	var busy, pages, moved int
	err := d.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrTraces, err)
	case busy != 0:
		return ErrTraces
	}
	return nil
}
