package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/subject"
)

func TestJourney(t *testing.T) {
	to := newTown(t)
	got := members(t, to.redeem(to.approve(to.push())))
	if got["access_token"] == nil || got["refresh_token"] == nil || got["id_token"] == nil {
		t.Errorf("got %v", got)
	}
}

// A journey's id is in its request_uri and on its page, so it is no secret: who
// has only that learns nothing about what was granted.
func TestACodeTellsNothingBeforeItIsProved(t *testing.T) {
	to := newTown(t)
	code := to.approve(to.push())
	guess := code[:22] + strings.Repeat("A", 42)
	detail := func(permissions, account string) string {
		return `[{"type":"account_information","permissions":["` + permissions + `"],"accounts":["` + account + `"]}]`
	}
	tests := []struct {
		name, as, code string
		fields         []string
	}{
		{"who guesses an account that was granted", "rival", guess, []string{"authorization_details", detail("ReadAccounts", zeldaAccount)}},
		{"or one that was not", "rival", guess, []string{"authorization_details", detail("ReadAccounts", "zq-acct-9953")}},
		{"or nonsense", "rival", guess, []string{"authorization_details", "[]"}},
		{"or a resource", "rival", guess, []string{"resource", "https://elsewhere.example"}},
		{"the client itself, without the secret", "budgetly", guess, []string{"authorization_details", detail("ReadAccounts", "zq-acct-9953")}},
		{"another client with the whole code", "rival", code, []string{"authorization_details", detail("ReadAccounts", "zq-acct-9953")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := to.post(tt.as, "/token", append([]string{
				"grant_type", "authorization_code", "code", tt.code, "redirect_uri", clientBack, "code_verifier", verifier,
			}, tt.fields...)...)
			if got := members(t, w); w.Code != http.StatusBadRequest || got["error"] != "invalid_grant" {
				t.Errorf("got %d %v", w.Code, got)
			}
		})
	}
}

// Whose personal data are gone is sent no more of them, whatever became of the
// consent.
func TestACodeOfSomebodyErasedIsNoGood(t *testing.T) {
	to := newTown(t)
	code := to.approve(to.push("login_hint", zeldaLogin)) // sealed
	_, err := to.Subjects.Execute(t.Context(), event.Meta{}, alice, subject.Erase{Erased: subject.Erased{Reason: "asked for"}})
	to.must(err)
	if got := members(t, to.redeem(code)); got["error"] != "invalid_grant" {
		t.Errorf("before the key is gone: got %v", got)
	}
	for _, holder := range to.holders() {
		to.keys.Destroy(holder)
	}
	for _, fields := range [][]string{nil, {"code_verifier", "", "redirect_uri", ""}} {
		if got := members(t, to.redeem(code, fields...)); got["error"] != "invalid_grant" {
			t.Errorf("after: got %v", got)
		}
	}
}

// What can fail fails before the code is spent.
func TestACodeOutlivesADirectoryThatFails(t *testing.T) {
	to := newTown(t)
	code := to.approve(to.push("claims", `{"id_token":{"phone_number":null}}`))
	to.silent = true
	if w := to.redeem(code); w.Code != http.StatusInternalServerError {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	to.silent = false
	if w := to.redeem(code); w.Code != http.StatusOK {
		t.Errorf("again: got %d %s", w.Code, w.Body)
	}
}
