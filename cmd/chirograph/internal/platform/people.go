package platform

import (
	"context"
	"errors"
	"reflect"

	"github.com/chirograph/chirograph/adapters/login"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/eventstore"
)

// people implements [admin.People] with the login store and the keyring.
type people struct{ platform *Platform }

func (p people) Put(ctx context.Context, c admin.Customer) (changed bool, err error) {
	want := login.Customer{Subject: c.ID, Realm: c.Issuer, Name: c.Name, Email: c.Email, Claims: c.Claims}
	for _, a := range c.Accounts {
		want.Accounts = append(want.Accounts, login.Account(a))
	}
	have, err := p.platform.Login.Customer(ctx, c.ID)
	if err != nil && !unknown(err) {
		return false, err
	}
	if err == nil && sameCustomer(have, want) {
		return false, nil
	}
	return true, p.platform.Login.PutCustomer(ctx, want)
}

func sameCustomer(a, b login.Customer) bool {
	claims := len(a.Claims) == 0 && len(b.Claims) == 0 || reflect.DeepEqual(a.Claims, b.Claims)
	accounts := len(a.Accounts) == 0 && len(b.Accounts) == 0 || reflect.DeepEqual(a.Accounts, b.Accounts)
	return a.Subject == b.Subject && a.Realm == b.Realm && a.Name == b.Name && a.Email == b.Email && claims && accounts
}

// SetLogin compares before it sets, because two hashes of one password differ.
func (p people) SetLogin(ctx context.Context, issuer, subject, name, password string) (changed bool, err error) {
	owner, err := p.platform.Login.Subject(ctx, issuer, name)
	if err == nil && owner == subject {
		_, err = p.platform.Login.Check(ctx, issuer, name, password, "operator", p.platform.Now())
		if err == nil {
			return false, nil
		}
	}
	return true, p.platform.Login.SetPassword(ctx, issuer, subject, name, password)
}

// SetUserCode compares before it sets, likewise.
func (p people) SetUserCode(ctx context.Context, subject, code string) (changed bool, err error) {
	has, err := p.platform.Login.HasUserCode(ctx, subject)
	if err != nil || !has && code == "" {
		return false, err
	}
	if has && code != "" && p.platform.Login.CheckUserCode(ctx, subject, code, p.platform.Now()) == nil {
		return false, nil
	}
	return true, p.platform.Login.SetUserCode(ctx, subject, code)
}

func (p people) Named(ctx context.Context, issuer, name string) (string, error) {
	subject, err := p.platform.Login.Subject(ctx, issuer, name)
	if errors.Is(err, login.ErrWrong) {
		return "", admin.ErrNotFound
	}
	return subject, err
}

func (p people) Erase(ctx context.Context, subject string, at eventstore.Position) error {
	return p.platform.Erase(ctx, subject, at)
}
