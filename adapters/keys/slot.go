package keys

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrTraces means that keys are destroyed for every use, but bytes of them may
// remain in the write-ahead log. Repeat the call.
var ErrTraces = errors.New("keys: destroyed, but traces remain on disk")

// fill appends a slot with wrapped bytes.
func fill(ctx context.Context, tx *sql.Tx, wrapped []byte) (slot int64, err error) {
	done, err := tx.ExecContext(ctx, "INSERT INTO slots (wrapped) VALUES (?)", wrapped)
	if err != nil {
		return 0, err
	}
	return done.LastInsertId()
}

// blank overwrites a slot where it lies.
func blank(ctx context.Context, tx *sql.Tx, slot int64) error {
	_, err := tx.ExecContext(ctx, "UPDATE slots SET wrapped = zeroblob(length(wrapped)) WHERE id = ?", slot)
	return err
}

// scrub writes overwritten slots through to the database file and empties the
// write-ahead log, which holds older copies of their pages. Blocks that the
// file system frees thereby still hold keys wrapped under the master key.
func (r *Ring) scrub(ctx context.Context) error {
	r.copying.Lock() // a backup reads an old state, which the log then must keep
	defer r.copying.Unlock()
	var busy, pages, moved int
	err := r.db.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrTraces, err)
	case busy != 0:
		return ErrTraces
	}
	return nil
}
