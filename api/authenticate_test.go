package api_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// slowly is a body that takes its time.
type slowly struct {
	io.ReadCloser
	before func()
}

func (s *slowly) Read(b []byte) (int, error) {
	if s.before != nil {
		s.before()
		s.before = nil
	}
	return s.ReadCloser.Read(b)
}

func TestARequestIsJudgedWhenItIsComplete(t *testing.T) {
	to := newTown(t)
	code := to.approve(to.push())
	r := to.request("budgetly", "/token", "grant_type", "authorization_code", "code", code, "redirect_uri", clientBack, "code_verifier", verifier)
	r.Body = &slowly{r.Body, func() { to.pass(30 * time.Second) }}
	if w := to.serve(r); w.Code != http.StatusOK {
		t.Fatalf("in time: got %d %s", w.Code, w.Body)
	}
	to = newTown(t)
	code = to.approve(to.push())
	assertion, err := jose.NewAssertion(to.keyring["budgetly"], "budgetly", siteURL, to.Now(), 5*time.Minute)
	to.must(err)
	r = to.request("budgetly", "/token", "grant_type", "authorization_code", "code", code, "redirect_uri", clientBack, "code_verifier", verifier, "client_assertion", assertion)
	r.Body = &slowly{r.Body, func() { to.pass(61 * time.Second) }}
	if w := to.serve(r); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "the code has expired") {
		t.Errorf("too late: got %d %s", w.Code, w.Body)
	}
}

// Nobody uses up the limit of a client but the client.
func TestAClientsLimitIsItsOwn(t *testing.T) {
	to := newTown(t)
	to.limited = map[string]time.Duration{"client:budgetly": time.Second}
	if w := to.post("budgetly", "/token", "grant_type", "client_credentials"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" {
		t.Errorf("the client: got %d %v", w.Code, w.Header())
	}
	if w := to.post("budgetly", "/token", "grant_type", "client_credentials", "client_assertion", "a.b.c"); w.Code != http.StatusUnauthorized {
		t.Errorf("somebody else: got %d %s", w.Code, w.Body)
	}
}

func TestAnAssertionThatIssuedATokenRevokesNone(t *testing.T) {
	to := newTown(t)
	got := members(t, to.redeem(to.approve(to.push())))
	first := to.request("budgetly", "/token", "grant_type", "client_credentials")
	assertion := assertionOf(t, first)
	if w := to.serve(first); w.Code != http.StatusOK {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	for _, kind := range []string{"refresh_token", "access_token"} {
		w := to.post("budgetly", "/revoke", "client_assertion", assertion, "token", got[kind].(string))
		if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "was used before") {
			t.Errorf("%s: got %d %s", kind, w.Code, w.Body)
		}
	}
	if w := to.post("budgetly", "/token", "grant_type", "refresh_token", "refresh_token", got["refresh_token"].(string)); w.Code != http.StatusOK {
		t.Errorf("the refresh token: %d %s", w.Code, w.Body)
	}
}

func assertionOf(t *testing.T, r *http.Request) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	for pair := range strings.SplitSeq(string(body), "&") {
		if value, found := strings.CutPrefix(pair, "client_assertion="); found {
			return value
		}
	}
	t.Fatal("there is no assertion")
	return ""
}

// A client that replays a code and leaves does not keep its tokens.
func TestAReplayIsPunishedThoughTheClientLeft(t *testing.T) {
	to := newTown(t)
	code := to.approve(to.push())
	got := members(t, to.redeem(code))
	ctx, leave := context.WithCancel(t.Context())
	stop := to.memory.Observe(func(events []eventstore.Event) {
		if events[0].Type == "token.revoked" {
			leave()
		}
	})
	defer stop()
	r := to.request("budgetly", "/token", "grant_type", "authorization_code", "code", code, "redirect_uri", clientBack, "code_verifier", verifier)
	to.serve(r.WithContext(ctx))
	if ctx.Err() == nil {
		t.Fatal("the replay was not seen")
	}
	a, _, err := to.Refreshes.Load(t.Context(), idOf(got["refresh_token"].(string)))
	if err != nil || !a.Revoked() {
		t.Errorf("the refresh token is not revoked: %v", err)
	}
}

func TestRefusalsThatCouldNotBeRecordedAreKept(t *testing.T) {
	to := newTown(t)
	for _, as := range []string{"budgetly", "rival"} {
		to.post(as, "/token", "grant_type", "password")
	}
	to.pass(time.Minute)
	to.faults.Plan(storetest.Refused)
	if err := to.FlushRefusals(t.Context(), to.Now()); err == nil {
		t.Fatal("a halted log took them")
	}
	to.must(to.FlushRefusals(t.Context(), to.Now()))
	counted := 0
	for _, err := range to.Journal.ReadAll(t.Context(), 0, eventstore.Filter{Types: []string{"refusal.counted"}}) {
		to.must(err)
		counted++
	}
	if counted != 2 {
		t.Errorf("%d refusals are in the log, want 2", counted)
	}
}
