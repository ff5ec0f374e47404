package keys

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/eventstore"
)

// ErrAdopted means that a journey belongs to another subject.
var ErrAdopted = errors.New("keys: the journey belongs to another subject")

// Adopt says whose journey it was, from now on and durably: the key of the
// journey, made already or still to be made, dies with the subject.
// [eventstore.ErrErased] if the subject is erased, and then so is the journey.
func (r *Ring) Adopt(ctx context.Context, journey, subject string) error {
	holder := "journey:" + journey
	for _, h := range []string{holder, "subject:" + subject} {
		if _, _, err := kindOf(h); err != nil {
			return err
		}
	}
	var erased bool
	err := r.db.update(ctx, func(tx *sql.Tx) error {
		if err := r.adopt(ctx, tx, holder, subject); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, `SELECT destroyed IS NOT NULL FROM keys WHERE holder = ?`, "subject:"+subject).Scan(&erased)
		if errors.Is(err, sql.ErrNoRows) || err == nil && !erased {
			return nil
		}
		return errors.Join(err, r.bury(ctx, tx, []string{holder}))
	})
	switch {
	case err != nil:
		return fmt.Errorf("keys: adopt %s: %w", holder, err)
	case erased:
		r.ciphers.forget([]string{holder})
		return errors.Join(eventstore.ErrErased, r.scrub(ctx))
	}
	return nil
}

func (r *Ring) adopt(ctx context.Context, tx *sql.Tx, holder, subject string) error {
	var known sql.NullString
	var destroyed bool
	err := tx.QueryRowContext(ctx, `SELECT subject, destroyed IS NOT NULL FROM keys WHERE holder = ?`, holder).Scan(&known, &destroyed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = tx.ExecContext(ctx, `INSERT INTO keys (holder, subject, created) VALUES (?, ?, ?)`, holder, subject, r.now())
		return err
	case err != nil:
		return err
	case known.Valid && known.String != subject:
		return ErrAdopted
	case destroyed:
		return eventstore.ErrErased
	case known.Valid:
		return nil
	}
	_, err = tx.ExecContext(ctx, `UPDATE keys SET subject = ? WHERE holder = ?`, subject, holder)
	return err
}
