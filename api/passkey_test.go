package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore/storetest"

	"github.com/descope/virtualwebauthn"
)

func TestPasskey(t *testing.T) {
	b := newBranch(t)
	p := b.phone("zelda")
	if w := p.adds(); w.Code != http.StatusSeeOther {
		t.Fatalf("added: %d %s", w.Code, w.Body)
	}
	if page := p.send("GET", "/my/devices", nil); !strings.Contains(page.Body.String(), "My phone") {
		t.Errorf("the list does not have it: %s", page.Body)
	}
	id := b.asks("zelda")
	if w := p.approves(id); w.Code != http.StatusSeeOther {
		t.Fatalf("approved: %d %s", w.Code, w.Body)
	}
	yes := b.approved(id)
	if yes.Method != backchannel.Passkey || yes.ACR != api.ACRPasskey || !slices.Equal(yes.AMR, []string{"hwk", "user", "mfa"}) || len(yes.Details) != 1 {
		t.Errorf("the log says %+v", yes)
	}
	var proof struct {
		Challenge []string        `json:"challenge"`
		Assertion json.RawMessage `json:"assertion"`
		PublicKey string          `json:"public_key"`
	}
	b.must(json.Unmarshal([]byte(yes.Proof), &proof))
	if proof.Challenge[2] != id || proof.Challenge[3] != yes.Shown || proof.PublicKey == "" {
		t.Errorf("the proof is of %v", proof.Challenge)
	}
	if signed := signedChallenge(t, proof.Assertion); signed != challengeOf(proof.Challenge...) {
		t.Errorf("signed is %s, not the hash of %v", signed, proof.Challenge)
	}
	if kept := b.kept("subject-zelda"); !slices.Equal(kept, []string{"subject.enrolled", "subject.credential_bound"}) {
		t.Errorf("the log of the customer is %v", kept)
	}
}

func TestPasskeyRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, p *phone)                                                   // before the page
		forge  func(t *testing.T, p *phone, page *httptest.ResponseRecorder, form url.Values) // before it is sent
		status int
	}{
		{"a page of another site made it", func(_ *testing.T, p *phone) { p.bank.Origin = "https://evil.example" }, nil, 400},
		{"a page of another port made it", func(_ *testing.T, p *phone) { p.bank.Origin = "https://as.example:8443" }, nil, 400},
		{"it is for another bank", func(_ *testing.T, p *phone) { p.bank.ID = "other.example" }, nil, 400},
		{"nobody unlocked it", func(_ *testing.T, p *phone) { p.lock.Options.UserNotVerified = true }, nil, 400},
		{"nobody was there", func(_ *testing.T, p *phone) { p.lock.Options.UserNotPresent = true }, nil, 400},
		{"its counter stands still", func(_ *testing.T, p *phone) { p.key.Counter-- }, nil, 400},
		{"its counter went back", func(_ *testing.T, p *phone) { p.key.Counter -= 3 }, nil, 400},
		{"another key signed", func(_ *testing.T, p *phone) {
			other := newCredential()
			other.ID, other.Counter = p.key.ID, p.key.Counter
			p.key = other
		}, nil, 400},
		{"it is another customer's", func(_ *testing.T, p *phone) {
			ben := p.branch.phone("ben")
			ben.adds()
			p.key = ben.key
		}, nil, 400},
		{"it says that it is another customer's", func(_ *testing.T, p *phone) { p.lock.Options.UserHandle = []byte("ben") }, nil, 400},
		{"it was removed", nil, func(t *testing.T, p *phone, _ *httptest.ResponseRecorder, _ url.Values) {
			list := p.send("GET", "/my/devices", nil)
			p.send("POST", removal.FindStringSubmatch(list.Body.String())[1], nil)
		}, 400},
		{"it signed for another request", nil, func(_ *testing.T, p *phone, _ *httptest.ResponseRecorder, form url.Values) {
			other := p.signs(p.send("GET", "/device/"+p.asks("zelda"), nil))
			form.Set("passkey", other.Get("passkey"))
		}, 400},
		{"its page is of another request", nil, func(_ *testing.T, p *phone, _ *httptest.ResponseRecorder, form url.Values) {
			other := p.signs(p.send("GET", "/device/"+p.asks("zelda"), nil))
			form.Set("ceremony", other.Get("ceremony"))
		}, 400},
		{"something else was shown", nil, func(_ *testing.T, _ *phone, _ *httptest.ResponseRecorder, form url.Values) {
			form.Set("shown", strings.Repeat("A", 43))
		}, 400},
		{"its page was made in another session", nil, func(_ *testing.T, p *phone, _ *httptest.ResponseRecorder, _ url.Values) {
			p.cookies = p.branch.phone("zelda").cookies
		}, 400},
		{"its page was never made", nil, func(_ *testing.T, _ *phone, _ *httptest.ResponseRecorder, form url.Values) {
			form.Set("ceremony", "AAAA")
		}, 400},
		{"it is something else", nil, func(_ *testing.T, _ *phone, _ *httptest.ResponseRecorder, form url.Values) {
			form.Set("passkey", `{"id":"x"}`)
		}, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBranch(t)
			p := b.phone("zelda")
			p.key.Counter = 4
			if w := p.adds(); w.Code != http.StatusSeeOther {
				t.Fatalf("added: %d %s", w.Code, w.Body)
			}
			id := b.asks("zelda")
			if tt.change != nil {
				tt.change(t, p)
			}
			page := p.send("GET", "/device/"+id, nil)
			form := p.signs(page)
			if tt.forge != nil {
				tt.forge(t, p, page, form)
			}
			w := p.send("POST", "/device/"+id+"/decision", form)
			if w.Code != tt.status || b.approved(id).Consent != "" {
				t.Errorf("got %d, approved %+v", w.Code, b.approved(id))
			}
		})
	}
}

// What was signed once approves nothing a second time, and no second request.
func TestPasskeyReplay(t *testing.T) {
	b := newBranch(t)
	p := b.phone("zelda")
	p.adds()
	id := b.asks("zelda")
	form := p.signs(p.send("GET", "/device/"+id, nil))
	if w := p.send("POST", "/device/"+id+"/decision", form); w.Code != http.StatusSeeOther {
		t.Fatalf("approved: %d", w.Code)
	}
	first := b.approved(id)
	if w := p.send("POST", "/device/"+id+"/decision", form); w.Code != http.StatusConflict || b.approved(id).Consent != first.Consent {
		t.Errorf("again: %d", w.Code)
	}
	other := b.asks("zelda")
	p.send("GET", "/device/"+other, nil)
	if w := p.send("POST", "/device/"+other+"/decision", form); w.Code != http.StatusBadRequest || b.approved(other).Consent != "" {
		t.Errorf("of another request: %d", w.Code)
	}
}

func TestPasskeyCeremonyEnds(t *testing.T) {
	b := newBranch(t)
	p := b.phone("zelda")
	page := p.send("GET", "/my/devices", nil)
	asked, err := virtualwebauthn.ParseAttestationOptions(options(page))
	b.must(err)
	form := fields(page, "name", "late", "password", "zelda")
	form.Set("passkey", virtualwebauthn.CreateAttestationResponse(p.bank, p.lock, p.key, *asked))
	b.pass(10 * time.Minute)
	if w := p.send("POST", "/my/devices/passkeys", form); w.Code != http.StatusBadRequest || len(b.store.kept["zelda"]) != 0 {
		t.Errorf("after ten minutes: %d, kept %v", w.Code, b.store.kept)
	}
}

func TestPasskeyRegistration(t *testing.T) {
	tests := []struct {
		name   string
		change func(p *phone)
		said   []string
		status int
	}{
		{"who has just signed in need not say the password again", func(*phone) {}, nil, 303},
		{"who signed in long ago must", func(p *phone) { p.pass(6 * time.Minute) }, nil, 400},
		{"and may", func(p *phone) { p.pass(6 * time.Minute) }, []string{"password", "zelda"}, 303},
		{"not with a wrong one", func(p *phone) { p.pass(6 * time.Minute) }, []string{"password", "ben"}, 400},
		{"not on a page of another site", func(p *phone) { p.bank.Origin = "https://evil.example" }, nil, 400},
		{"not for another bank", func(p *phone) { p.bank.ID = "other.example" }, nil, 400},
		{"not without unlocking it", func(p *phone) { p.lock.Options.UserNotVerified = true }, nil, 400},
		{"not what a customer has already", func(p *phone) { p.adds() }, nil, 400},
		{"not what another customer has", func(p *phone) {
			ben := p.branch.phone("ben")
			ben.adds()
			p.key.ID = ben.key.ID
		}, nil, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBranch(t)
			p := b.phone("zelda")
			tt.change(p)
			before := len(b.kept("subject-zelda"))
			w := p.adds(tt.said...)
			if added := len(b.kept("subject-zelda")) > before; w.Code != tt.status || added != (tt.status == 303) {
				t.Errorf("got %d, added %v: %s", w.Code, added, b.logged.String())
			}
		})
	}
}

// A passkey counts as long as the log says so, and no longer than its customer.
func TestPasskeyEnds(t *testing.T) {
	b := newBranch(t)
	p, ben := b.phone("zelda"), b.phone("ben")
	p.adds()
	list := p.send("GET", "/my/devices", nil)
	path := removal.FindStringSubmatch(list.Body.String())[1]
	if w := ben.send("POST", path, nil); w.Code != http.StatusNotFound {
		t.Errorf("another customer removes it: %d", w.Code)
	}
	if options(p.send("GET", "/device/"+b.asks("zelda"), nil)) == "" {
		t.Error("it is not asked for")
	}
	if w := p.send("POST", path, nil); w.Code != http.StatusSeeOther || len(b.store.kept["zelda"]) != 0 {
		t.Errorf("removed: %d, kept %v", w.Code, b.store.kept)
	}
	if options(p.send("GET", "/device/"+b.asks("zelda"), nil)) != "" {
		t.Error("it is asked for still")
	}
	if kept := b.kept("subject-zelda"); kept[len(kept)-1] != "subject.credential_removed" {
		t.Errorf("the log is %v", kept)
	}
	p.adds()
	_, err := b.Subjects.Execute(t.Context(), event.Meta{Subject: "zelda"}, "zelda", subject.Erase{Erased: subject.Erased{Reason: "asked"}})
	b.must(err)
	if w := p.send("GET", "/my/devices", nil); w.Code != http.StatusSeeOther {
		t.Errorf("who was erased sees %d", w.Code)
	}
}

// What the log does not know does not count, whatever is kept beside it, and
// gives way later.
func TestPasskeyNotInTheLog(t *testing.T) {
	b := newBranch(t)
	p := b.phone("zelda")
	b.faults.Plan(storetest.Refused)
	if w := p.adds(); w.Code < 500 || len(b.store.kept["zelda"]) != 1 {
		t.Fatalf("the log failed: %d, kept %v", w.Code, b.store.kept)
	}
	if page := p.send("GET", "/my/devices", nil); strings.Contains(page.Body.String(), "My phone") {
		t.Error("it is in the list")
	}
	if options(p.send("GET", "/device/"+b.asks("zelda"), nil)) != "" {
		t.Error("it is asked for")
	}
	b.pass(2 * time.Hour)
	p.key = newCredential()
	if w := p.adds("password", "zelda"); w.Code != http.StatusSeeOther || len(b.store.kept["zelda"]) != 1 {
		t.Errorf("a new one: %d, kept %v", w.Code, b.store.kept)
	}
}

var removal = regexp.MustCompile(`action="/ciba(/my/devices/passkeys/[^"]*/remove)"`)
