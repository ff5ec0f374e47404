package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
)

func TestListOfRequests(t *testing.T) {
	b := newBank(t)
	p := b.person()
	empty := p.signIn(p.get(b.url+"/device"), "alice")
	if !empty.has("Nothing waits for you.") || !empty.has("it appears here") || !empty.has(`href="/north/device">Look again`) {
		t.Errorf("nothing waits:\n%s", empty.body)
	}
	first := b.till()
	b.clock.pass(time.Second)
	second := b.till(func(r *backchannel.Requested) { r.Client = "other" })
	list := p.get(b.url + linkIn(empty, "/device"))
	if !list.has("2 requests wait") || !list.has(`id="request-`+first) || !list.has("Other") || !list.has("12:00:01 UTC") || !list.has("12:02:00 UTC") {
		t.Errorf("two wait:\n%s", list.body)
	}
	if strings.Index(list.body, second) > strings.Index(list.body, first) {
		t.Error("the newest is not the first")
	}
	page := p.get(b.url + linkIn(list, "/device/"+first))
	if !page.has(`id="binding-message" class="message" aria-describedby="compare"><bdi>W4SCT</bdi>`) || !page.has("12:02:00 UTC") {
		t.Errorf("one of them:\n%s", page.body)
	}
	p.press(page, "deny")
	if list = p.get(b.url + "/device"); list.has(first) || !list.has(second) || !list.has("1 request waits") {
		t.Errorf("one is left:\n%s", list.body)
	}
}

// The page runs our script and works without: then it looks again by itself.
func TestScriptOfThePhone(t *testing.T) {
	b := newBank(t)
	id := b.till()
	p, page := b.phone(id)
	list := p.get(b.url + "/device")
	if !list.has(script.name) || !list.has(`<noscript><meta http-equiv="refresh" content="10"></noscript>`) || page.has("http-equiv") {
		t.Error("without JavaScript the list looks again, and nobody's typing is interrupted")
	}
	policy := strings.Replace(plainPolicy, "style-src", "script-src 'self'; connect-src 'self'; style-src", 1)
	for _, s := range []screen{list, page} {
		if got := s.header.Get("Content-Security-Policy"); got != policy {
			t.Errorf("policy %q", got)
		}
		if !s.has(`/device/events" data-version="` + versionOf([]PendingRequest{{ID: id}}) + `"`) {
			t.Errorf("got\n%s", s.body)
		}
	}
	code := p.get(b.url + "/assets/" + script.name)
	if code.status != http.StatusOK || code.header.Get("Content-Type") != "text/javascript; charset=utf-8" || !code.has("EventSource") {
		t.Errorf("got %d %v", code.status, code.header)
	}
	if out := p.press(page, "deny"); out.has("<script") || out.header.Get("Content-Security-Policy") != plainPolicy {
		t.Errorf("the outcome: %q", out.header.Get("Content-Security-Policy"))
	}
}

// Sign-in leads back to the few pages that ask for it, and nowhere else.
func TestWhereASignInLeads(t *testing.T) {
	const id = "01a20845-2cc8-76dc-a4b8-97f452b892af"
	tests := []struct{ name, to, path string }{
		{"to what is shared", "", "/my/consents"},
		{"to the list of requests", "device", "/device"},
		{"to a request", "device/" + id, "/device/" + id},
		{"not to another site", "https://evil.example/", "/my/consents"},
		{"not by another scheme", "javascript:alert(1)", "/my/consents"},
		{"not to another host", "//evil.example/device", "/my/consents"},
		{"not beside a request", "device/" + id + "/../../logout", "/my/consents"},
		{"not to what only looks like one", "device/{" + id[:34] + "}", "/my/consents"},
		{"not to the events", "device/events", "/my/consents"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			p := b.person()
			login := p.get(b.url + "/login?to=" + url.QueryEscape(tt.to))
			again := p.press(login, "login", "user", "alice", "password", "guess")
			for n, r := range []*http.Request{p.pressing(login, "login", "user", "alice", "password", "alice"), p.pressing(again, "login", "user", "alice", "password", "alice")} {
				response, err := p.http.Do(r)
				b.must(err)
				response.Body.Close()
				if got := response.Header.Get("Location"); got != b.url+tt.path {
					t.Errorf("try %d: %q", n, got)
				}
			}
		})
	}
}

// Who signed out, or was for too long, comes back to the request.
func TestBackToTheRequest(t *testing.T) {
	b := newBank(t)
	id := b.till()
	p, page := b.phone(id)
	b.desk.sessions = map[string]Session{}
	login := p.press(page, "approve", yes...)
	if state, _ := b.told(id); !login.has(`value="device/`+id+`"`) || state.Decided() {
		t.Fatalf("got %d:\n%s", login.status, login.body)
	}
	if back := p.signIn(login, "alice"); !back.has(`id="binding-message"`) {
		t.Errorf("got %d:\n%s", back.status, back.body)
	}
}
