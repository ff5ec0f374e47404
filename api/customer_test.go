package api

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/consent"
)

// linkIn returns the first link on a page to what is below a path of the issuer.
func linkIn(s screen, below string) string {
	_, rest, _ := strings.Cut(s.body, `href="/north`+below)
	id, _, _ := strings.Cut(rest, `"`)
	return below + id
}

func TestOwnConsents(t *testing.T) {
	b := newBank(t)
	p, page, opener := b.consentPage("scope", "openid email accounts")
	p.press(page, "approve", "account", "acc-2")
	state, _ := b.journey(opener)
	id := state.Grant().Consent

	list := p.get(b.url + "/my/consents")
	if !list.has("Budgetly") || !list.has("Active") || linkIn(list, "/my/consents/") != "/my/consents/"+id {
		t.Fatalf("got %d:\n%s", list.status, list.body)
	}
	one := p.get(b.url + "/my/consents/" + id)
	for _, want := range []string{`id="consent"`, `id="revoke"`, "Savings •••• 2222", "Your balances", "Your e-mail address", "Alice gave Budgetly access", id} {
		if !one.has(want) {
			t.Errorf("the consent's page lacks %q:\n%s", want, one.body)
		}
	}
	ask := p.get(b.url + linkIn(one, "/my/consents/"+id+"/"))
	done := p.press(ask, "revoke")
	if done.status != http.StatusOK || !done.has("Sharing has stopped.") || !done.has("Stopped") || done.has(`id="revoke"`) {
		t.Errorf("got %d:\n%s", done.status, done.body)
	}
	given, _, err := b.Consents.Load(t.Context(), id)
	b.must(err)
	if given.Status() != consent.Terminated {
		t.Error("the consent must have ended before the customer is told")
	}
	if again := p.press(ask, "revoke"); again.status != http.StatusOK || !again.has("Sharing has stopped.") {
		t.Errorf("revoked twice got %d", again.status)
	}
	if list := p.get(b.url + "/my/consents"); !list.has(`id="ended"`) || !list.has("Nobody can see your data.") {
		t.Errorf("the list after it:\n%s", list.body)
	}
}

// A customer sees and stops her own consents only.
func TestOthersConsents(t *testing.T) {
	b := newBank(t)
	p, page, opener := b.consentPage()
	p.press(page, "approve", "account", "acc-2")
	state, _ := b.journey(opener)
	path := b.url + "/my/consents/" + state.Grant().Consent
	ask := p.get(path + "/revoke")

	ben := b.person()
	if got := ben.get(path); !got.has(`id="login"`) {
		t.Errorf("a stranger got %d", got.status)
	}
	if got := ben.press(ask, "revoke"); !got.has(`id="login"`) {
		t.Errorf("a stranger who revokes got %d", got.status)
	}
	ben.signIn(ben.get(b.url+"/login"), "ben")
	for _, address := range []string{path, path + "/revoke", b.url + "/my/consents/nothing", b.url + "/my/consents/%00"} {
		if got := ben.get(address); got.status != http.StatusNotFound || !got.has(`id="error"`) {
			t.Errorf("%s: got %d", address, got.status)
		}
	}
	if got := ben.press(ask, "revoke"); got.status != http.StatusNotFound {
		t.Errorf("another customer who revokes got %d", got.status)
	}
	if given, _, _ := b.Consents.Load(t.Context(), state.Grant().Consent); given.Status() != consent.Active {
		t.Error("the consent must stand")
	}
}

// Without its history a consent can still be seen and stopped.
func TestHistoryMissing(t *testing.T) {
	b := newBank(t)
	p, page, opener := b.consentPage()
	p.press(page, "approve", "account", "acc-2")
	state, _ := b.journey(opener)
	b.desk.noPast = errors.New("projection is being rebuilt")
	if one := p.get(b.url + "/my/consents/" + state.Grant().Consent); one.status != http.StatusOK || !one.has(`id="revoke"`) || !one.has("cannot be shown right now") {
		t.Errorf("got %d", one.status)
	}
}
