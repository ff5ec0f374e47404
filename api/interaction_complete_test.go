package api

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// Wherever the power fails while a yes is recorded, a reload ends with the
// consent and one code, or with nothing done.
func TestCrash(t *testing.T) {
	tests := []struct {
		name    string
		written int
		want    []string // after going on
	}{
		{"before the yes", 0, []string{"pushed", "subject_authenticated", "granted", "code_issued"}},
		{"before the consent", 1, []string{"pushed", "subject_authenticated", "granted", "code_issued"}},
		{"before the code", 2, []string{"pushed", "subject_authenticated", "granted", "code_issued"}},
		{"before the answer", 3, []string{"pushed", "subject_authenticated", "granted", "code_issued", "code_issued"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			opener, p := b.push(), b.person()
			page := p.signIn(p.get(opener), "alice")
			b.log.dieAfter(tt.written)
			if failed := p.press(page, "approve", "account", "acc-1"); failed.status != http.StatusInternalServerError {
				t.Fatalf("the customer was told %d", failed.status)
			}
			again := p.get(b.url + "/interaction?i=" + p.ticketOf(page))
			button := "continue"
			if tt.written == 0 {
				button = "approve"
			}
			done := p.press(again, button, "account", "acc-1")
			answers(t, done, map[string]string{"state": "s-1", "iss": b.url, "error": ""})

			state, types := b.journey(opener)
			if !slices.Equal(types, tt.want) {
				t.Errorf("the log has %v; want %v", types, tt.want)
			}
			given, _, err := b.Consents.Load(t.Context(), state.Grant().Consent)
			b.must(err)
			if !given.Permits(oauth.ReadAccounts, "acc-1", b.clock.Now()) {
				t.Error("the consent must be what the customer agreed to")
			}
		})
	}
}

// Nobody goes on for the customer, and not for ever.
func TestNotCompletable(t *testing.T) {
	tests := []struct {
		name   string
		change func(b *bank, p *person, consentID string)
	}{
		{"once she has signed out", func(b *bank, p *person, _ string) { b.desk.sessions = map[string]Session{} }},
		{"once another customer has signed in", func(b *bank, p *person, _ string) { p.signIn(p.get(b.url+"/login"), "ben") }},
		{"once the interaction has run out", func(b *bank, p *person, _ string) { b.clock.pass(30 * time.Minute) }},
		{"once the consent was revoked", func(b *bank, p *person, id string) {
			_, err := b.Consents.Execute(b.t.Context(), event.Meta{}, id, consent.Revoke{Revoked: consent.Revoked{By: consent.Bank}})
			b.must(err)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			opener, p := b.push(), b.person()
			page := p.signIn(p.get(opener), "alice")
			p.press(page, "approve", "account", "acc-1")
			decided := p.press(page, "approve", "account", "acc-1")
			if decided.status != http.StatusConflict || !decided.has(`id="continue"`) {
				t.Fatalf("a second yes got %d", decided.status)
			}
			state, before := b.journey(opener)
			tt.change(b, p, state.Grant().Consent)
			refused := p.press(decided, "continue")
			if refused.status != http.StatusConflict || refused.has(`id="continue"`) {
				t.Errorf("got %d:\n%s", refused.status, refused.body)
			}
			if _, after := b.journey(opener); len(after) != len(before) {
				t.Errorf("the log has %v", after)
			}
		})
	}
}

// A request that was declined has nothing to go on with.
func TestDeclinedIsFinal(t *testing.T) {
	b := newBank(t)
	p := b.person()
	page := p.signIn(p.get(b.push()), "alice")
	p.press(page, "cancel")
	if got := p.press(page, "approve", "account", "acc-1"); got.status != http.StatusConflict || got.has(`id="continue"`) {
		t.Errorf("got %d", got.status)
	}
	if got := p.get(b.url + "/interaction?i=" + p.ticketOf(page)); got.status != http.StatusOK || !got.has("already been decided") {
		t.Errorf("reloaded it got %d", got.status)
	}
}
