package fapi_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// bank is the issuer that is asked.
var bank = oauth.Server{
	Issuer:    "https://bank.example/fapi2",
	Scopes:    []string{"openid", "accounts", "email"},
	Resources: []string{"https://bank.example/accounts"},
	ACRs:      []string{"urn:bank:sca"},
	Now:       noon,
}

// A row breaks one rule and says which.
type row struct {
	name   string
	clause oauth.Clause // "" if nothing is broken
	code   oauth.Code
	judge  func(oauth.Profile) error
}

func (r row) test(t *testing.T) {
	t.Run(string(r.clause)+" "+r.name, func(t *testing.T) {
		err := r.judge(fapi.SecurityProfile)
		if r.clause == "" {
			if err != nil {
				t.Errorf("refused: %v", err)
			}
			return
		}
		refused, ok := errors.AsType[*oauth.Error](err)
		if !ok || !errors.Is(err, r.code) || refused.By != r.clause {
			t.Errorf("got %v; want %s by %s", err, r.code, r.clause)
		}
	})
}

// lifetimes are enforced when an issuer is set up.
func TestLifetimes(t *testing.T) {
	for _, s := range tooLong {
		if err := s.Check(fapi.SecurityProfile); err == nil {
			t.Errorf("accepted %+v", s)
		}
	}
}

var tooLong = []issuer.Settings{{CodeLifetime: 61 * time.Second}, {PushedLifetime: 600 * time.Second}}

// elsewhere are the demands that no rule of the domain can enforce, because
// they are about what the server does, not about what it is sent.
var elsewhere = []string{"CodeBinding", "NoRotation", "PushedOnly", "IssParameter", "HeaderTokens", "ClockAccept"}

// A demand that is removed from the profile must be missed by a row.
func TestEveryDemandIsEnforced(t *testing.T) {
	rows := slices.Concat(requestRows, clientRows, assertionRows, proofRows)
	for _, s := range tooLong {
		rows = append(rows, row{judge: func(p oauth.Profile) error { return s.Check(p) }})
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[oauth.Profile]()) {
		if f.Name == "Name" || f.Name == "Title" {
			continue
		}
		without := fapi.SecurityProfile
		reflect.ValueOf(&without).Elem().FieldByIndex(f.Index).SetZero()
		missed := slices.ContainsFunc(rows, func(r row) bool { return by(r.judge(fapi.SecurityProfile)) != by(r.judge(without)) })
		if missed == slices.Contains(elsewhere, f.Name) {
			t.Errorf("%s: a row that misses it: %v", f.Name, missed)
		}
	}
}

// by is who a refusal leans on.
func by(err error) string {
	if refused, ok := errors.AsType[*oauth.Error](err); ok {
		return string(refused.By)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// Each demand is printed with its clause, so none may be without.
func TestEveryDemandHasItsClause(t *testing.T) {
	for name, p := range fapi.Profiles {
		if p.Name != name || p.Title == "" {
			t.Errorf("%s is listed as %s", p.Name, name)
		}
		fields := reflect.TypeFor[oauth.Profile]().NumField() - 2
		if got := len(p.Demands()); got != fields {
			t.Errorf("%s: %d demands have a clause, of %d", name, got, fields)
		}
		for _, d := range p.Demands() {
			if _, found := reflect.TypeFor[oauth.Profile]().FieldByName(d.Field); !found || d.Demand == "" || d.By == "" {
				t.Errorf("%s: %+v", name, d)
			}
		}
	}
}

// What must be accepted lies within what may be.
func TestClock(t *testing.T) {
	p := fapi.SecurityProfile
	if p.ClockAccept.Max != 10*time.Second || p.ClockAhead.Max != 60*time.Second {
		t.Errorf("got %s and %s, want 10 s and 60 s [FAPI2-SP §5.3.2.1-2.13]", p.ClockAccept.Max, p.ClockAhead.Max)
	}
	if p.CodeLifetime.Max != 60*time.Second || p.PushedLifetime.Max >= 600*time.Second {
		t.Errorf("a code lives %s and a request_uri %s", p.CodeLifetime.Max, p.PushedLifetime.Max)
	}
}
