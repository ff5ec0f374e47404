package keys

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// ForCheckpoints names the secret that signs the log's checkpoints: a signed
// note's private key, as text.
const ForCheckpoints = "checkpoint.key"

// maxSecret bounds a secret: it stays within one page of the file.
const maxSecret = 3 << 10

// PutSecret stores a secret under a name, durably. Putting the same secret
// again changes nothing; another one is refused with [ErrTaken], because what
// the first one signed or sealed still needs it.
func (r *Ring) PutSecret(ctx context.Context, name string, secret []byte) error {
	if err := named(name); err != nil {
		return err
	}
	if len(secret) == 0 || len(secret) > maxSecret {
		return fmt.Errorf("keys: a secret has 1 to %d bytes, %s has %d", maxSecret, name, len(secret))
	}
	err := r.db.Update(ctx, func(tx tables.Tx) error {
		old, err := r.secret(ctx, tx, name)
		if err == nil && subtle.ConstantTimeCompare(old, secret) != 1 {
			return ErrTaken
		}
		if !errors.Is(err, ErrNoKey) {
			return err
		}
		slot, err := fill(ctx, tx, r.secrets.wrap(secret, name))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO secrets (name, slot) VALUES (?, ?)`, name, slot)
		return err
	})
	if err != nil {
		return fmt.Errorf("keys: put the secret %s: %w", name, err)
	}
	return nil
}

// Secret returns the secret of a name, or [ErrNoKey].
func (r *Ring) Secret(ctx context.Context, name string) ([]byte, error) {
	secret, err := r.secret(ctx, r.db, name)
	if err != nil {
		return nil, fmt.Errorf("keys: get the secret %.80q: %w", name, err)
	}
	return secret, nil
}

func (r *Ring) secret(ctx context.Context, q tables.Reader, name string) ([]byte, error) {
	var wrapped []byte
	err := q.QueryRow(ctx, `
		SELECT slots.wrapped FROM secrets JOIN slots ON slots.id = secrets.slot WHERE name = ?`, name).Scan(&wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, err
	}
	return r.secrets.unwrap(wrapped, name)
}
