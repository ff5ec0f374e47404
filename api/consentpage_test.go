package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

func (b *bank) consentPage(request ...string) (*person, screen, string) {
	b.t.Helper()
	opener, p := b.push(request...), b.person()
	return p, p.signIn(p.get(opener), "alice"), opener
}

func TestOffer(t *testing.T) {
	const detail = `"type":"account_information","permissions":["ReadBalances"]`
	tests := []struct {
		name    string
		request []string
		shows   []string
		hides   []string
	}{
		{"scope accounts asks for everything about the accounts chosen", nil,
			[]string{"Your account details", "Your balances", "Your transactions", "as far back as we keep them", `value="acc-1">`, `value="acc-2">`}, []string{"checked", "acc-9"}},
		{"accounts that were asked for are ticked, and no others offered", []string{"authorization_details", `[{` + detail + `,"accounts":["acc-2","acc-1"]}]`},
			[]string{"Your balances", `value="acc-1" checked>`, `value="acc-2" checked>`}, []string{"Your transactions"}},
		{"a single account is no choice", []string{"authorization_details", `[{` + detail + `,"accounts":["acc-2"]}]`},
			[]string{"Savings", "•••• 2222"}, []string{"Everyday", "checkbox"}},
		{"somebody else's account is not mentioned", []string{"authorization_details", `[{` + detail + `,"accounts":["acc-2","acc-9"]}]`},
			[]string{"Savings"}, []string{"acc-9", "Joint"}},
		{"nor what was asked about it alone", []string{"authorization_details", `[{` + detail + `},{"type":"account_information","permissions":["ReadTransactions"],"accounts":["acc-9"]}]`},
			[]string{"Your balances"}, []string{"acc-9", "Your transactions"}},
		{"history, purpose and end are put in words", []string{"authorization_details", `[{"type":"account_information","permissions":["ReadTransactions"],"history_from":"2025-01-31","purpose":"Your budget","expires_at":"2026-04-01T10:00:00+02:00"}]`},
			[]string{"from 31 January 2025 on", "<q><bdi>Your budget</bdi></q>", "1 April 2026, 08:00 UTC", "31 days"}, nil},
		{"openid and claims list what the client learns", []string{"scope", "openid email", "claims", `{"userinfo":{"name":null,"birthdate":null},"id_token":{"phone_number":null}}`},
			[]string{"Who you are to us", "Your e-mail address", "alice@example.com", "Alice Example", "+49 30 1"}, []string{"Choose which accounts", "move money", "date of birth"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, page, _ := newBank(t).consentPage(tt.request...)
			body := strings.ReplaceAll(page.body, "&#43;", "+")
			for _, want := range tt.shows {
				if !strings.Contains(body, want) {
					t.Errorf("does not show %q", want)
				}
			}
			for _, not := range tt.hides {
				if strings.Contains(body, not) {
					t.Errorf("shows %q", not)
				}
			}
			if t.Failed() {
				t.Log(page.body)
			}
		})
	}
}

func TestGrant(t *testing.T) {
	soon := time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name    string
		request []string
		choose  []string
		expires time.Time
		shares  map[string][]string // permission to accounts
	}{
		{"one of two", nil, []string{"account", "acc-2"}, time.Time{}, map[string][]string{oauth.ReadTransactions: {"acc-2"}}},
		{"somebody else's, smuggled in", nil, []string{"account", "acc-1", "account", "acc-9"}, time.Time{}, map[string][]string{oauth.ReadAccounts: {"acc-1"}}},
		{"until when the client asked", []string{"authorization_details", `[{"type":"account_information","permissions":["ReadBalances"],"accounts":["acc-1"],"expires_at":"2026-03-11T00:00:00Z"}]`},
			nil, soon, map[string][]string{oauth.ReadBalances: {"acc-1"}, oauth.ReadAccounts: nil}},
		{"not longer than the bank permits", []string{"authorization_details", `[{"type":"account_information","permissions":["ReadBalances"],"accounts":["acc-1"],"expires_at":"2036-01-01T00:00:00Z"}]`},
			nil, time.Date(2026, 8, 28, 12, 0, 0, 0, time.UTC), map[string][]string{oauth.ReadBalances: {"acc-1"}}},
		{"each detail on its own accounts", []string{"authorization_details", `[{"type":"account_information","permissions":["ReadBalances"],"accounts":["acc-1"]},{"type":"account_information","permissions":["ReadTransactions"]}]`},
			[]string{"account", "acc-2"}, time.Time{}, map[string][]string{oauth.ReadBalances: {"acc-1"}, oauth.ReadTransactions: {"acc-1", "acc-2"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			p, page, opener := b.consentPage(tt.request...)
			answers(t, p.press(page, "approve", tt.choose...), map[string]string{"error": ""})
			state, _ := b.journey(opener)
			given, _, err := b.Consents.Load(t.Context(), state.Grant().Consent)
			b.must(err)
			for permission, want := range tt.shares {
				if got := given.Accounts(permission, b.clock.Now()); strings.Join(got, " ") != strings.Join(want, " ") {
					t.Errorf("%s on %v; want %v", permission, got, want)
				}
			}
			if !tt.expires.IsZero() && !given.Expires().Equal(tt.expires) {
				t.Errorf("expires %v; want %v", given.Expires(), tt.expires)
			}
			for _, d := range given.Details() {
				if d.ExpiresAt != nil && d.ExpiresAt.After(given.Expires()) {
					t.Errorf("a detail says %v, beyond the consent", d.ExpiresAt)
				}
			}
			if state.Grant().Asked != (tt.request != nil) {
				t.Error("details are returned only to who asked for details")
			}
		})
	}
}

// Where no accounts are asked for there is nothing to choose.
func TestGrantIdentity(t *testing.T) {
	b := newBank(t)
	b.desk.accounts["alice"] = nil
	p, page, opener := b.consentPage("scope", "openid email")
	answers(t, p.press(page, "approve"), map[string]string{"error": "", "state": "s-1"})
	state, _ := b.journey(opener)
	given, _, err := b.Consents.Load(t.Context(), state.Grant().Consent)
	b.must(err)
	if given.Scope() != "openid email" || len(given.Details()) != 0 || !given.Alive(b.clock.Now()) {
		t.Errorf("the consent is %+v", given)
	}
}

func TestNothingToShare(t *testing.T) {
	b := newBank(t)
	_, page, opener := b.consentPage("authorization_details", `[{"type":"account_information","permissions":["ReadBalances"],"accounts":["acc-9"]}]`)
	answers(t, page, map[string]string{"error": "access_denied", "state": "s-1", "iss": b.url})
	if _, types := b.journey(opener); types[len(types)-1] != "denied" {
		t.Errorf("the log has %v", types)
	}
	_, page, _ = newBank(t).consentPage("scope", "payments")
	if page.left == nil || page.left.Query().Get("error") != "invalid_scope" {
		t.Error("what the page has no words for must not be granted")
	}
}

func TestNothingChosen(t *testing.T) {
	b := newBank(t)
	p, page, opener := b.consentPage()
	again := p.press(page, "approve")
	if again.status != http.StatusBadRequest || !again.has(`<a href="#account-0">`) || !again.has("<title>Problem: ") {
		t.Errorf("got %d:\n%s", again.status, again.body)
	}
	if _, types := b.journey(opener); len(types) != 2 {
		t.Errorf("the log has %v", types)
	}
	answers(t, p.press(again, "approve", "account", "acc-1"), map[string]string{"error": ""})
}

// What is approved is what was shown. If it would read otherwise by then, the
// customer reads it again.
func TestChangedMeanwhile(t *testing.T) {
	tests := []struct {
		name   string
		change func(b *bank)
	}{
		{"an account has another name", func(b *bank) {
			b.desk.accounts["alice"] = []Account{{"acc-1", "Old savings", "•••• 1111", "EUR"}, twoAccounts[1]}
		}},
		{"the client has another name", func(b *bank) {
			_, err := b.Clients.Execute(b.t.Context(), event.Meta{}, "budgetly", client.Update{Updated: client.Updated{Metadata: oauth.ClientMetadata{
				ClientName: "Your Bank", RedirectURIs: []string{clientCallback}, GrantTypes: []string{"authorization_code"}}}})
			b.must(err)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			p, page, opener := b.consentPage()
			tt.change(b)
			again := p.press(page, "approve", "account", "acc-1")
			if again.status != http.StatusConflict || !again.has("read it again") {
				t.Fatalf("got %d", again.status)
			}
			if _, types := b.journey(opener); len(types) != 2 {
				t.Errorf("the log has %v", types)
			}
			answers(t, p.press(again, "approve", "account", "acc-1"), map[string]string{"error": ""})
		})
	}
}

// A yes to a page that we did not send, or not for this request, is none.
func TestForgedPage(t *testing.T) {
	b := newBank(t)
	p, page, opener := b.consentPage()
	value := regexp.MustCompile(`name="shown" value="([^".]*)\.([^"]*)"`)
	for name, forged := range map[string]string{
		"another text":               `name="shown" value="x$1.$2"`,
		"without our authentication": `name="shown" value="$1."`,
		"with another one":           `name="shown" value="$1.A$2"`,
		"none at all":                `name="else" value=""`,
	} {
		changed := page
		changed.body = value.ReplaceAllString(page.body, forged)
		if again := p.press(changed, "approve", "account", "acc-1"); again.status != http.StatusConflict {
			t.Errorf("%s: got %d", name, again.status)
		}
	}
	if _, types := b.journey(opener); len(types) != 2 {
		t.Errorf("the log has %v", types)
	}
}

// Names and purposes of strangers are shown as text.
func TestInert(t *testing.T) {
	b := newBank(t)
	const evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp.exe\" onmouseover=\"x"
	_, err := b.Clients.Execute(t.Context(), event.Meta{}, "budgetly", client.Update{Updated: client.Updated{Metadata: oauth.ClientMetadata{
		ClientName: evil, PolicyURI: "javascript:alert(1)", RedirectURIs: []string{clientCallback}, GrantTypes: []string{"authorization_code"}}}})
	b.must(err)
	b.desk.accounts["alice"] = []Account{{evil, evil, evil, evil}, twoAccounts[0]}
	b.desk.claims["alice"] = map[string]any{"name": evil}
	p, page, _ := b.consentPage("scope", "openid profile accounts")
	pages := []screen{p.get(b.push("login_hint", evil, "prompt", "login")), page}
	answers(t, p.press(page, "approve", "account", "acc-1"), map[string]string{"error": ""})
	list := p.get(b.url + "/my/consents")
	pages = append(pages, p.press(page, "approve"), list, p.get(b.url+linkIn(list, "/my/consents/")))
	for n, s := range pages {
		if s.has("<script") || s.has("<img") || s.has(`" onmouseover`) || s.has(`href="javascript`) {
			t.Errorf("page %d:\n%s", n, s.body)
		}
		if strings.Contains(s.body, "\u202e") && !s.has("<bdi>&lt;script") {
			t.Errorf("page %d: a direction mark reaches beyond its name", n)
		}
	}
}
