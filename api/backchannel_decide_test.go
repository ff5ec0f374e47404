package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
)

func inDev(o *Outside) { o.Dev = true }

// ring is till, and returns the auth_req_id too.
func (b *bank) ring(changes ...func(*backchannel.Requested)) (id, authReqID string) {
	var named oauth.Artefact
	id = b.till(append(changes, func(r *backchannel.Requested) { named = newArtefact(); r.Digest = named.Digest() })...)
	named.ID = id
	return id, named.Text()
}

// tool sends a request as test tools do: without cookies, and perhaps a form.
func (b *bank) tool(method, path, form string) screen {
	b.t.Helper()
	r, err := http.NewRequest(method, b.url+path, strings.NewReader(form))
	b.must(err)
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.person().send(r)
}

func TestAutomaticDecision(t *testing.T) {
	tests := []struct {
		name   string
		action string
		form   bool
		log    string
	}{
		{"a yes in the query", "allow", false, "requested shown approved"},
		{"a no in the query", "deny", false, "requested denied"},
		{"a yes in a form", "allow", true, "requested shown approved"},
		{"a no in a form", "deny", true, "requested denied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t, inDev)
			id, named := b.ring()
			params := url.Values{"auth_req_id": {named}, "action": {tt.action}}.Encode()
			query, form := "?"+params, ""
			if tt.form {
				query, form = "", params
			}
			if got := b.tool("POST", decidePath+query, form); got.status != http.StatusNoContent {
				t.Fatalf("got %d, %s", got.status, got.body)
			}
			state, types := b.told(id)
			if strings.Join(types, " ") != tt.log {
				t.Errorf("the log has %v", types)
			}
			if yes := state.Approved(); tt.action == "allow" && (yes.Method != backchannel.Automatic || len(yes.Details[0].Accounts) != 2) {
				t.Errorf("approved %+v", yes)
			}
			for e, err := range b.Journal.Read(t.Context(), b.Backchannels.Stream(id)) {
				if b.must(err); e.Type != "backchannel.requested" && e.Type != "backchannel.shown" && e.Metadata.Actor != event.ActorSystem {
					t.Errorf("%s is recorded as done by the %s", e.Type, e.Metadata.Actor)
				}
			}
			given, _, err := b.Consents.Load(t.Context(), state.Approved().Consent)
			if b.must(err); given.Alive(b.clock.Now()) != (tt.action == "allow") {
				t.Errorf("the consent is %q", given.Status())
			}
			if again := b.tool("POST", decidePath+query, form); again.status != http.StatusConflict || !again.has("has already been decided") {
				t.Errorf("again: got %d, %s", again.status, again.body)
			}
		})
	}
}

func TestAutomaticDecisionRefuses(t *testing.T) {
	b := newBank(t, inDev)
	id, named := b.ring()
	_, carols := b.ring(func(r *backchannel.Requested) { r.Subject = "carol" })
	_, old := b.ring(func(r *backchannel.Requested) { r.Expires = b.clock.Now() })
	other := newArtefact()
	other.ID = id
	tests := []struct {
		name, query string
		status      int
		says        string
	}{
		{"without an auth_req_id", "action=allow", http.StatusNotFound, "names no request"},
		{"with the stream's id alone", "action=allow&auth_req_id=" + id, http.StatusNotFound, "names no request"},
		{"with another secret", "action=allow&auth_req_id=" + other.Text(), http.StatusNotFound, "names no request"},
		{"for a request nobody made", "action=allow&auth_req_id=" + newArtefact().Text(), http.StatusNotFound, "names no request"},
		{"for a customer of another issuer", "action=deny&auth_req_id=" + carols, http.StatusNotFound, "names no request"},
		{"once it has run out", "action=allow&auth_req_id=" + old, http.StatusConflict, "has expired"},
		{"without an action", "auth_req_id=" + named, http.StatusBadRequest, "allow or deny"},
		{"with another action", "action=ALLOW&auth_req_id=" + named, http.StatusBadRequest, "allow or deny"},
		{"with two", "action=allow&action=deny&auth_req_id=" + named, http.StatusBadRequest, "more than once"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := b.tool("POST", decidePath+"?"+tt.query, ""); got.status != tt.status || !got.has(tt.says) {
				t.Errorf("got %d, %s", got.status, got.body)
			}
		})
	}
	if state, _ := b.told(id); state.Decided() {
		t.Error("one of them counts")
	}
}

// Where real customers are there is no such path, whichever way one asks.
func TestNoAutomaticDecision(t *testing.T) {
	b := newBank(t)
	id, named := b.ring()
	for _, method := range []string{"POST", "GET", "PUT", "DELETE", "OPTIONS"} {
		got := b.tool(method, decidePath+"?action=allow&auth_req_id="+named, "")
		want := b.tool(method, "/nowhere", "")
		got.header.Del("Date")
		want.header.Del("Date")
		if got.status != http.StatusNotFound || got.body != want.body || len(got.header) != len(want.header) || got.header.Get("Allow") != "" {
			t.Errorf("%s: got %d %v %s; an unknown path has %d %v %s", method, got.status, got.header, got.body, want.status, want.header, want.body)
		}
	}
	if state, _ := b.told(id); state.Decided() {
		t.Error("it counts")
	}
}

// An issuer for conformance tests knows nobody real, and says what it is.
func TestConformanceIssuer(t *testing.T) {
	b := newBank(t)
	ctx := t.Context()
	_, err := b.Issuers.Execute(ctx, event.Meta{}, "suite", issuer.Create{Created: issuer.Created{
		URL: b.web.URL + "/suite", Profile: fapi.SecurityProfile.Name, Settings: issuer.Settings{Purpose: issuer.Conformance}}})
	b.must(err)
	for id, test := range map[string]bool{"tess": true, "real": false} {
		_, err = b.Subjects.Execute(ctx, event.Meta{Subject: id}, id, subject.Enroll{Enrolled: subject.Enrolled{Issuer: "suite", Test: test}})
		b.must(err)
	}
	p := b.person()
	p.bank = &bank{t: t, web: b.web, url: b.web.URL + "/suite"}
	login := p.get(p.url + "/login?to=device")
	if !login.has("<strong>TEST</strong>") || p.get(p.url+"/nowhere/at/all").status != http.StatusNotFound || b.person().get(b.url+"/login").has("TEST") {
		t.Errorf("got\n%s", login.body)
	}
	if got := p.signIn(login, "real"); got.status != http.StatusBadRequest || !got.has("not right") || !got.has("<strong>TEST</strong>") {
		t.Errorf("somebody real: got %d:\n%s", got.status, got.body)
	}
	if got := p.signIn(login, "tess"); !got.has("Nothing waits for you") || !got.has("<strong>TEST</strong>") {
		t.Errorf("nobody real: got %d:\n%s", got.status, got.body)
	}
	if got := (&bank{t: t, web: b.web, url: p.url}).tool("POST", decidePath, ""); got.status != http.StatusNotFound || !got.has("names no request") {
		t.Errorf("a decision: got %d, %s", got.status, got.body)
	}
}
