package keys

import (
	"context"
	"crypto"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// Why a key is not given or taken.
var (
	ErrNoKey     = errors.New("keys: there is no such key")
	ErrDestroyed = errors.New("keys: the key was destroyed")
	ErrTaken     = errors.New("keys: another key has this name")
)

const forSignatures = "sig" // the use of a key, as in RFC 7517, Section 4.2

// SigningKeys are the private halves of an installation's signing keys, at
// rest. When one is announced, active or retired is told by the log.
type SigningKeys struct{ ring *Ring }

// SigningKeys returns the signing keys on the ring.
func (r *Ring) SigningKeys() SigningKeys { return SigningKeys{r} }

// Put stores the private key of an issuer for one algorithm, durably. Putting
// the same key again changes nothing; a kid is never given to a second key
// ([ErrTaken], [ErrDestroyed]). Keys that a device holds cannot be put here.
func (k SigningKeys) Put(ctx context.Context, kid, issuer, alg string, key crypto.Signer) error {
	if err := named(kid, issuer, alg); err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("keys: %s cannot be stored: %w", kid, err)
	}
	defer clear(der)
	err = k.ring.db.Update(ctx, func(tx tables.Tx) error {
		old, err := k.stored(ctx, tx, kid)
		if err == nil {
			return same(old, key)
		}
		if !errors.Is(err, ErrNoKey) {
			return err
		}
		slot, err := fill(ctx, tx, k.ring.signing.wrap(der, kid, issuer, alg, forSignatures))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO signing (kid, issuer, alg, use, slot, created) VALUES (?, ?, ?, ?, ?, ?)`,
			kid, issuer, alg, forSignatures, slot, k.ring.now())
		return err
	})
	if err != nil {
		return fmt.Errorf("keys: put %s: %w", kid, err)
	}
	return nil
}

func same(old, key crypto.Signer) error {
	pub, ok := old.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !pub.Equal(key.Public()) {
		return ErrTaken
	}
	return nil
}

// Get returns the key with the given kid, [ErrNoKey] or [ErrDestroyed].
func (k SigningKeys) Get(ctx context.Context, kid string) (crypto.Signer, error) {
	key, err := k.stored(ctx, k.ring.db, kid)
	if err != nil {
		return nil, fmt.Errorf("keys: get %.80q: %w", kid, err)
	}
	return key, nil
}

func (k SigningKeys) stored(ctx context.Context, q tables.Reader, kid string) (crypto.Signer, error) {
	var issuer, alg, use string
	var destroyed bool
	var wrapped []byte
	err := q.QueryRow(ctx, `
		SELECT issuer, alg, use, destroyed IS NOT NULL, slots.wrapped
		FROM signing LEFT JOIN slots ON slots.id = signing.slot WHERE kid = ?`, kid).Scan(&issuer, &alg, &use, &destroyed, &wrapped)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, ErrNoKey
	case err != nil:
		return nil, err
	case destroyed:
		return nil, ErrDestroyed
	}
	der, err := k.ring.signing.unwrap(wrapped, kid, issuer, alg, use)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	key, err := x509.ParsePKCS8PrivateKey(der)
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, errTampered // a cause may quote the key
	}
	return signer, nil
}

// Destroy ends a key, and its kid stays taken. When it returns nil its bytes
// are gone from the file; for a shared keyring see the package comment.
func (k SigningKeys) Destroy(ctx context.Context, kid string) error {
	err := k.ring.db.Update(ctx, func(tx tables.Tx) error {
		var slot sql.NullInt64
		err := tx.QueryRow(ctx, `SELECT slot FROM signing WHERE kid = ?`, kid).Scan(&slot)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrNoKey
		case err != nil || !slot.Valid:
			return err
		}
		if err := blank(ctx, tx, slot.Int64); err != nil {
			return err
		}
		tx.Traces()
		_, err = tx.Exec(ctx, `UPDATE signing SET slot = NULL, destroyed = ? WHERE kid = ?`, k.ring.now(), kid)
		return err
	})
	if err != nil {
		return fmt.Errorf("keys: destroy %.80q: %w", kid, err)
	}
	return k.ring.scrub(ctx)
}

// named bounds the names that a wrapped key is bound to.
func named(names ...string) error {
	for _, n := range names {
		if n == "" || len(n) > 512 || strings.ContainsRune(n, 0) || !utf8.ValidString(n) {
			return fmt.Errorf("keys: %.40q is not a name for a key", n)
		}
	}
	return nil
}
