package fapi_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/openid"
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

func (r row) test(t *testing.T) { r.under(t, fapi.SecurityProfile) }

// under tests a row with a profile.
func (r row) under(t *testing.T, p oauth.Profile) {
	t.Run(string(r.clause)+" "+r.name, func(t *testing.T) {
		err := r.judge(p)
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
		for _, p := range profiles {
			if err := s.Check(p); err == nil {
				t.Errorf("%s accepted %+v", p.Name, s)
			}
		}
	}
	if err := (issuer.Settings{CodeLifetime: 61 * time.Second}).Check(fapi.SecurityProfile); err == nil {
		t.Error("accepted a code that lives for 61 s")
	}
}

var tooLong = []issuer.Settings{{CodeLifetime: 601 * time.Second}, {PushedLifetime: 600 * time.Second}}

// profiles are all there are.
var profiles = slices.Concat(slices.Collect(maps.Values(fapi.Profiles)), slices.Collect(maps.Values(openid.Profiles)))

// elsewhere are the demands that no rule of the domain can enforce, because
// they are about what the server does, not about what it is sent.
var elsewhere = []string{"CodeBinding", "NoRotation", "PushedOnly", "IssParameter", "HeaderTokens", "ClockAccept"}

// A demand that is removed from the profile must be missed by a row.
func TestEveryDemandIsEnforced(t *testing.T) {
	rows := slices.Concat(requestRows, clientRows, assertionRows, proofRows, backchannelRows, signedRows, tillRows, openRows)
	rows = append(rows, signed("a life of days", "", func(r *oauth.SignedRequest) { r.Expires = noon.Add(48 * time.Hour) }))
	for _, s := range tooLong {
		rows = append(rows, row{judge: func(p oauth.Profile) error { return s.Check(p) }})
	}
	for _, p := range profiles {
		for _, name := range demandedBy(p) {
			without := p
			reflect.ValueOf(&without).Elem().FieldByName(name).SetZero()
			missed := slices.ContainsFunc(rows, func(r row) bool { return by(r.judge(p)) != by(r.judge(without)) })
			if missed == slices.Contains(elsewhere, name) {
				t.Errorf("%s: %s: a row that misses it: %v", p.Name, name, missed)
			}
		}
	}
}

// demandedBy are the fields of a profile that demand anything.
func demandedBy(p oauth.Profile) (names []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[oauth.Profile]()) {
		if f.Name != "Name" && f.Name != "Title" && !reflect.ValueOf(p).FieldByIndex(f.Index).IsZero() {
			names = append(names, f.Name)
		}
	}
	return names
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
	for _, p := range profiles {
		if (fapi.Profiles[p.Name].Name == "") == (openid.Profiles[p.Name].Name == "") || p.Title == "" {
			t.Errorf("%s is not listed once, by its name", p.Name)
		}
		var told []string
		for _, d := range p.Demands() {
			told = append(told, d.Field)
			if d.Demand == "" || d.By == "" {
				t.Errorf("%s: %+v", p.Name, d)
			}
		}
		if want := demandedBy(p); !slices.Equal(told, want) {
			t.Errorf("%s: %v have a clause, of %v", p.Name, told, want)
		}
	}
	if got, want := len(demandedBy(fapi.SecurityProfile)), reflect.TypeFor[oauth.Profile]().NumField()-6; got != want {
		t.Errorf("the security profile makes %d demands, not all %d but those of CIBA", got, want)
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
