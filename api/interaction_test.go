package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// answers compares where the customer left to with what the client expects.
func answers(t *testing.T, s screen, want map[string]string) {
	t.Helper()
	if s.left == nil {
		t.Fatalf("stayed at the bank with status %d:\n%s", s.status, s.body)
	}
	got := s.left.Query()
	if strings.Split(s.left.String(), "?")[0] != "https://budgetly.example/cb" || got.Get("tenant") != "7" {
		t.Errorf("went to %s; want the redirect URI", s.left)
	}
	for name, value := range want {
		if got.Get(name) != value || got.Has(name) != (value != "") {
			t.Errorf("%s is %q; want %q", name, got.Get(name), value)
		}
	}
}

func TestApprove(t *testing.T) {
	b := newBank(t)
	opener := b.push()
	p := b.person()
	page := p.signIn(p.get(opener), "alice")
	if page.status != http.StatusOK || !page.has(`id="consent"`) {
		t.Fatalf("got %d:\n%s", page.status, page.body)
	}
	done := p.press(page, "approve", "account", "acc-2")
	answers(t, done, map[string]string{"state": "s-1", "iss": b.url, "error": ""})

	state, types := b.journey(opener)
	if want := []string{"pushed", "subject_authenticated", "granted", "code_issued"}; !slices.Equal(types, want) {
		t.Errorf("the log has %v; want %v", types, want)
	}
	code, ok := oauth.ParseArtefact(done.left.Query().Get("code"))
	if !ok || !strings.Contains(b.desk.adoptedStreams(), code.ID) {
		t.Error("the code must name its stream, and the journey be the customer's")
	}
	given, _, err := b.Consents.Load(t.Context(), state.Grant().Consent)
	b.must(err)
	if !given.Permits(oauth.ReadBalances, "acc-2", b.clock.Now()) || given.Permits(oauth.ReadAccounts, "acc-1", b.clock.Now()) {
		t.Errorf("the consent has %+v", given.Details())
	}
	g := state.Grant()
	if g.Asked || g.Shown == "" || g.Template != requestTemplate || g.Locale != "en" || given.Status() != consent.Active {
		t.Errorf("granted %+v", g)
	}
	if want := b.clock.Now().Add(180 * 24 * time.Hour); !g.Expires.Equal(want) {
		t.Errorf("expires %v; want %v", g.Expires, want)
	}
}

func (d *deskStaff) adoptedStreams() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all strings.Builder
	for stream := range d.adopted {
		all.WriteString(stream + " ")
	}
	return all.String()
}

func TestDecline(t *testing.T) {
	tests := []struct {
		name string
		do   func(*person, screen) screen
	}{
		{"on the consent page", func(p *person, login screen) screen { return p.press(p.signIn(login, "alice"), "cancel") }},
		{"on the login page", func(p *person, login screen) screen { return p.press(login, "cancel") }},
		{"after signing in with no account to share", func(p *person, login screen) screen {
			p.desk.accounts["alice"] = nil
			return p.press(p.signIn(login, "alice"), "cancel")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			opener := b.push()
			p := b.person()
			done := tt.do(p, p.get(opener))
			answers(t, done, map[string]string{"error": "access_denied", "state": "s-1", "iss": b.url, "code": ""})
			if _, types := b.journey(opener); types[len(types)-1] != "denied" {
				t.Errorf("the log has %v", types)
			}
			again := p.get(opener)
			if again.status != http.StatusBadRequest || !again.has("invalid_request_uri") {
				t.Errorf("opened again it got %d", again.status)
			}
		})
	}
}

// The client's state comes back exactly as it was sent, or not at all.
func TestState(t *testing.T) {
	tests := []struct{ name, state string }{
		{"none", ""},
		{"with characters that URIs and forms treat specially", "a b+c&d=e#f?g%20/\\\"<>é\x00\n\xff"},
		{"of 4096 bytes", strings.Repeat("x%y&", 1024)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			p := b.person()
			done := p.press(p.get(b.push("state", tt.state)), "cancel")
			answers(t, done, map[string]string{"state": tt.state, "iss": b.url})
		})
	}
}

func TestExpiry(t *testing.T) {
	tests := []struct {
		name  string
		until string
		act   func(*person, screen) screen
	}{
		{"the login page is reloaded", "login", nil},
		{"somebody signs in too late", "login", func(p *person, s screen) screen { return p.signIn(s, "alice") }},
		{"the customer approves too late", "consent", func(p *person, s screen) screen { return p.press(s, "approve", "account", "acc-1") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			opener, p := b.push(), b.person()
			page := p.get(opener)
			at := p.ticketOf(page)
			if tt.until == "consent" {
				page = p.signIn(page, "alice")
			}
			b.clock.pass(30 * time.Minute)
			var done screen
			if tt.act == nil {
				done = p.get(b.url + "/interaction?i=" + at)
			} else {
				done = tt.act(p, page)
			}
			answers(t, done, map[string]string{"error": "access_denied", "state": "s-1", "iss": b.url})
			if _, types := b.journey(opener); types[len(types)-1] != "denied" {
				t.Errorf("the log has %v", types)
			}
		})
	}
}

func (p *person) ticketOf(s screen) string {
	p.t.Helper()
	found := hidden.FindStringSubmatch(s.body)
	if found == nil || found[1] != "i" {
		p.t.Fatalf("no ticket on the page:\n%s", s.body)
	}
	return found[2]
}

// A page answers in the browser that opened it, and a request in the first
// browser in which somebody signed in.
func TestBrowsers(t *testing.T) {
	b := newBank(t)
	opener := b.push()
	first, second := b.person(), b.person()
	one, two := first.get(opener), second.get(opener)

	stolen := second.get(b.url + "/interaction?i=" + first.ticketOf(one))
	if stolen.status != http.StatusForbidden || !stolen.has(`id="error"`) {
		t.Errorf("a ticket in another browser got %d", stolen.status)
	}
	page := second.signIn(two, "alice")
	if late := first.get(b.url + "/interaction?i=" + first.ticketOf(one)); late.status != http.StatusForbidden {
		t.Errorf("the other browser got %d", late.status)
	}
	if late := first.signIn(one, "alice"); late.status != http.StatusForbidden {
		t.Errorf("the second browser to sign in got %d", late.status)
	}
	if late := first.press(one, "cancel"); late.status != http.StatusForbidden {
		t.Errorf("the other browser could cancel: %d", late.status)
	}
	answers(t, second.press(page, "approve", "account", "acc-1"), map[string]string{"error": ""})
}

// In the same browser a request stays with the customer who signed in first.
func TestOtherCustomer(t *testing.T) {
	b := newBank(t)
	opener, p := b.push(), b.person()
	asked := p.signIn(p.get(opener), "alice")
	p.signIn(p.get(b.url+"/login"), "ben")
	if page := p.press(asked, "approve", "account", "acc-1"); page.status != http.StatusForbidden {
		t.Errorf("the other customer's yes got %d", page.status)
	}
	if page := p.get(opener); page.status != http.StatusForbidden || !page.has("another customer") {
		t.Errorf("got %d", page.status)
	}
}

// Before anybody has signed in, nobody's key could seal an address: none is
// kept. After it one is.
func TestAddresses(t *testing.T) {
	b := newBank(t)
	opener, p := b.push(), b.person()
	p.press(p.get(opener), "cancel")
	signedIn := b.push()
	p.signIn(p.get(signedIn), "alice")
	for address, want := range map[string]string{opener: "", signedIn: "127.0.0.1"} {
		_, types := b.journey(address)
		for e, err := range b.Journal.Read(t.Context(), b.stream(address)) {
			b.must(err)
			m := e.Metadata
			if int(e.Revision) == len(types)-1 && (m.Address != want || (m.UserAgent == "") != (want == "") || m.Client != "budgetly" || m.Actor != event.ActorCustomer) {
				t.Errorf("%s says %+v; want the address %q", e.Type, m, want)
			}
		}
	}
}

func TestForms(t *testing.T) {
	b := newBank(t)
	opener, p := b.push(), b.person()
	login := p.get(opener)
	tests := []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"from another site is refused", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		{"from an older browser on another site is refused", func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "https://evil.example")
		}, http.StatusForbidden},
		{"of another media type is refused", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, http.StatusUnsupportedMediaType},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := p.pressing(login, "login", "user", "alice", "password", "alice")
			tt.change(r)
			if got := p.send(r); got.status != tt.want || !got.has(`id="error"`) {
				t.Errorf("got %d; want %d", got.status, tt.want)
			}
		})
	}
	if got := p.press(login, "login", "user", "alice", "user", "ben", "password", "alice"); got.status != http.StatusBadRequest {
		t.Errorf("a repeated field got %d", got.status)
	}
	if got := p.press(login, "login", "password", strings.Repeat("x", maxBody)); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body over the limit got %d", got.status)
	}
	if _, types := b.journey(opener); len(types) != 1 {
		t.Errorf("the log has %v; want nothing more than the request", types)
	}
}

func TestWithParams(t *testing.T) {
	tests := []struct{ uri, want string }{
		{"https://a.example/cb", "https://a.example/cb?code=c+1"},
		{"https://a.example/cb?x=%2F&y", "https://a.example/cb?x=%2F&y&code=c+1"},
		{"com.example.app:/cb", "com.example.app:/cb?code=c+1"},
	}
	for _, tt := range tests {
		if got := withParams(tt.uri, "code", "c 1"); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.uri, got, tt.want)
		}
	}
	if u, err := url.Parse(withParams("https://a.example/cb", "state", "a\xff&b")); err != nil || u.Query().Get("state") != "a\xff&b" {
		t.Error("bytes that are no text must come back as they were")
	}
}
