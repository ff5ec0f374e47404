package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/consent"
)

var yes = []string{"password", "alice", "account", "acc-1"}

func TestButtonsOfThePhone(t *testing.T) {
	tests := []struct {
		name   string
		button string
		fields []string
		says   string
		log    string
		flags  int
	}{
		{"a yes", "approve", yes, "You have approved this request", "requested shown approved", 0},
		{"a no", "deny", nil, "You have denied this request", "requested shown denied", 0},
		{"it was somebody else", "not-me", nil, "this was not you", "requested shown denied", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			id := b.till()
			p, page := b.phone(id)
			got := p.press(page, tt.button, tt.fields...)
			if got.status != http.StatusOK || !got.has(tt.says) || !got.has("put the phone away") {
				t.Errorf("got %d:\n%s", got.status, got.body)
			}
			state, types := b.told(id)
			if strings.Join(types, " ") != tt.log {
				t.Errorf("the log has %v", types)
			}
			if state.Denied().NotMe != (tt.flags > 0) || len(b.flags("budgetly")) != tt.flags {
				t.Errorf("flagged for %v, %+v", b.flags("budgetly"), state.Denied())
			}
			if again := p.get(b.url + "/device/" + id); again.body != got.body {
				t.Error("a reload says something else")
			}
			late := p.press(page, tt.button, tt.fields...)
			if late.status != http.StatusConflict || !late.has("came too late") || !late.has(tt.says) || len(b.flags("budgetly")) != tt.flags {
				t.Errorf("pressed again: got %d:\n%s", late.status, late.body)
			}
		})
	}
}

// A yes leads to a consent like any other, with what was shown as evidence.
func TestEvidenceOfTheYes(t *testing.T) {
	b := newBank(t)
	id := b.till()
	p, page := b.phone(id)
	p.press(page, "approve", yes...)
	state, _ := b.told(id)
	approved := state.Approved()
	var given consent.Authorized
	for e, err := range b.Journal.Read(t.Context(), b.Consents.Stream(approved.Consent)) {
		b.must(err)
		given = e.Body.(consent.Authorized)
		if e.Metadata.Subject != "alice" || e.Metadata.Correlation != "backchannel-"+id || e.Metadata.Session == "" {
			t.Errorf("metadata %+v", e.Metadata)
		}
	}
	if given.Backchannel != id || given.Message != "W4SCT" || given.Client != "budgetly" || given.Subject != "alice" || given.ACR != ACRPassword {
		t.Errorf("the consent is %+v", given)
	}
	if !page.has(given.Rendered) || hashOf(given.Rendered) != given.Shown || given.Shown != approved.Shown || !strings.Contains(given.Rendered, "W4SCT") {
		t.Errorf("the consent is of\n%s", given.Rendered)
	}
	if approved.Method != backchannel.Password || !approved.AuthTime.Equal(b.clock.Now()) || !slices.Equal(given.Details[0].Accounts, []string{"acc-1"}) {
		t.Errorf("approved as %+v", approved)
	}
}

// Looking again records nothing new unless it reads otherwise, and who is sent
// no page has seen none.
func TestShownOnce(t *testing.T) {
	b := newBank(t)
	id := b.till()
	p, _ := b.phone(b.till())
	if w, err := p.http.Head(b.url + "/device/" + id); err != nil || w.StatusCode != http.StatusOK {
		t.Errorf("got %v, %v", w, err)
	}
	if _, types := b.told(id); len(types) != 1 {
		t.Errorf("the log has %v", types)
	}
	p.get(b.url + "/device/" + id)
	b.clock.pass(time.Minute)
	p.get(b.url + "/device/" + id)
	if _, types := b.told(id); len(types) != 2 {
		t.Errorf("the log has %v", types)
	}
	b.desk.accounts["alice"] = twoAccounts[:1]
	p.get(b.url + "/device/" + id)
	if _, types := b.told(id); len(types) != 3 {
		t.Errorf("the log has %v", types)
	}
}

func TestWhatThePhoneDoesNotTake(t *testing.T) {
	changed := func(b *bank) {
		b.desk.accounts["alice"] = []Account{{"acc-1", "Old savings", "•••• 1111", "EUR"}, twoAccounts[1]}
	}
	tests := []struct {
		name   string
		before func(b *bank)
		fields []string
		status int
		says   string
	}{
		{"a wrong password", nil, []string{"password", "guess", "account", "acc-1"}, http.StatusBadRequest, "The password is not right"},
		{"no password", nil, []string{"account", "acc-1"}, http.StatusBadRequest, "The password is not right"},
		{"one guess after the other", func(b *bank) { b.desk.wait = 3 * time.Second }, yes, http.StatusTooManyRequests, "try again in 3 seconds"},
		{"no account", nil, []string{"password", "alice"}, http.StatusBadRequest, "choose at least one account, or deny"},
		{"somebody else's account", nil, []string{"password", "alice", "account", "acc-9"}, http.StatusBadRequest, "choose at least one account"},
		{"what reads otherwise by now", changed, yes, http.StatusConflict, "read it again"},
		{"another text than was shown", nil, []string{"password", "alice", "account", "acc-1", "shown", "x"}, http.StatusBadRequest, "sent more than once"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			id := b.till()
			p, page := b.phone(id)
			if tt.before != nil {
				tt.before(b)
			}
			got := p.press(page, "approve", tt.fields...)
			if got.status != tt.status || !got.has(tt.says) {
				t.Fatalf("got %d:\n%s", got.status, got.body)
			}
			if state, _ := b.told(id); state.Decided() {
				t.Error("it counts")
			}
			if b.desk.wait = 0; got.has(`id="approve"`) {
				if done := p.press(got, "approve", yes...); !done.has("You have approved") {
					t.Errorf("put right: got %d:\n%s", done.status, done.body)
				}
			}
		})
	}
}

// A wrong password is a failed sign-in also where somebody is signed in.
func TestGuessesOnThePhoneAreCounted(t *testing.T) {
	b := newBank(t)
	p, page := b.phone(b.till())
	p.press(page, "approve", "password", "guess", "account", "acc-1")
	b.clock.pass(time.Minute)
	b.must(b.FlushRefusals(t.Context(), b.clock.Now()))
	n := 0
	for e, err := range b.Journal.Read(t.Context(), "refusal-alice-2026-03-01") {
		b.must(err)
		n += int(e.Body.(access.Refused).Count)
	}
	if n != 1 {
		t.Errorf("%d failures are in the log", n)
	}
}

// A form whose hash is of nothing that was shown is no yes to anything.
func TestForgedHash(t *testing.T) {
	b := newBank(t)
	id := b.till()
	p, page := b.phone(id)
	state, _ := b.told(id)
	page.body = strings.Replace(page.body, `name="shown" value="`, `name="shown" value="x`, 1)
	got := p.press(page, "approve", yes...)
	if after, types := b.told(id); got.status != http.StatusConflict || after.Decided() || len(types) != 2 || state.Decided() {
		t.Errorf("got %d, the log has %v", got.status, types)
	}
}

func TestTooLate(t *testing.T) {
	for _, button := range []string{"approve", "deny", "not-me"} {
		t.Run(button, func(t *testing.T) {
			b := newBank(t)
			id := b.till()
			p, page := b.phone(id)
			b.clock.pass(2 * time.Minute)
			got := p.press(page, button, yes...)
			if got.status != http.StatusConflict || !got.has("This request has run out") {
				t.Errorf("got %d:\n%s", got.status, got.body)
			}
			if _, types := b.told(id); len(types) != 2 || len(b.flags("budgetly")) > 0 {
				t.Errorf("the log has %v", types)
			}
			if list := p.get(b.url + "/device"); list.has(id) {
				t.Error("it is still on the list")
			}
		})
	}
}

// An answer counts when it has arrived, not when it began to.
func TestAnswerThatTakesItsTime(t *testing.T) {
	for _, button := range []string{"approve", "deny"} {
		b := newBank(t)
		id := b.till()
		p, page := b.phone(id)
		r := p.pressing(page, button, yes...)
		for _, c := range p.http.Jar.Cookies(r.URL) {
			r.AddCookie(c)
		}
		r.Body = &slowly{r.Body, sync.OnceFunc(func() { b.clock.pass(2 * time.Minute) })}
		w := httptest.NewRecorder()
		b.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
		if state, _ := b.told(id); w.Code != http.StatusConflict || state.Decided() {
			t.Errorf("%s: got %d, decided %v", button, w.Code, state.Decided())
		}
	}
}

// slowly is a body during which time passes.
type slowly struct {
	io.ReadCloser
	pass func()
}

func (s *slowly) Read(p []byte) (int, error) {
	s.pass()
	return s.ReadCloser.Read(p)
}

// Other customers' requests do not exist, nor do those that nobody made.
func TestWhoseRequestItIs(t *testing.T) {
	b := newBank(t)
	bens, nobodys := b.till(func(r *backchannel.Requested) { r.Subject = "ben" }), newID()
	p, page := b.phone(b.till())
	for _, id := range []string{bens, nobodys, "x", "..%2f", strings.ToUpper(bens)} {
		if got := p.get(b.url + "/device/" + id); got.status != http.StatusNotFound || got.has("Ben") || got.has(bens) {
			t.Errorf("%s: got %d:\n%s", id, got.status, got.body)
		}
	}
	var answers []string
	reference := regexp.MustCompile(`<dt>Reference</dt>.*`)
	for _, button := range []string{"approve", "deny", "not-me"} {
		for _, id := range []string{bens, nobodys} {
			r := p.pressing(page, button, yes...)
			r.URL.Path = "/north/device/" + id + "/decision"
			got := p.send(r)
			if got.status != http.StatusNotFound {
				t.Errorf("%s: got %d", button, got.status)
			}
			answers = append(answers, reference.ReplaceAllString(got.body, ""))
		}
	}
	if len(slices.Compact(answers)) != 1 {
		t.Error("whether a request exists can be told")
	}
	if state, _ := b.told(bens); state.Decided() {
		t.Error("Alice answered for Ben")
	}
	if list := p.get(b.url + "/device"); list.has(bens) {
		t.Error("Alice sees Ben's request")
	}
}

// What a client writes is text, wherever it is shown.
func TestInertMessage(t *testing.T) {
	b := newBank(t)
	const evil = `<script>alert(1)</script>"><img src=x onerror=alert(1)>`
	id := b.till(func(r *backchannel.Requested) { r.BindingMessage = evil })
	_, page := b.phone(id)
	if page.has("<script>alert") || page.has("<img") || !page.has("&lt;script&gt;alert(1)") {
		t.Errorf("got\n%s", page.body)
	}
}

func TestFormOfAnotherSite(t *testing.T) {
	b := newBank(t)
	id := b.till()
	p, page := b.phone(id)
	for _, button := range []string{"approve", "deny", "not-me"} {
		r := p.pressing(page, button, yes...)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if got := p.send(r); got.status != http.StatusForbidden {
			t.Errorf("%s: got %d", button, got.status)
		}
	}
	if state, _ := b.told(id); state.Decided() {
		t.Error("it counts")
	}
}

// A request that nothing could be approved of is denied at once.
func TestNothingToApprove(t *testing.T) {
	b := newBank(t)
	b.desk.accounts["alice"] = nil
	id := b.till()
	_, page := b.phone(id)
	if state, _ := b.told(id); !page.has("no account that can be shared") || state.Denied().By != backchannel.System {
		t.Errorf("denied %+v, got %d:\n%s", state.Denied(), page.status, page.body)
	}
}

// A yes that a crash left without its consent is completed by looking at it.
func TestPhoneCompletesAfterACrash(t *testing.T) {
	b := newBank(t)
	id := b.till()
	p, page := b.phone(id)
	b.log.dieAfter(1)
	if got := p.press(page, "approve", yes...); got.status < 500 {
		t.Fatalf("got %d", got.status)
	}
	state, _ := b.told(id)
	if given, _, err := b.Consents.Load(t.Context(), state.Approved().Consent); err != nil || given.Status() != consent.Nothing {
		t.Fatalf("%v, %v", given.Status(), err)
	}
	if got := p.get(b.url + "/device/" + id); !got.has("You have approved") {
		t.Errorf("got %d:\n%s", got.status, got.body)
	}
	if given, _, err := b.Consents.Load(t.Context(), state.Approved().Consent); err != nil || !given.Alive(b.clock.Now()) {
		t.Errorf("%v, %v", given.Status(), err)
	}
}

func TestRacersOnPhones(t *testing.T) {
	tests := []struct {
		name    string
		buttons []string
	}{
		{"eight yes", slices.Repeat([]string{"approve"}, 8)},
		{"yes against no", []string{"approve", "deny", "approve", "not-me"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			id := b.till()
			p, page := b.phone(id)
			var requests []*http.Request
			for _, button := range tt.buttons {
				requests = append(requests, p.pressing(page, button, yes...))
			}
			winners := 0
			for _, s := range p.together(requests...) {
				if s.status == http.StatusOK {
					winners++
				} else if s.status != http.StatusConflict || !s.has("came too late") {
					t.Errorf("a loser got %d:\n%s", s.status, s.body)
				}
			}
			state, types := b.told(id)
			if winners != 1 || len(types) != 3 {
				t.Errorf("%d winners, the log has %v", winners, types)
			}
			consents, err := b.desk.Consents(t.Context(), "alice")
			b.must(err)
			if got := len(consents); got > 1 || (got == 1) != (state.Approved().Consent != "") {
				t.Errorf("%d consents", got)
			}
		})
	}
}

func TestOvertakenOnPhones(t *testing.T) {
	tests := []struct{ name, first, overtaking, says string }{
		{"a yes by a yes", "approve", "approve", "You have approved"},
		{"a yes by a no", "approve", "deny", "You have denied"},
		{"a no by a yes", "deny", "approve", "You have approved"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			p, page := b.phone(b.till())
			b.log.meanwhile(func() { p.press(page, tt.overtaking, yes...) })
			if lost := p.press(page, tt.first, yes...); lost.status != http.StatusConflict || !lost.has(tt.says) {
				t.Errorf("the loser got %d:\n%s", lost.status, lost.body)
			}
		})
	}
}

// The first of a client that was suspended meanwhile is not approved.
func TestSuspendedMeanwhile(t *testing.T) {
	b := newBank(t)
	id := b.till()
	p, page := b.phone(id)
	b.suspend("budgetly")
	got := p.press(page, "approve", yes...)
	if state, _ := b.told(id); got.status != http.StatusBadRequest || state.Decided() {
		t.Errorf("got %d:\n%s", got.status, got.body)
	}
}
