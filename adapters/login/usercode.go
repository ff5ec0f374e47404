package login

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chirograph/chirograph/eventstore"
)

// Why a user code is not set, or does not count.
var (
	ErrBadUserCode = errors.New("login: a user code has at least 4 printable characters and at most 64 bytes")
	ErrNoUserCode  = errors.New("login: the customer has no user code")

	// ErrWrongUserCode is also the answer while wrong ones lock the code.
	ErrWrongUserCode = errors.New("login: wrong user code, or one that is locked")
)

const (
	minUserCode = 4  // characters
	maxUserCode = 64 // bytes
)

// SetUserCode gives a subject the code that clients must know to ask them for
// something (CIBA, Section 7.1.2), in place of the one they had; none if it is
// empty. A lock ends with the code it locked.
func (s *Store) SetUserCode(ctx context.Context, subject, code string) error {
	if err := named(subject); err != nil {
		return err
	}
	if code == "" {
		_, err := s.db.Exec(ctx, `DELETE FROM user_codes WHERE subject = ?`, subject)
		return err
	}
	unprintable := func(c rune) bool { return c == utf8.RuneError || !unicode.IsPrint(c) }
	if len(code) > maxUserCode || utf8.RuneCountInString(code) < minUserCode || strings.ContainsFunc(code, unprintable) {
		return ErrBadUserCode
	}
	hash, err := s.hash(ctx, code)
	if err != nil {
		return fmt.Errorf("login: set the user code of %s: %w", subject, err)
	}
	sealed, err := s.seal(ctx, "user code", subject, []byte(hash))
	if err != nil {
		return fmt.Errorf("login: set the user code of %s: %w", subject, err)
	}
	_, err = s.db.Exec(ctx, `
		INSERT INTO user_codes (subject, hash) VALUES (?, ?)
		ON CONFLICT (subject) DO UPDATE SET hash = excluded.hash`, subject, sealed)
	if err != nil {
		return err
	}
	return s.unlock(ctx, s.guessing(subject))
}

// HasUserCode reports whether a subject has a code.
func (s *Store) HasUserCode(ctx context.Context, subject string) (bool, error) {
	var n int
	err := s.db.QueryRow(ctx, `SELECT count(*) FROM user_codes WHERE subject = ?`, subject).Scan(&n)
	return n > 0, err
}

// CheckUserCode checks a subject's code. It fails with [ErrNoUserCode] if there
// is none, and with [ErrWrongUserCode] if it is another, or was guessed too
// often: then it is not looked at, for a time that the settings say.
func (s *Store) CheckUserCode(ctx context.Context, subject, code string, now time.Time) error {
	if named(subject) != nil {
		return ErrNoUserCode
	}
	if code == "" || len(code) > maxUserCode {
		return ErrWrongUserCode
	}
	hash, err := s.userCode(ctx, subject)
	if err != nil {
		return err
	}
	guesses := s.guessing(subject)
	if err := s.allowed(ctx, []limit{guesses}, now); err != nil {
		return locked(err) // before it waits for a turn
	}
	if err := s.turn(ctx); err != nil {
		return err
	}
	defer s.done()
	// It counts as a failure until it has succeeded, as in [Store.Check].
	if err := s.count(ctx, []limit{guesses}, now); err != nil {
		return locked(err)
	}
	ok, err := matches(code, hash)
	if err != nil {
		return fmt.Errorf("%w: user code of %s", err, subject)
	}
	if !ok {
		return ErrWrongUserCode
	}
	return s.unlock(ctx, guesses)
}

// userCode returns the hash of a subject's code.
func (s *Store) userCode(ctx context.Context, subject string) (string, error) {
	var sealed []byte
	err := s.db.QueryRow(ctx, `SELECT hash FROM user_codes WHERE subject = ?`, subject).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrNoUserCode
	}
	if err == nil {
		sealed, err = s.open(ctx, "user code", subject, sealed)
	}
	if errors.Is(err, eventstore.ErrErased) {
		return "", ErrNoUserCode
	}
	return string(sealed), err
}

// guessing is the limit of wrong codes of a subject, whichever client sends
// them.
func (s *Store) guessing(subject string) limit {
	return limit{s.keyed("user code", subject), s.settings.Code}
}

func (s *Store) unlock(ctx context.Context, l limit) error {
	_, err := s.db.Exec(ctx, `DELETE FROM failures WHERE key = ?`, l.key)
	return err
}

func locked(err error) error {
	if _, is := errors.AsType[*DelayError](err); is {
		return ErrWrongUserCode
	}
	return err
}
