package oauth_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

var (
	may  = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	june = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
)

func TestParseDetails(t *testing.T) {
	full := oauth.Detail{
		Type: "account_information", Locations: []string{"https://bank.example/accounts"}, Permissions: []string{"ReadBalances"},
		Accounts: []string{"GB01"}, HistoryFrom: "2025-01-01", ExpiresAt: &june, Purpose: "budgeting",
	}
	written, err := json.Marshal([]oauth.Detail{full})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := oauth.ParseDetails(string(written)); err != nil || !reflect.DeepEqual(got, []oauth.Detail{full}) {
		t.Errorf("got %+v, %v; want what was written", got, err)
	}
	if got, err := oauth.ParseDetails(""); err != nil || got != nil {
		t.Errorf("got %+v, %v of nothing", got, err)
	}
	for i := range reflect.TypeFor[oauth.Detail]().NumField() {
		if reflect.ValueOf(full).Field(i).IsZero() {
			t.Errorf("%s is not shown to be read", reflect.TypeFor[oauth.Detail]().Field(i).Name)
		}
	}
}

// What is exactly as long as permitted is permitted.
func TestParseDetailsAtTheLimit(t *testing.T) {
	location := "https://bank.example/"
	d := oauth.Detail{
		Type: "account_information", Permissions: oauth.Permissions, Purpose: strings.Repeat("p", 140),
		Locations: slices.Repeat([]string{location + strings.Repeat("l", 2048-len(location))}, 8),
		Accounts:  slices.Repeat([]string{strings.Repeat("a", 64)}, 64),
	}
	raw, err := json.Marshal(slices.Repeat([]oauth.Detail{d}, 8))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := oauth.ParseDetails(string(raw)); err != nil || len(got) != 8 {
		t.Errorf("got %d details, %v", len(got), err)
	}
}

func TestParseDetailsRefuses(t *testing.T) {
	with := func(member string) string {
		return `[{"type":"account_information","permissions":["ReadBalances"],` + member + `}]`
	}
	many := func(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	tests := []struct{ name, raw string }{
		{"what is no JSON", `[`},
		{"null", `null`},
		{"an object", `{"type":"account_information","permissions":["ReadBalances"]}`},
		{"no element", `[]`},
		{"too many elements", `[` + many(9, `{"type":"account_information","permissions":["ReadBalances"]}`) + `]`},
		{"an element that is null", `[null]`},
		{"something after the end", `[{"type":"account_information","permissions":["ReadBalances"]}] []`},
		{"no type", `[{"permissions":["ReadBalances"]}]`},
		{"an unknown type", `[{"type":"payment_initiation","permissions":["ReadBalances"]}]`},
		{"an unknown member", with(`"actions":["read"]`)},
		{"a member in other letters", with(`"Accounts":["GB01"]`)},
		{"a member twice", with(`"permissions":["ReadTransactions"]`)},
		{"a type twice", with(`"type":"account_information"`)},
		{"a value of another type", with(`"accounts":"GB01"`)},
		{"no permissions", `[{"type":"account_information"}]`},
		{"an unknown permission", `[{"type":"account_information","permissions":["Pay"]}]`},
		{"an empty account", with(`"accounts":[""]`)},
		{"too many accounts", with(`"accounts":[` + many(65, `"GB01"`) + `]`)},
		{"markup in an account", with(`"accounts":["<b>"]`)},
		{"a date that is none", with(`"history_from":"2025-02-30"`)},
		{"a time for a date", with(`"history_from":"2025-01-01T00:00:00Z"`)},
		{"a date for a time", with(`"expires_at":"2026-01-01"`)},
		{"a location without TLS", with(`"locations":["http://bank.example"]`)},
		{"a location that is too long", with(`"locations":["https://bank.example/` + strings.Repeat("l", 2048) + `"]`)},
		{"an account that is too long", with(`"accounts":["` + strings.Repeat("a", 65) + `"]`)},
		{"too many locations", with(`"locations":[` + many(9, `"https://bank.example"`) + `]`)},
		{"markup in the purpose", with(`"purpose":"<script>"`)},
		{"a direction mark in the purpose", with(`"purpose":"\u202egnitegdub"`)},
		{"a purpose that is too long", with(`"purpose":"` + strings.Repeat("p", 141) + `"`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := oauth.ParseDetails(tt.raw)
			refused, ok := errors.AsType[*oauth.Error](err)
			if !ok || refused.By != "RFC 9396 §5" || !errors.Is(err, oauth.InvalidAuthorizationDetails) || got != nil {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// Nothing panics, and what is accepted is within its limits and reads the
// same when it is written again.
func FuzzParseDetails(f *testing.F) {
	f.Add(`[{"type":"account_information","permissions":["ReadBalances"],"accounts":["GB01"],"history_from":"2025-01-01"}]`)
	f.Add(`[{"type":"account_information","TYPE":"x","permissions":[]}]`)
	f.Add(`[{"type":"account_information","permissions":["ReadBalances"],"expires_at":"2026-01-01T00:00:00+01:00"},null]`)
	f.Fuzz(func(t *testing.T, raw string) {
		details, err := oauth.ParseDetails(raw)
		if err != nil {
			if !errors.Is(err, oauth.InvalidAuthorizationDetails) {
				t.Fatalf("refused by %v", err)
			}
			return
		}
		for _, d := range details {
			if len(d.Permissions) == 0 || len(d.Accounts) > 64 || len(d.Purpose) > 140 || strings.Contains(d.Purpose, "<") {
				t.Fatalf("accepted %+v", d)
			}
		}
		if raw == "" {
			return
		}
		written, _ := json.Marshal(details)
		again, err := oauth.ParseDetails(string(written))
		if err != nil || !slices.EqualFunc(again, details, func(a, b oauth.Detail) bool { return oauth.Narrower([]oauth.Detail{a}, []oauth.Detail{b}) }) {
			t.Fatalf("%s reads as %s: %v", raw, written, err)
		}
	})
}

func TestNarrower(t *testing.T) {
	granted := oauth.Detail{
		Type: "account_information", Permissions: []string{"ReadBalances", "ReadAccounts"}, Accounts: []string{"GB01", "GB02"},
		HistoryFrom: "2025-01-01", ExpiresAt: &may, Locations: []string{"https://a.example", "https://b.example"},
	}
	free := oauth.Detail{Type: "account_information", Permissions: granted.Permissions, Accounts: granted.Accounts}
	tests := []struct {
		name    string
		granted oauth.Detail
		change  func(*oauth.Detail)
		want    bool
	}{
		{"what was granted", granted, func(*oauth.Detail) {}, true},
		{"fewer permissions", granted, func(d *oauth.Detail) { d.Permissions = d.Permissions[:1] }, true},
		{"fewer accounts", granted, func(d *oauth.Detail) { d.Accounts = d.Accounts[1:] }, true},
		{"a shorter history", granted, func(d *oauth.Detail) { d.HistoryFrom = "2025-06-01" }, true},
		{"an earlier end", granted, func(d *oauth.Detail) { d.ExpiresAt = new(may.Add(-1)) }, true},
		{"fewer locations", granted, func(d *oauth.Detail) { d.Locations = d.Locations[:1] }, true},
		{"an end where none was granted", free, func(d *oauth.Detail) { d.ExpiresAt = &may }, true},
		{"a location where none was granted", free, func(d *oauth.Detail) { d.Locations = []string{"https://a.example"} }, true},

		{"another type", granted, func(d *oauth.Detail) { d.Type = "payment_initiation" }, false},
		{"another permission", granted, func(d *oauth.Detail) { d.Permissions = []string{"ReadTransactions"} }, false},
		{"another account", granted, func(d *oauth.Detail) { d.Accounts = []string{"GB03"} }, false},
		{"a longer history", granted, func(d *oauth.Detail) { d.HistoryFrom = "2024-12-31" }, false},
		{"all of history", granted, func(d *oauth.Detail) { d.HistoryFrom = "" }, false},
		{"a later end", granted, func(d *oauth.Detail) { d.ExpiresAt = &june }, false},
		{"no end", granted, func(d *oauth.Detail) { d.ExpiresAt = nil }, false},
		{"another location", granted, func(d *oauth.Detail) { d.Locations = []string{"https://c.example"} }, false},
		{"every location", granted, func(d *oauth.Detail) { d.Locations = nil }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked := tt.granted
			tt.change(&asked)
			if got := oauth.Narrower([]oauth.Detail{asked}, []oauth.Detail{{Type: "other"}, tt.granted}); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestDetailTypes(t *testing.T) {
	server := oauth.Server{Scopes: []string{"accounts"}}
	r := oauth.AuthorizationRequest{
		ClientID: "c", ResponseType: "code", RedirectURI: "https://c.example/cb",
		AuthorizationDetails: `[{"type":"account_information","permissions":["ReadBalances"]}]`,
	}
	c := oauth.Client{ID: "c", ClientMetadata: oauth.ClientMetadata{
		RedirectURIs: []string{r.RedirectURI}, GrantTypes: []string{"authorization_code"}, DetailTypes: []string{"payment_initiation"},
	}}
	err := oauth.Profile{}.Check(r, c, server)
	if refused, ok := errors.AsType[*oauth.Error](err); !ok || refused.By != "RFC 9396 §10" {
		t.Errorf("got %v for a type that the client did not register", err)
	}
	c.DetailTypes = []string{oauth.AccountInformation}
	if err := (oauth.Profile{}).Check(r, c, server); err != nil {
		t.Errorf("got %v for one that it did", err)
	}
}
