package keys

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// unclaimed is how long the key of a journey without a subject outlives it.
const unclaimed = 30 * 24 * time.Hour

// Destroy ends the key of a subject and those of its journeys. When it
// returns nil their bytes are gone from the file, and no key will ever be
// made again for any of them. Destroying again changes nothing.
func (r *Ring) Destroy(ctx context.Context, subject string) error {
	holder := "subject:" + subject
	if _, _, err := kindOf(holder); err != nil {
		return err
	}
	_, err := r.destroy(ctx, func(tx *sql.Tx) ([]string, error) {
		journeys, err := column(tx.QueryContext(ctx, `SELECT holder FROM keys WHERE subject = ?`, subject))
		return append(journeys, holder), err
	})
	return err
}

// DestroyHolders ends the keys of holders by their full names. A restore
// calls it with what [Ring.Destroyed] knew before, because an older keyring
// may not know which journeys a subject had adopted.
func (r *Ring) DestroyHolders(ctx context.Context, holders ...string) error {
	for _, h := range holders {
		if _, _, err := kindOf(h); err != nil {
			return err
		}
	}
	_, err := r.destroy(ctx, func(*sql.Tx) ([]string, error) { return holders, nil })
	return err
}

// DestroyExpired ends the keys of journeys that no subject adopted within 30
// days of their expiry, and returns how many there were.
func (r *Ring) DestroyExpired(ctx context.Context, now time.Time) (int, error) {
	const batch = 500
	for total := 0; ; {
		buried, err := r.destroy(ctx, func(tx *sql.Tx) ([]string, error) {
			return column(tx.QueryContext(ctx, `
				SELECT holder FROM keys
				WHERE subject IS NULL AND destroyed IS NULL AND expires IS NOT NULL AND expires <= ? LIMIT ?`,
				now.Add(-unclaimed).UnixNano(), batch))
		})
		total += buried
		if err != nil || buried < batch {
			return total, err
		}
	}
}

// Destroyed returns every holder whose key was destroyed.
func (r *Ring) Destroyed(ctx context.Context) ([]string, error) {
	holders, err := column(r.db.read.QueryContext(ctx, `SELECT holder FROM keys WHERE destroyed IS NOT NULL ORDER BY holder`))
	if err != nil {
		return nil, fmt.Errorf("keys: list the destroyed: %w", err)
	}
	return holders, nil
}

// destroy ends the keys of the holders that find names.
func (r *Ring) destroy(ctx context.Context, find func(*sql.Tx) ([]string, error)) (int, error) {
	var holders []string
	err := r.db.update(ctx, func(tx *sql.Tx) (err error) {
		if holders, err = find(tx); err != nil {
			return err
		}
		return r.bury(ctx, tx, holders)
	})
	r.ciphers.forget(holders) // after an error too: the outcome may be unknown
	if err != nil {
		return 0, fmt.Errorf("keys: destroy: %w", err)
	}
	return len(holders), r.scrub(ctx)
}

// bury overwrites the keys of holders and leaves tombstones.
func (r *Ring) bury(ctx context.Context, tx *sql.Tx, holders []string) error {
	now := r.now()
	for _, h := range holders {
		var slot sql.NullInt64
		err := tx.QueryRowContext(ctx, `SELECT slot FROM keys WHERE holder = ?`, h).Scan(&slot)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if slot.Valid {
			if err := blank(ctx, tx, slot.Int64); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO keys (holder, created, destroyed) VALUES (?, ?, ?)
			ON CONFLICT (holder) DO UPDATE SET slot = NULL, destroyed = excluded.destroyed WHERE destroyed IS NULL`, h, now, now)
		if err != nil {
			return err
		}
	}
	return nil
}

// column returns the only column of the rows of a query.
func column(rows *sql.Rows, err error) (all []string, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}
