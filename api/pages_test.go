package api

import (
	"net/http"
	"testing"
)

const plainPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

func TestPageHeaders(t *testing.T) {
	b := newBank(t)
	p := b.person()
	login := p.get(b.push())
	consent := p.signIn(login, "alice")
	p.press(consent, "approve", "account", "acc-1")
	tests := []struct {
		name   string
		page   screen
		policy string
	}{
		{"the login page of a request may lead to its client", login, plainPolicy + " https://budgetly.example"},
		{"so may the consent page", consent, plainPolicy + " https://budgetly.example"},
		{"and the page of what is decided", p.press(consent, "approve"), plainPolicy + " https://budgetly.example"},
		{"the error page leads nowhere", p.get(b.url + "/authorize"), plainPolicy},
		{"nor does the customer's own", p.get(b.url + "/my/consents"), plainPolicy},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, want := range map[string]string{
				"Content-Security-Policy": tt.policy, "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
				"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
				"Strict-Transport-Security": "max-age=63072000", "Content-Type": "text/html; charset=UTF-8",
				"Access-Control-Allow-Origin": "",
			} {
				if got := tt.page.header.Get(name); got != want {
					t.Errorf("%s: %q; want %q", name, got, want)
				}
			}
			if !tt.page.has("Northwind Bank</title>") || !tt.page.has(`<html lang="en">`) || tt.page.has("DEV") {
				t.Errorf("got\n%s", tt.page.body)
			}
		})
	}
}

func TestDevPages(t *testing.T) {
	b := newBank(t, func(o *Outside) { o.Dev = true })
	page := b.person().get(b.push())
	if !page.has("<strong>DEV</strong>") || page.header.Get("Strict-Transport-Security") != "" {
		t.Errorf("got %v\n%s", page.header, page.body)
	}
}

func TestStylesheet(t *testing.T) {
	b := newBank(t)
	p := b.person()
	got := p.get(b.url + "/assets/" + style.name)
	if got.status != http.StatusOK || got.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || got.header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("got %d %v", got.status, got.header)
	}
	if got := p.get(b.url + "/assets/other.css"); got.status != http.StatusNotFound {
		t.Errorf("another file got %d", got.status)
	}
}

func TestOriginOf(t *testing.T) {
	tests := []struct {
		uri, want string
		web       bool
	}{
		{"https://App.Example/cb?x", "https://app.example", true},
		{"https://app.example:8443/cb", "https://app.example:8443", true},
		{"http://127.0.0.1:5000/cb", "http://127.0.0.1:5000", true},
		{"http://[::1]:5000/cb", "http://*:5000", true},
		{"http://[::1]/cb", "http://*", true},
		{"com.example.app:/cb", "", false},
		{"", "", false},
	}
	for _, tt := range tests {
		if got, web := originOf(tt.uri); got != tt.want || web != tt.web {
			t.Errorf("%s: got %q %v; want %q %v", tt.uri, got, web, tt.want, tt.web)
		}
	}
}

// A browser does not follow a form to an app; a page leads there.
func TestAppRedirect(t *testing.T) {
	b := newBank(t)
	p := b.person()
	done := p.press(p.get(b.push("redirect_uri", "com.example.app:/cb", "state", `"><x>`)), "cancel")
	want := `<a class="button" id="continue" href="com.example.app:/cb?error=access_denied&amp;`
	if done.status != http.StatusOK || !done.has(want) || !done.has(`content="0; url=com.example.app:/cb?error`) || done.has("<x>") {
		t.Errorf("got %d:\n%s", done.status, done.body)
	}
}
