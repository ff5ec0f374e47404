package keys

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// unclaimed is how long the key of a journey without a subject outlives it.
const unclaimed = 30 * 24 * time.Hour

// Destroy ends the key of a subject and those of its journeys. When it returns
// nil no key will ever be made again for any of them, and their bytes are gone
// from the file; for a shared keyring see the package comment. Destroying
// again changes nothing.
func (r *Ring) Destroy(ctx context.Context, subject string) error {
	holder := "subject:" + subject
	if _, _, err := kindOf(holder); err != nil {
		return err
	}
	var journeys []string
	err := r.db.Update(ctx, func(tx tables.Tx) (err error) {
		// The subject first: from then on no journey is adopted.
		if _, err := r.bury(ctx, tx, []string{holder}, anyone); err != nil {
			return err
		}
		journeys, err = tables.Column(tx.Query(ctx, `SELECT holder FROM keys WHERE subject = ? AND holder <> ?`, subject, holder))
		if err != nil {
			return err
		}
		_, err = r.bury(ctx, tx, journeys, anyone)
		return err
	})
	return r.buried(ctx, append(journeys, holder), err)
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
	err := r.db.Update(ctx, func(tx tables.Tx) error {
		_, err := r.bury(ctx, tx, holders, anyone)
		return err
	})
	return r.buried(ctx, holders, err)
}

// DestroyExpired ends the keys of journeys that no subject adopted within 30
// days of their expiry, and returns how many there were.
func (r *Ring) DestroyExpired(ctx context.Context, now time.Time) (int, error) {
	const batch = 500
	for total := 0; ; {
		var expired []string
		var ended int
		err := r.db.Update(ctx, func(tx tables.Tx) (err error) {
			expired, err = tables.Column(tx.Query(ctx, `
				SELECT holder FROM keys
				WHERE subject IS NULL AND destroyed IS NULL AND expires IS NOT NULL AND expires <= ? LIMIT ?`,
				now.Add(-unclaimed).UnixNano(), batch))
			if err != nil {
				return err
			}
			ended, err = r.bury(ctx, tx, expired, orphans)
			return err
		})
		if err := r.buried(ctx, expired, err); err != nil {
			return total, err
		}
		if total += ended; len(expired) < batch {
			return total, nil
		}
	}
}

// Destroyed returns every holder whose key was destroyed.
func (r *Ring) Destroyed(ctx context.Context) ([]string, error) {
	holders, err := tables.Column(r.db.Query(ctx, `SELECT holder FROM keys WHERE destroyed IS NOT NULL ORDER BY holder`))
	if err != nil {
		return nil, fmt.Errorf("keys: list the destroyed: %w", err)
	}
	return holders, nil
}

// DestroyedSubjects returns the subjects among them, as holders.
func (r *Ring) DestroyedSubjects(ctx context.Context) ([]string, error) {
	holders, err := tables.Column(r.db.Query(ctx, `
		SELECT holder FROM keys
		WHERE destroyed IS NOT NULL AND holder >= 'subject:' AND holder < 'subject;' -- the character after the colon
		ORDER BY holder`))
	if err != nil {
		return nil, fmt.Errorf("keys: list the destroyed subjects: %w", err)
	}
	return holders, nil
}

// buried completes the destruction of keys.
func (r *Ring) buried(ctx context.Context, holders []string, err error) error {
	r.ciphers.forget(holders) // after an error too: the outcome may be unknown
	if err != nil {
		return fmt.Errorf("keys: destroy: %w", err)
	}
	return r.scrub(ctx)
}

// Whose keys are ended.
func anyone(row) bool      { return true }
func orphans(row row) bool { return !row.subject.Valid }

// bury overwrites the keys of those holders whose keys are to be ended, leaves
// tombstones and returns how many it ended. Nodes hold rows in one order, that
// of the names backwards, so that subjects come before their journeys and no
// two wait for each other.
func (r *Ring) bury(ctx context.Context, tx tables.Tx, holders []string, whose func(row) bool) (ended int, _ error) {
	for _, h := range slices.Backward(slices.Sorted(slices.Values(holders))) {
		row, err := find(ctx, tx, h)
		if err != nil {
			return ended, err
		}
		if row.destroyed || !whose(row) {
			continue
		}
		if row.slot.Valid {
			if err := blank(ctx, tx, row.slot.Int64); err != nil {
				return ended, err
			}
		}
		if err := r.entomb(ctx, tx, h, row.exists); err != nil {
			return ended, err
		}
		ended++
		tx.Traces()
	}
	return ended, nil
}

func (r *Ring) entomb(ctx context.Context, tx tables.Tx, holder string, exists bool) error {
	if exists {
		_, err := tx.Exec(ctx, `UPDATE keys SET slot = NULL, destroyed = ? WHERE holder = ?`, r.now(), holder)
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO keys (holder, created, destroyed) VALUES (?, ?, ?)`, holder, r.now(), r.now())
	return err
}
