package outbox

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chirograph/chirograph/adapters/internal/tables"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/eventstore"
)

var _ api.Waiting = (*Store)(nil)

// Why a secret is not kept or not found.
var (
	ErrBadID     = errors.New("outbox: an id has 1 to 255 bytes of text")
	ErrTooLarge  = fmt.Errorf("outbox: a secret has 1 to %d bytes", maxSecret)
	ErrNotSealed = errors.New("outbox: a sealed secret does not open")
)

// maxSecret bounds one secret: more than any answer of the token endpoint has.
const maxSecret = 64 << 10

// Keep seals a secret under an id, in place of one that was there, until an
// instant. It is durable when Keep returns.
func (s *Store) Keep(ctx context.Context, id string, secret []byte, until time.Time) error {
	switch {
	case id == "" || len(id) > 255 || strings.ContainsRune(id, 0) || !utf8.ValidString(id):
		return ErrBadID
	case len(secret) == 0 || len(secret) > maxSecret:
		return ErrTooLarge
	}
	expires := until.UnixNano()
	nonce := make([]byte, s.key.NonceSize(), s.key.NonceSize()+len(secret)+s.key.Overhead())
	rand.Read(nonce)
	sealed := s.key.Seal(nonce, nonce, secret, bound(id, expires))
	_, err := s.db.Exec(ctx, `
		INSERT INTO secrets (id, sealed, expires) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed, expires = excluded.expires`, id, sealed, expires)
	if err != nil {
		return beside("keep", id, err)
	}
	return nil
}

// Find returns the secret under an id, or [api.ErrGone] if there is none, or
// none any more.
func (s *Store) Find(ctx context.Context, id string, now time.Time) ([]byte, error) {
	var sealed []byte
	var expires int64
	err := s.db.QueryRow(ctx, `SELECT sealed, expires FROM secrets WHERE id = ?`, id).Scan(&sealed, &expires)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && now.UnixNano() >= expires:
		return nil, api.ErrGone
	case err != nil:
		return nil, beside("find", id, err)
	}
	n := s.key.NonceSize()
	if len(sealed) < n {
		return nil, fmt.Errorf("%w: %s", ErrNotSealed, id)
	}
	secret, err := s.key.Open(nil, sealed[:n], sealed[n:], bound(id, expires))
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrNotSealed, id)
	}
	return secret, nil
}

// Forget deletes the secret under an id, if there is one. What may remain of
// its bytes goes with the next [Store.Sweep].
func (s *Store) Forget(ctx context.Context, id string) error {
	err := s.db.Update(ctx, func(tx tables.Tx) error {
		deleted, err := tx.Exec(ctx, `DELETE FROM secrets WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if n, err := deleted.RowsAffected(); n > 0 || err != nil {
			tx.Traces()
		}
		return nil
	})
	if err != nil {
		return beside("forget", id, err)
	}
	return nil
}

// beside is what a store fails with of which it is not known that it never
// succeeds, such as a full disk. So it is [eventstore.ErrUnavailable], and
// nothing is given up because of it.
func beside(did, id string, err error) error {
	return fmt.Errorf("outbox: %s %s: %w: %w", did, id, eventstore.ErrUnavailable, err)
}

// Sweep deletes the secrets that are past their end, and what is left of the
// bytes of all that are deleted. Nodes may do so at once.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	var expired bool
	err := s.db.QueryRow(ctx, `SELECT count(*) > 0 FROM secrets WHERE expires <= ?`, now.UnixNano()).Scan(&expired)
	if err == nil && expired {
		err = s.db.Update(ctx, func(tx tables.Tx) error {
			tx.Traces()
			return tx.Sweep(ctx, "secrets", "id", "expires <= ?", now.UnixNano())
		})
	}
	if err == nil {
		err = s.db.Scrub(ctx, "secrets")
	}
	if err != nil {
		return fmt.Errorf("outbox: sweep: %w", err)
	}
	return nil
}

// bound is what a secret is sealed with: it opens under no other id, and not
// after its end.
func bound(id string, expires int64) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(expires)), id...)
}
