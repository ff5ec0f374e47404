package login

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// Why a passkey is not kept, or not taken.
var (
	// ErrPasskeyTaken means that the credential is kept already, perhaps for
	// somebody else (Web Authentication, Section 7.1, step 26).
	ErrPasskeyTaken = errors.New("login: the passkey is registered already")

	// ErrPasskeys means that a customer has as many as they may.
	ErrPasskeys = errors.New("login: no more passkeys can be registered")

	// ErrPasskeyCounter means that the passkey is not kept, or that its counter
	// did not grow, as if it had been copied (Web Authentication, Section 6.1.1).
	ErrPasskeyCounter = errors.New("login: the counter of the passkey did not grow")
)

// MaxPasskeys bounds the passkeys of one customer.
const MaxPasskeys = 16

// maxPasskey bounds one record of them.
const maxPasskey = 16 << 10

// A Passkey is a customer's public-key credential. What it is made of is for
// whoever verifies with it.
type Passkey struct {
	ID      string // unique among all customers
	Record  []byte
	Count   uint32 // of its signatures; 0 if it does not count
	Created time.Time
	Used    time.Time // zero if never
}

// AddPasskey keeps a passkey of a subject. [ErrPasskeyTaken] if anybody has it.
func (s *Store) AddPasskey(ctx context.Context, subject string, p Passkey) error {
	if err := named(subject, p.ID); err != nil {
		return err
	}
	if len(p.Record) > maxPasskey {
		return fmt.Errorf("login: a passkey has more than %d bytes", maxPasskey)
	}
	sealed, err := s.seal(ctx, "passkey "+p.ID, subject, p.Record)
	if err != nil {
		return fmt.Errorf("login: add a passkey of %s: %w", subject, err)
	}
	return s.db.Update(ctx, func(tx tables.Tx) error {
		var taken, own int
		err := tx.QueryRow(ctx, `SELECT count(*) FROM passkeys WHERE id = ?`, p.ID).Scan(&taken)
		if err == nil && taken > 0 {
			return ErrPasskeyTaken
		}
		if err == nil {
			err = tx.QueryRow(ctx, `SELECT count(*) FROM passkeys WHERE subject = ?`, subject).Scan(&own)
		}
		if err == nil && own >= MaxPasskeys {
			return ErrPasskeys
		}
		if err == nil {
			_, err = tx.Exec(ctx, `INSERT INTO passkeys (id, subject, record, count, created, used) VALUES (?, ?, ?, ?, ?, 0)`,
				p.ID, subject, sealed, int64(p.Count), p.Created.UnixNano())
		}
		return err
	})
}

// Passkeys returns those of a subject, the oldest first, or
// eventstore.ErrErased if its key was destroyed.
func (s *Store) Passkeys(ctx context.Context, subject string) ([]Passkey, error) {
	rows, err := s.db.Query(ctx, `SELECT id, record, count, created, used FROM passkeys WHERE subject = ? ORDER BY created, id`, subject)
	if err != nil {
		return nil, fmt.Errorf("login: passkeys of %s: %w", subject, err)
	}
	defer rows.Close()
	var all []Passkey
	for rows.Next() {
		var p Passkey
		var count, created, used int64
		if err := rows.Scan(&p.ID, &p.Record, &count, &created, &used); err != nil {
			return nil, fmt.Errorf("login: passkeys of %s: %w", subject, err)
		}
		p.Count, p.Created = uint32(count), instant(created)
		if used != 0 {
			p.Used = instant(used)
		}
		all = append(all, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("login: passkeys of %s: %w", subject, err)
	}
	for i, p := range all {
		if all[i].Record, err = s.open(ctx, "passkey "+p.ID, subject, p.Record); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// UsePasskey records a signature of a passkey, whose counter must have grown,
// unless it does not count. [ErrPasskeyCounter] of one of two signatures with
// the same counter, on whichever node.
func (s *Store) UsePasskey(ctx context.Context, subject, id string, count uint32, now time.Time) error {
	done, err := s.db.Exec(ctx, `
		UPDATE passkeys SET count = ?, used = ?
		WHERE id = ? AND subject = ? AND (count < ? OR (count = 0 AND count = ?))`,
		int64(count), now.UnixNano(), id, subject, int64(count), int64(count))
	if err != nil {
		return fmt.Errorf("login: use a passkey of %s: %w", subject, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrPasskeyCounter)
	}
	return nil
}

// DropPasskey forgets a passkey of a subject, if it has it.
func (s *Store) DropPasskey(ctx context.Context, subject, id string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM passkeys WHERE subject = ? AND id = ?`, subject, id)
	return err
}
