package keys

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/chirograph/chirograph/adapters/internal/tables"
	"github.com/chirograph/chirograph/eventstore"
)

// errNoKey means that a holder has no key yet.
var errNoKey = errors.New("keys: no key yet")

var errHolder = errors.New("keys: not the name of a holder")

// maxHolder bounds the name of a holder.
const maxHolder = 512

// Sealer implements [eventstore.Keyring]. A key costs one fsync when it is
// made; after that the cipher comes from memory.
func (r *Ring) Sealer(ctx context.Context, holder string) (cipher.AEAD, error) {
	aead, err := r.Opener(ctx, holder)
	if !errors.Is(err, errNoKey) {
		return aead, err
	}
	since := r.ciphers.begin(r.settings.Now())
	err = r.db.Update(ctx, func(tx tables.Tx) error {
		row, err := find(ctx, tx, holder)
		if err == nil && !row.destroyed && !row.slot.Valid {
			aead, err = r.create(ctx, tx, holder, row.exists)
			return err
		}
		if err == nil { // a racer has made or destroyed it
			aead, err = r.stored(ctx, tx, holder)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	r.ciphers.keep(holder, aead, since)
	return aead, nil
}

// Opener implements [eventstore.Keyring].
func (r *Ring) Opener(ctx context.Context, holder string) (cipher.AEAD, error) {
	now := r.settings.Now()
	if aead, ok := r.ciphers.of(holder, now); ok {
		return aead, nil
	}
	if _, _, err := kindOf(holder); err != nil {
		return nil, err
	}
	since := r.ciphers.begin(now)
	aead, err := r.stored(ctx, r.db, holder)
	if err != nil {
		return nil, err
	}
	r.ciphers.keep(holder, aead, since)
	return aead, nil
}

// kindOf splits the name of a holder, as in "subject:<id>".
func kindOf(holder string) (kind, id string, err error) {
	kind, id, found := strings.Cut(holder, ":")
	known := kind == "subject" || kind == "journey" || kind == "client"
	if !found || !known || len(holder) > maxHolder || strings.ContainsRune(holder, 0) || !utf8.ValidString(holder) {
		return "", "", fmt.Errorf("%w: %.40q", errHolder, holder)
	}
	return kind, id, nil
}

// A row is what the keyring knows of a holder.
type row struct {
	exists    bool
	subject   sql.NullString
	slot      sql.NullInt64
	destroyed bool
}

// find returns the row of a holder, and holds it until the transaction ends.
// A row that does not exist cannot be held: who then inserts it finds out.
func find(ctx context.Context, tx tables.Tx, holder string) (row, error) {
	found := row{exists: true}
	err := tx.Lock(ctx, `SELECT subject, slot, destroyed IS NOT NULL FROM keys WHERE holder = ?`, holder).
		Scan(&found.subject, &found.slot, &found.destroyed)
	if errors.Is(err, sql.ErrNoRows) {
		return row{}, nil
	}
	return found, err
}

// stored returns the cipher of a holder's key. Without a key the error is
// both [eventstore.ErrErased], for who opens, and errNoKey, for who seals.
func (r *Ring) stored(ctx context.Context, q tables.Reader, holder string) (cipher.AEAD, error) {
	var made, destroyed bool
	var wrapped []byte
	err := q.QueryRow(ctx, `
		SELECT keys.slot IS NOT NULL, keys.destroyed IS NOT NULL, slots.wrapped
		FROM keys LEFT JOIN slots ON slots.id = keys.slot WHERE holder = ?`, holder).Scan(&made, &destroyed, &wrapped)
	switch {
	case destroyed:
		return nil, eventstore.ErrErased
	case errors.Is(err, sql.ErrNoRows), err == nil && !made:
		return nil, fmt.Errorf("%w: %w", errNoKey, eventstore.ErrErased)
	case err != nil:
		return nil, fmt.Errorf("keys: read the key of %s: %w", holder, err)
	}
	key, err := r.holders.unwrap(wrapped, holder)
	if err != nil {
		return nil, fmt.Errorf("%w: of %s", err, holder)
	}
	return cipherOf(key)
}

// create gives a holder its key. A journey that was adopted before it needed
// one keeps its subject.
func (r *Ring) create(ctx context.Context, tx tables.Tx, holder string, exists bool) (cipher.AEAD, error) {
	key := make([]byte, 32)
	rand.Read(key)
	slot, err := fill(ctx, tx, r.holders.wrap(key, holder))
	if err == nil && exists {
		_, err = tx.Exec(ctx, `UPDATE keys SET slot = ? WHERE holder = ?`, slot, holder)
	} else if err == nil {
		err = r.enter(ctx, tx, holder, slot)
	}
	if err != nil {
		return nil, fmt.Errorf("keys: store the key of %s: %w", holder, err)
	}
	return cipherOf(key)
}

// enter makes the row of a holder that has a key from the beginning.
func (r *Ring) enter(ctx context.Context, tx tables.Tx, holder string, slot int64) error {
	var subject, expires any
	switch kind, id, _ := kindOf(holder); kind {
	case "subject":
		subject = id
	case "journey":
		expires = r.settings.Now().Add(r.settings.Journey).UnixNano()
	}
	_, err := tx.Exec(ctx, `INSERT INTO keys (holder, subject, slot, created, expires) VALUES (?, ?, ?, ?, ?)`,
		holder, subject, slot, r.now(), expires)
	return err
}
