package platform

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/api/admin"
)

func TestLoginsSpeakTheWordsOfTheServer(t *testing.T) {
	p, later := opened(t)
	dora := admin.Customer{
		ID: "dora", Issuer: "bank", Name: "Dora Example", Email: "dora@example.org",
		Accounts: []admin.Account{{ID: "a-1", Name: "Everyday", Number: "•••• 0001", Kind: "CurrentAccount", Currency: "EUR"}},
	}
	held := people{p}
	for i, want := range []bool{true, false} {
		changed, err := held.Put(t.Context(), dora)
		if err != nil || changed != want {
			t.Errorf("put %d: changed %v, %v", i, changed, err)
		}
		changed, err = held.SetLogin(t.Context(), "bank", "dora", "dora", "a good password")
		if err != nil || changed != want {
			t.Errorf("login %d: changed %v, %v", i, changed, err)
		}
	}
	l := logins{p.Login}
	check := func(name, password string) (string, error) {
		return l.Check(t.Context(), "bank", name, password, "192.0.2.1", p.Now())
	}
	if who, err := check("Dora", "a good password"); who != "dora" || err != nil {
		t.Errorf("signed in as %q, %v", who, err)
	}
	_, err := check("dora", "wrong password")
	known, ok := errors.AsType[*api.WrongPassword](err)
	if !ok || known.Subject != "dora" || !errors.Is(err, api.ErrWrongPassword) {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err := check("nobody", "wrong password"); !errors.Is(err, api.ErrWrongPassword) {
		t.Errorf("a wrong name: %v", err)
	}
	for range 5 {
		_, err = check("dora", "wrong password")
	}
	if early, ok := errors.AsType[*api.TryLater](err); !ok || early.After <= 0 {
		t.Errorf("too many: %v", err)
	}
	later(time.Hour)

	accounts, err := l.Accounts(t.Context(), "dora")
	if err != nil || !slices.Equal(accounts, []api.Account{{ID: "a-1", Name: "Everyday", Number: "•••• 0001", Currency: "EUR"}}) {
		t.Errorf("accounts are %v, %v", accounts, err)
	}
	if none, err := l.Accounts(t.Context(), "nobody"); err != nil || len(none) != 0 {
		t.Errorf("nobody has %v, %v", none, err)
	}
	if claims, err := l.Claims(t.Context(), "nobody"); err != nil || claims == nil {
		t.Errorf("nobody claims %v, %v", claims, err)
	}
	cookie, err := l.Start(t.Context(), api.Session{Realm: "bank", Subject: "dora", AuthTime: p.Now(), ACR: "acr"}, p.Now())
	if err != nil {
		t.Fatal(err)
	}
	if s, err := l.Find(t.Context(), "bank", cookie, p.Now()); err != nil || s.Subject != "dora" || s.ID == "" || s.ID == cookie {
		t.Errorf("found %+v, %v", s, err)
	}
	if _, err := l.Find(t.Context(), "other", cookie, p.Now()); !errors.Is(err, api.ErrNoSession) {
		t.Errorf("at another issuer: %v", err)
	}
	if err := l.End(t.Context(), "bank", cookie); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Find(t.Context(), "bank", cookie, p.Now()); !errors.Is(err, api.ErrNoSession) {
		t.Errorf("after its end: %v", err)
	}
}

func TestUserCodesSpeakTheWordsOfTheServer(t *testing.T) {
	p, _ := opened(t)
	held, l := people{p}, logins{p.Login}
	if err := l.CheckUserCode(t.Context(), "dora", "4711", p.Now()); !errors.Is(err, api.ErrNoUserCode) {
		t.Errorf("before it is set: %v", err)
	}
	for i, step := range []struct {
		code          string
		changed, then bool
	}{{"", false, false}, {"4711", true, true}, {"4711", false, true}, {"0815", true, true}} {
		changed, err := held.SetUserCode(t.Context(), "dora", step.code)
		has, failed := l.HasUserCode(t.Context(), "dora")
		if changed != step.changed || has != step.then || err != nil || failed != nil {
			t.Errorf("step %d: changed %v, has %v, %v, %v", i, changed, has, err, failed)
		}
	}
	if err := l.CheckUserCode(t.Context(), "dora", "0815", p.Now()); err != nil {
		t.Errorf("the code: %v", err)
	}
	if err := l.CheckUserCode(t.Context(), "dora", "4711", p.Now()); !errors.Is(err, api.ErrWrongUserCode) {
		t.Errorf("the code before: %v", err)
	}
	if _, err := l.Subject(t.Context(), "bank", "no\x00body"); !errors.Is(err, api.ErrNobody) {
		t.Errorf("what is no name: %v", err)
	}
}
