package login

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// Why a password is not set.
var (
	ErrNameTaken   = errors.New("login: the name belongs to another customer")
	ErrBadPassword = errors.New("login: a password has at least 8 characters and at most 256 bytes")
)

const (
	minPassword = 8   // characters
	maxPassword = 256 // bytes
)

// SetPassword gives a subject its login name and password in a realm, in
// place of those it had, and ends its sessions there. [ErrNameTaken] if another
// subject has the name.
func (s *Store) SetPassword(ctx context.Context, realm, subject, name, password string) error {
	if err := named(realm, subject); err != nil {
		return err
	}
	folded, err := foldName(name)
	if err != nil {
		return err
	}
	if len(password) > maxPassword || utf8.RuneCountInString(password) < minPassword {
		return ErrBadPassword
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return fmt.Errorf("login: set the password of %s: %w", subject, err)
	}
	sealed, err := s.seal(ctx, "password", subject, []byte(hash))
	if err != nil {
		return fmt.Errorf("login: set the password of %s: %w", subject, err)
	}
	return s.store(ctx, realm, subject, s.keyed("name", realm, folded), sealed)
}

func (s *Store) store(ctx context.Context, realm, subject string, name, hash []byte) error {
	return s.db.Update(ctx, func(tx tables.Tx) error {
		var owner string
		err := tx.QueryRow(ctx, `SELECT subject FROM credentials WHERE realm = ? AND name = ?`, realm, name).Scan(&owner)
		if err == nil && owner != subject {
			return ErrNameTaken
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO credentials (realm, subject, name, hash) VALUES (?, ?, ?, ?)
			ON CONFLICT (realm, subject) DO UPDATE SET name = excluded.name, hash = excluded.hash`, realm, subject, name, hash)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM sessions WHERE realm = ? AND subject = ?`, realm, subject)
		return err
	})
}

// hash waits for its turn and returns the argon2id hash of a password.
func (s *Store) hash(ctx context.Context, password string) (string, error) {
	if err := s.turn(ctx); err != nil {
		return "", err
	}
	defer s.done()
	return argon2id.CreateHash(norm.NFC.String(password), &s.settings.Hash)
}

// turn waits until one of the few hashes that may be computed at once is free.
func (s *Store) turn(ctx context.Context) error {
	select {
	case s.hashing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) done() { <-s.hashing }

// matches compares a password with a hash. It takes as long for a wrong
// password as for the right one.
func matches(password, hash string) (bool, error) {
	ok, err := argon2id.ComparePasswordAndHash(norm.NFC.String(password), hash)
	if err != nil {
		return false, errTampered // the cause may quote the hash
	}
	return ok, nil
}

// unmatched returns a well-formed hash that is nobody's. Comparing with it
// costs what comparing with a real one costs.
func unmatched(p argon2id.Params) string {
	salt, key := make([]byte, p.SaltLength), make([]byte, p.KeyLength)
	rand.Read(salt)
	rand.Read(key)
	text := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Iterations, p.Parallelism,
		text.EncodeToString(salt), text.EncodeToString(key))
}
