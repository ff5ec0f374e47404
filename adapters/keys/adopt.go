package keys

import (
	"context"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/adapters/internal/tables"
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
	err := r.db.Update(ctx, func(tx tables.Tx) (err error) {
		if erased, err = r.lockSubject(ctx, tx, subject); err != nil {
			return err
		}
		if err := r.adopt(ctx, tx, holder, subject); err != nil || !erased {
			return err
		}
		_, err = r.bury(ctx, tx, []string{holder}, anyone)
		return err
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

// lockSubject holds the row of a subject, which it makes if it is missing, so
// that a destruction on another node comes before all of an adoption or after
// it and then finds the journey.
func (r *Ring) lockSubject(ctx context.Context, tx tables.Tx, subject string) (erased bool, err error) {
	holder := "subject:" + subject
	row, err := find(ctx, tx, holder)
	if err == nil && !row.exists {
		_, err = tx.Exec(ctx, `INSERT INTO keys (holder, subject, created) VALUES (?, ?, ?)`, holder, subject, r.now())
	}
	return row.destroyed, err
}

func (r *Ring) adopt(ctx context.Context, tx tables.Tx, holder, subject string) error {
	row, err := find(ctx, tx, holder)
	switch {
	case err != nil:
		return err
	case !row.exists:
		_, err = tx.Exec(ctx, `INSERT INTO keys (holder, subject, created) VALUES (?, ?, ?)`, holder, subject, r.now())
		return err
	case row.subject.Valid && row.subject.String != subject:
		return ErrAdopted
	case row.destroyed:
		return eventstore.ErrErased
	case row.subject.Valid:
		return nil
	}
	_, err = tx.Exec(ctx, `UPDATE keys SET subject = ? WHERE holder = ?`, subject, holder)
	return err
}
