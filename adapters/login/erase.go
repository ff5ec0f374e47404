package login

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrTraces means that rows are deleted but bytes of them may remain in the
// write-ahead log. Repeat the call.
var ErrTraces = errors.New("login: erased, but traces remain on disk")

// Erase deletes all that is kept of a subject: its names and passwords, its
// sessions and its record. SQLite overwrites what it deletes, but may have
// copied a row between pages before: for that, names and passwords are sealed,
// and the end of the subject's key ends every copy. Erasing again changes
// nothing.
func (s *Store) Erase(ctx context.Context, subject string) error {
	err := s.db.update(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"credentials", "sessions", "customers"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE subject = ?`, subject); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("login: erase %s: %w", subject, err)
	}
	s.copying.Lock() // a backup reads an old state, which the log then must keep
	defer s.copying.Unlock()
	var busy, pages, moved int
	err = s.db.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if err != nil || busy != 0 {
		return errors.Join(ErrTraces, err)
	}
	return nil
}

// Sweep deletes sessions that have ended and failures that are forgiven.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	forgiven := now.Add(-max(s.settings.Name.life(), s.settings.Address.life()))
	err := s.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE expires <= ? OR last_seen <= ?`,
			now.UnixNano(), now.Add(-s.settings.Idle).UnixNano())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM failures WHERE last <= ? AND until <= ?`, forgiven.UnixNano(), now.UnixNano())
		return err
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
