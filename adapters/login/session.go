package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// ErrNoSession means that a cookie names no session, or one that has ended.
var ErrNoSession = errors.New("login: no session")

// An Authentication is how and when a customer proved who they are, in the
// terms of OpenID Connect Core, Section 2.
type Authentication struct {
	Realm   string // issuer id
	Subject string
	Time    time.Time
	ACR     string
	AMR     []string
}

// A Session is an authentication that a browser holds a cookie for.
type Session struct {
	Authentication
	ID       string // may be shown and logged: the SHA-256 of the cookie
	CSRF     string // for forms, where the browser tells no origin
	Created  time.Time
	LastSeen time.Time // to the minute
	Expires  time.Time
}

// seenEvery is how often it is recorded that a session is in use, so that a
// page view costs no write.
const seenEvery = time.Minute

// Start opens a session and returns the value of its cookie, which is not
// stored anywhere.
func (s *Store) Start(ctx context.Context, a Authentication, now time.Time) (cookie string, _ Session, err error) {
	return s.Renew(ctx, "", a, now)
}

// Renew opens a session in place of the one that a cookie names, if it names
// one of this realm. A login never keeps the id that the browser came with.
func (s *Store) Renew(ctx context.Context, old string, a Authentication, now time.Time) (cookie string, _ Session, err error) {
	if err := named(a.Realm, a.Subject); err != nil {
		return "", Session{}, err
	}
	amr, err := json.Marshal(a.AMR)
	if err != nil {
		return "", Session{}, err
	}
	cookie = token(32)
	id, _ := cookieID(cookie)
	fresh := Session{
		Authentication: a, ID: text.EncodeToString(id), CSRF: token(16),
		Created: now, LastSeen: now, Expires: now.Add(s.settings.Absolute),
	}
	err = s.db.Update(ctx, func(tx tables.Tx) error {
		if err := end(ctx, tx, a.Realm, old); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO sessions (id, realm, subject, auth_time, acr, amr, csrf, created, last_seen, expires)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id, a.Realm, a.Subject, unixNano(a.Time), a.ACR, string(amr), fresh.CSRF, now.UnixNano(), now.UnixNano(), fresh.Expires.UnixNano())
		return err
	})
	if err != nil {
		return "", Session{}, fmt.Errorf("login: start a session: %w", err)
	}
	return cookie, fresh, nil
}

// Find returns the session of a cookie in a realm, or [ErrNoSession]. It
// writes nothing; see [Store.Touch].
func (s *Store) Find(ctx context.Context, realm, cookie string, now time.Time) (Session, error) {
	id, ok := cookieID(cookie)
	if !ok {
		return Session{}, ErrNoSession
	}
	found := Session{ID: text.EncodeToString(id), Authentication: Authentication{Realm: realm}}
	var amr []byte
	var at, created, seen, expires int64
	err := s.db.QueryRow(ctx, `
		SELECT subject, auth_time, acr, amr, csrf, created, last_seen, expires FROM sessions WHERE id = ? AND realm = ?`, id, realm).
		Scan(&found.Subject, &at, &found.ACR, &amr, &found.CSRF, &created, &seen, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, ErrNoSession
	}
	if err == nil {
		err = json.Unmarshal(amr, &found.AMR)
	}
	if err != nil {
		return Session{}, fmt.Errorf("login: find a session: %w", err)
	}
	found.Time, found.Created, found.LastSeen, found.Expires = instant(at), instant(created), instant(seen), instant(expires)
	if !now.Before(found.Expires) || now.Sub(found.LastSeen) >= s.settings.Idle {
		return Session{}, ErrNoSession
	}
	return found, nil
}

// Touch records that a session is in use, once a minute at most, however many
// nodes see it.
func (s *Store) Touch(ctx context.Context, found Session, now time.Time) error {
	if now.Sub(found.LastSeen) < seenEvery {
		return nil
	}
	id, err := text.DecodeString(found.ID)
	if err != nil {
		return ErrNoSession
	}
	_, err = s.db.Exec(ctx, `UPDATE sessions SET last_seen = ? WHERE id = ? AND last_seen <= ?`,
		now.UnixNano(), id, now.Add(-seenEvery).UnixNano())
	return err
}

// End ends the session of a cookie in a realm, if there is one.
func (s *Store) End(ctx context.Context, realm, cookie string) error {
	return s.db.Update(ctx, func(tx tables.Tx) error { return end(ctx, tx, realm, cookie) })
}

// EndAll ends every session of a subject.
func (s *Store) EndAll(ctx context.Context, subject string) error {
	_, err := s.db.Exec(ctx, `DELETE FROM sessions WHERE subject = ?`, subject)
	return err
}

func end(ctx context.Context, tx tables.Tx, realm, cookie string) error {
	id, ok := cookieID(cookie)
	if !ok {
		return nil
	}
	_, err := tx.Exec(ctx, `DELETE FROM sessions WHERE id = ? AND realm = ?`, id, realm)
	return err
}

var text = base64.RawURLEncoding.Strict()

// token returns n random bytes as text.
func token(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return text.EncodeToString(b)
}

// cookieID returns what is stored of a cookie.
func cookieID(cookie string) ([]byte, bool) {
	if len(cookie) != text.EncodedLen(32) {
		return nil, false
	}
	secret, err := text.DecodeString(cookie)
	if err != nil || len(secret) != 32 {
		return nil, false
	}
	id := sha256.Sum256(secret)
	return id[:], true
}

func instant(nano int64) time.Time { return time.Unix(0, nano).UTC() }
