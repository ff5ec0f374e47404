package login

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// ErrWrong means that the name, the password or both are wrong. It does not
// tell which.
var ErrWrong = errors.New("login: wrong name or password")

// A DelayError means that too many wrong passwords came for this name or from
// this address. The password was not looked at.
type DelayError struct{ Until time.Time }

func (e *DelayError) Error() string { return "login: too many attempts, wait" }

// Check returns the subject that has this name and password in a realm. It
// fails with [ErrWrong], as late for an unknown name as for a wrong password,
// or with a [*DelayError]. Name and address are slowed down apart, never shut
// out: no delay is longer than the settings say.
func (s *Store) Check(ctx context.Context, realm, name, password, address string, now time.Time) (subject string, err error) {
	folded, err := foldName(name)
	if err != nil || named(realm) != nil {
		return "", ErrWrong
	}
	return s.check(ctx, realm, s.keyed("name", realm, folded), password, address, now)
}

// CheckSubject is [Store.Check] of somebody who is known by a session, with the
// same delays. Whoever has no password has no right one.
func (s *Store) CheckSubject(ctx context.Context, realm, subject, password, address string, now time.Time) error {
	if named(realm, subject) != nil {
		return ErrWrong
	}
	var name []byte
	err := s.db.QueryRow(ctx, `SELECT name FROM credentials WHERE realm = ? AND subject = ?`, realm, subject).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrWrong
	}
	if err != nil {
		return fmt.Errorf("login: check: %w", err)
	}
	owner, err := s.check(ctx, realm, name, password, address, now)
	if err == nil && owner != subject {
		return ErrWrong // the name went to somebody else meanwhile
	}
	return err
}

func (s *Store) check(ctx context.Context, realm string, name []byte, password, address string, now time.Time) (subject string, err error) {
	if password == "" || len(password) > maxPassword {
		return "", ErrWrong
	}
	limits := []limit{{name, s.settings.Name}, {s.keyed("address", network(address)), s.settings.Address}}
	if err := s.allowed(ctx, limits, now); err != nil {
		return "", err // before it waits for a turn
	}
	if err := s.turn(ctx); err != nil {
		return "", err
	}
	defer s.done()
	// It counts as a failure until it has succeeded, so that attempts in
	// parallel do not slip past the delay.
	if err := s.count(ctx, limits, now); err != nil {
		return "", err
	}
	subject, hash, err := s.credential(ctx, realm, name)
	if err != nil {
		return "", fmt.Errorf("login: check: %w", err)
	}
	ok, err := matches(password, hash)
	if err != nil {
		return "", fmt.Errorf("%w: password of %s", err, subject)
	}
	if !ok {
		return "", ErrWrong
	}
	return subject, s.forgive(ctx, limits)
}

// credential returns whose name it is and the hash of the password; for a
// name that nobody has, or has no more, a hash that no password matches.
func (s *Store) credential(ctx context.Context, realm string, name []byte) (subject, hash string, err error) {
	var sealed []byte
	err = s.db.QueryRow(ctx, `SELECT subject, hash FROM credentials WHERE realm = ? AND name = ?`, realm, name).Scan(&subject, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", s.nobody, nil
	}
	if err != nil {
		return "", "", err
	}
	plain, err := s.open(ctx, "password", subject, sealed)
	if errors.Is(err, eventstore.ErrErased) {
		return "", s.nobody, nil
	}
	return subject, string(plain), err
}

// Subject returns whose login name it is, for the operator and for hints, or
// [ErrWrong]. A stranger must not learn the answer.
func (s *Store) Subject(ctx context.Context, realm, name string) (subject string, err error) {
	folded, err := foldName(name)
	if err != nil {
		return "", err
	}
	err = s.db.QueryRow(ctx, `SELECT subject FROM credentials WHERE realm = ? AND name = ?`,
		realm, s.keyed("name", realm, folded)).Scan(&subject)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrWrong
	}
	return subject, err
}
