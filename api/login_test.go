package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/subject"
)

func TestWrongPassword(t *testing.T) {
	b := newBank(t)
	p := b.person()
	login := p.get(b.push())
	known := p.press(login, "login", "user", "alice", "password", "guess")
	unknown := p.press(login, "login", "user", "alicf", "password", "guess")
	if known.status != http.StatusBadRequest || !known.has("The name or the password is not right.") || !known.has(`value="alice"`) {
		t.Errorf("got %d:\n%s", known.status, known.body)
	}
	if known.has("guess") {
		t.Error("the password must not come back")
	}
	if strings.ReplaceAll(known.body, `"alice"`, "") != strings.ReplaceAll(unknown.body, `"alicf"`, "") {
		t.Error("an unknown name must look like a wrong password")
	}
	if foreign := p.press(login, "login", "user", "carol", "password", "carol"); foreign.status != http.StatusBadRequest {
		t.Errorf("a customer of another issuer got %d", foreign.status)
	}

	b.clock.pass(time.Minute)
	b.must(b.FlushRefusals(t.Context(), b.clock.Now()))
	var counted []access.Refused
	for e, err := range b.Journal.Read(t.Context(), "refusal-alice-2026-03-01") {
		b.must(err)
		counted = append(counted, e.Body.(access.Refused))
		if e.Metadata.Subject != "alice" || e.Metadata.Client != "" {
			t.Errorf("counted as %+v", e.Metadata)
		}
	}
	if len(counted) != 1 || counted[0].Count != 1 || counted[0].Endpoint != "interaction/login" {
		t.Errorf("counted %+v", counted)
	}
}

func TestTryLater(t *testing.T) {
	b := newBank(t)
	b.desk.wait = 90*time.Second + time.Millisecond
	p := b.person()
	got := p.signIn(p.get(b.push()), "alice")
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "91" || !got.has("in 2 minutes") {
		t.Errorf("got %d, Retry-After %q:\n%s", got.status, got.header.Get("Retry-After"), got.body)
	}
}

// A sign-in never keeps the session that the browser came with.
func TestSessionRenewed(t *testing.T) {
	b := newBank(t)
	p := b.person()
	p.signIn(p.get(b.url+"/login"), "alice")
	first := p.cookie("__Host-session-north")
	p.signIn(p.get(b.url+"/login"), "alice")
	second := p.cookie("__Host-session-north")
	if first == "" || first == second || b.desk.sessions[first].Subject != "" {
		t.Errorf("the session %q became %q", first, second)
	}
}

func (p *person) cookie(name string) string {
	r, err := http.NewRequest("GET", p.url, nil)
	p.must(err)
	for _, c := range p.http.Jar.Cookies(r.URL) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// Who was erased, or belongs to another issuer, is not signed in.
func TestSessionOfNobody(t *testing.T) {
	b := newBank(t)
	p := b.person()
	p.signIn(p.get(b.url+"/login"), "alice")
	cookie := p.cookie("__Host-session-north")
	was := b.desk.sessions[cookie]
	for name, change := range map[string]func(*Session){
		"a customer of another issuer": func(s *Session) { s.Subject = "carol" },
		"a session of another issuer":  func(s *Session) { s.Realm = "south" },
		"nobody that is known":         func(s *Session) { s.Subject = "dave" },
	} {
		now := was
		change(&now)
		b.desk.sessions[cookie] = now
		if page := p.get(b.url + "/my/consents"); !page.has(`id="login"`) {
			t.Errorf("%s got %d", name, page.status)
		}
	}
	b.desk.sessions[cookie] = was
	_, err := b.Subjects.Execute(t.Context(), event.Meta{}, "alice", subject.Erase{})
	b.must(err)
	if page := p.get(b.push()); !page.has(`id="login"`) {
		t.Errorf("an erased customer got %d", page.status)
	}
}

func TestCookies(t *testing.T) {
	b := newBank(t)
	p := b.person()
	first, err := p.http.Get(b.push())
	b.must(err)
	signedIn, err := p.http.Do(p.pressing(p.get(b.url+"/login"), "login", "user", "alice", "password", "alice"))
	b.must(err)
	for _, response := range []*http.Response{first, signedIn} {
		cookies := response.Header.Values("Set-Cookie")
		if len(cookies) != 1 || !strings.HasPrefix(cookies[0], "__Host-") || !strings.HasSuffix(cookies[0], "; Path=/; HttpOnly; Secure; SameSite=Lax") {
			t.Errorf("got %q", cookies)
		}
	}
}

func TestSignOut(t *testing.T) {
	b := newBank(t)
	p := b.person()
	p.signIn(p.get(b.url+"/login"), "alice")
	ask := p.get(b.url + "/logout?post_logout_redirect_uri=https://evil.example&state=x")
	if !ask.has(`id="signout"`) {
		t.Fatalf("got %d:\n%s", ask.status, ask.body)
	}
	fromElsewhere := p.pressing(ask, "signout")
	fromElsewhere.Header.Set("Sec-Fetch-Site", "cross-site")
	if got := p.send(fromElsewhere); !got.has(`id="signout"`) {
		t.Errorf("a client that posts must lead to the question; got %d", got.status)
	}
	if got := p.press(ask, "signout"); !got.has("You are signed out") || p.cookie("__Host-session-north") != "" {
		t.Errorf("got %d", got.status)
	}
	if got := p.get(b.url + "/my/consents"); !got.has(`id="login"`) {
		t.Errorf("still signed in: %d", got.status)
	}
}
