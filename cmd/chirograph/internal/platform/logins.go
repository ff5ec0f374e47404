package platform

import (
	"context"
	"errors"
	"time"

	"github.com/chirograph/chirograph/adapters/login"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/eventstore"
)

// logins implements [api.Logins], [api.Sessions] and [api.Directory] with the
// login store, translating what it refuses with.
type logins struct{ store *login.Store }

func (l logins) Check(ctx context.Context, realm, name, password, address string, now time.Time) (string, error) {
	subject, err := l.store.Check(ctx, realm, name, password, address, now)
	if early, ok := errors.AsType[*login.DelayError](err); ok {
		return "", &api.TryLater{After: early.Until.Sub(now)}
	}
	if !errors.Is(err, login.ErrWrong) {
		return subject, err
	}
	if owner, err := l.store.Subject(ctx, realm, name); err == nil {
		return "", &api.WrongPassword{Subject: owner}
	}
	return "", api.ErrWrongPassword
}

// CheckSubject implements [api.Logins].
func (l logins) CheckSubject(ctx context.Context, realm, subject, password, address string, now time.Time) error {
	err := l.store.CheckSubject(ctx, realm, subject, password, address, now)
	if early, ok := errors.AsType[*login.DelayError](err); ok {
		return &api.TryLater{After: early.Until.Sub(now)}
	}
	if errors.Is(err, login.ErrWrong) {
		return &api.WrongPassword{Subject: subject}
	}
	return err
}

// Subject implements [api.Logins].
func (l logins) Subject(ctx context.Context, realm, name string) (string, error) {
	subject, err := l.store.Subject(ctx, realm, name)
	if errors.Is(err, login.ErrWrong) || errors.Is(err, login.ErrBadName) {
		return "", api.ErrNobody
	}
	return subject, err
}

// HasUserCode implements [api.UserCodes].
func (l logins) HasUserCode(ctx context.Context, subject string) (bool, error) {
	return l.store.HasUserCode(ctx, subject)
}

// CheckUserCode implements [api.UserCodes].
func (l logins) CheckUserCode(ctx context.Context, subject, code string, now time.Time) error {
	err := l.store.CheckUserCode(ctx, subject, code, now)
	switch {
	case errors.Is(err, login.ErrNoUserCode):
		return api.ErrNoUserCode
	case errors.Is(err, login.ErrWrongUserCode):
		return api.ErrWrongUserCode
	}
	return err
}

func (l logins) Start(ctx context.Context, s api.Session, now time.Time) (string, error) {
	cookie, _, err := l.store.Start(ctx, login.Authentication{
		Realm: s.Realm, Subject: s.Subject, Time: s.AuthTime, ACR: s.ACR, AMR: s.AMR,
	}, now)
	return cookie, err
}

func (l logins) Find(ctx context.Context, realm, cookie string, now time.Time) (api.Session, error) {
	found, err := l.find(ctx, realm, cookie, now)
	if err != nil {
		return api.Session{}, err
	}
	return session(found), l.store.Touch(ctx, found, now)
}

// Peek implements [api.Sessions].
func (l logins) Peek(ctx context.Context, realm, cookie string, now time.Time) (api.Session, error) {
	found, err := l.find(ctx, realm, cookie, now)
	return session(found), err
}

func (l logins) find(ctx context.Context, realm, cookie string, now time.Time) (login.Session, error) {
	found, err := l.store.Find(ctx, realm, cookie, now)
	if errors.Is(err, login.ErrNoSession) {
		err = api.ErrNoSession
	}
	return found, err
}

func session(found login.Session) api.Session {
	return api.Session{ID: found.ID, Realm: found.Realm, Subject: found.Subject, AuthTime: found.Time, ACR: found.ACR, AMR: found.AMR}
}

func (l logins) End(ctx context.Context, realm, cookie string) error {
	return l.store.End(ctx, realm, cookie)
}

func (l logins) Accounts(ctx context.Context, subject string) ([]api.Account, error) {
	known, err := l.store.Accounts(ctx, subject)
	if unknown(err) {
		return nil, nil
	}
	all := make([]api.Account, len(known))
	for i, a := range known {
		all[i] = api.Account{ID: a.ID, Name: a.Name, Number: a.Number, Currency: a.Currency}
	}
	return all, err
}

func (l logins) Claims(ctx context.Context, subject string) (map[string]any, error) {
	claims, err := l.store.Claims(ctx, subject)
	if unknown(err) {
		return map[string]any{}, nil
	}
	return claims, err
}

// unknown says that the directory has nothing about somebody, or nothing any
// more.
func unknown(err error) bool {
	return errors.Is(err, login.ErrNoCustomer) || errors.Is(err, eventstore.ErrErased)
}
