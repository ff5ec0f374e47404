package login

import (
	"context"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// ofSubjects are the tables that tell of a subject.
var ofSubjects = []string{"credentials", "sessions", "customers", "passkeys", "user_codes"}

// Erase deletes all that is kept of a subject: its names, passwords, passkeys
// and user code, its sessions and its record. SQLite overwrites what it deletes,
// but may have copied a row between pages before, and PostgreSQL only frees it:
// for that, names and credentials are sealed, and the end of the subject's key
// ends every copy. Erasing again changes nothing.
func (s *Store) Erase(ctx context.Context, subject string) error {
	err := s.db.Update(ctx, func(tx tables.Tx) error {
		for _, table := range ofSubjects {
			deleted, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE subject = ?`, subject)
			if err != nil {
				return err
			}
			if n, err := deleted.RowsAffected(); n > 0 || err != nil {
				tx.Traces()
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("login: erase %s: %w", subject, err)
	}
	return s.db.Scrub(ctx, ofSubjects...)
}

// Sweep deletes sessions that have ended and failures that are forgiven. Nodes
// may do so at once.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	forgiven := now.Add(-max(s.settings.Name.life(), s.settings.Address.life(), s.settings.Code.life()))
	err := s.db.Update(ctx, func(tx tables.Tx) error {
		err := tx.Sweep(ctx, "sessions", "id", "expires <= ? OR last_seen <= ?", now.UnixNano(), now.Add(-s.settings.Idle).UnixNano())
		if err != nil {
			return err
		}
		return tx.Sweep(ctx, "failures", "id", "last <= ? AND until <= ?", forgiven.UnixNano(), now.UnixNano())
	})
	if err != nil {
		return fmt.Errorf("login: sweep: %w", err)
	}
	return nil
}

// life is how long it takes until all failures are forgiven.
func (d Delay) life() time.Duration {
	const doublings = 32 // more than any pause needs to reach its limit
	return time.Duration(d.Free+doublings) * d.Decay
}
