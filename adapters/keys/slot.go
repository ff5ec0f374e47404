package keys

import (
	"context"
	"database/sql"
	"errors"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// fill appends a slot with wrapped bytes.
func fill(ctx context.Context, tx tables.Tx, wrapped []byte) (slot int64, err error) {
	err = tx.QueryRow(ctx, "INSERT INTO slots (wrapped) VALUES (?) RETURNING id", wrapped).Scan(&slot)
	return slot, err
}

// blank overwrites a slot where it lies.
func blank(ctx context.Context, tx tables.Tx, slot int64) error {
	var n int
	err := tx.QueryRow(ctx, "SELECT length(wrapped) FROM slots WHERE id = ?", slot).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		_, err = tx.Exec(ctx, "UPDATE slots SET wrapped = ? WHERE id = ?", make([]byte, n), slot)
	}
	return err
}

// scrub takes overwritten slots off the disk, as far as the engine can.
func (r *Ring) scrub(ctx context.Context) error { return r.db.Scrub(ctx, "slots") }
