package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// flows are all that append. The order is what makes a stop at any point safe:
// what decides comes first, and what it names follows.
var flows = []flow{
	{"a request is pushed", []string{"client.key_seen", "authorization.pushed"}, pushing},
	{"a browser is bound", []string{"authorization.subject_authenticated"}, binding},
	{"a customer approves", []string{"authorization.granted", "consent.authorized", "authorization.code_issued"}, approving},
	{"an approval is completed from the yes on", []string{"consent.authorized", "authorization.code_issued"}, completing(1)},
	{"an approval is completed from the consent on", []string{"authorization.code_issued"}, completing(2)},
	{"a customer declines", []string{"authorization.denied"}, declining},
	{"a code is redeemed", []string{"authorization.code_redeemed", "token.issued", "refresh.issued"}, redeeming},
	{"a code is replayed", []string{"token.revoked", "refresh.revoked", "authorization.code_replayed"}, replaying(3)},
	{"a code is replayed before its refresh token is issued", []string{"token.revoked", "refresh.revoked", "authorization.code_replayed"}, replaying(2)},
	{"a code is replayed before its token is issued", []string{"token.revoked", "refresh.revoked", "authorization.code_replayed"}, replaying(1)},
	{"a token is refreshed", []string{"token.issued"}, refreshing},
	{"a client gets a token for itself", []string{"token.issued"}, forItself},
	{"a refresh token is revoked", []string{"refresh.revoked"}, revoking("refresh_token")},
	{"an access token is revoked", []string{"token.revoked"}, revoking("access_token")},
	{"a client registers", []string{"client.registered"}, registering},
	{"a client changes its registration", []string{"client.updated"}, changing},
	{"a client leaves", []string{"client.deleted"}, leaving},
	{"a customer stops sharing", []string{"consent.revoked"}, stopping},
	{"the bank is read", []string{"access.recorded"}, reading},
	{"refusals are counted", []string{"refusal.counted", "refusal.counted"}, counting},
}

func pushing(to *town) (func() bool, func(bool, int)) {
	uri := ""
	return func() bool {
			w := to.post("budgetly", "/par", requestFields...)
			uri, _ = members(to.T, w)["request_uri"].(string)
			return w.Code == http.StatusCreated && uri != ""
		}, func(answered bool, _ int) {
			if (uri != "") != answered {
				to.Errorf("a request_uri of a request that was refused: %q", uri)
			}
			if !answered {
				uri = to.push()
			}
			to.wholly(to.approve(uri))
			if page, _ := to.open(uri); page.Code != http.StatusBadRequest {
				to.Errorf("the request_uri opens again: %d", page.Code)
			}
		}
}

func binding(to *town) (func() bool, func(bool, int)) {
	uri := to.push()
	login, _ := to.open(uri)
	return func() bool {
			page, _ := to.browse("POST", siteURL+"/interaction/login", fields(login, "user", zeldaLogin, "password", zeldaPassword))
			return strings.Contains(page.Body.String(), `id="consent"`)
		}, func(bool, int) {
			to.wholly(to.approve(uri))
		}
}

// consentPage is where Zelda can answer, and the address of it.
func (to *town) consentPage() (page *httptest.ResponseRecorder, again string) {
	to.Helper()
	page, _ = to.open(to.push())
	if strings.Contains(page.Body.String(), `id="password"`) {
		page, _ = to.browse("POST", siteURL+"/interaction/login", fields(page, "user", zeldaLogin, "password", zeldaPassword))
	}
	return page, siteURL + "/interaction?i=" + fields(page).Get("i")
}

// answer presses a button and returns the code, if there is one.
func (to *town) answer(page *httptest.ResponseRecorder, decision string) (code, refusal string) {
	to.Helper()
	path := "/decision"
	if decision == "continue" {
		path = "/continue"
	}
	_, left := to.browse("POST", siteURL+"/interaction"+path, fields(page, "decision", decision, "account", zeldaAccount))
	if left == nil {
		return "", ""
	}
	return left.Query().Get("code"), left.Query().Get("error")
}

// afterReload is what a customer does who saw no answer.
func (to *town) afterReload(address string) string {
	to.Helper()
	page, _ := to.browse("GET", address, nil)
	button := "approve"
	if strings.Contains(page.Body.String(), `id="continue"`) {
		button = "continue"
	}
	code, _ := to.answer(page, button)
	if code == "" {
		to.Fatalf("she cannot go on: %d %s", page.Code, page.Body)
	}
	return code
}

func approving(to *town) (func() bool, func(bool, int)) {
	page, again := to.consentPage()
	code := ""
	return func() bool {
			code, _ = to.answer(page, "approve")
			return code != ""
		}, func(answered bool, _ int) {
			if !answered {
				code = to.afterReload(again)
			}
			to.wholly(code)
			if late, _ := to.answer(page, "approve"); late != "" {
				to.Error("approved twice")
			}
		}
}

// completing goes on with an approval that was stopped after some appends.
func completing(after int) func(*town) (func() bool, func(bool, int)) {
	return func(to *town) (func() bool, func(bool, int)) {
		page, again := to.consentPage()
		to.cutting(storetest.Cut{At: after, Written: true, Err: errPower}, func() { to.answer(page, "approve") })
		decided, _ := to.browse("GET", again, nil)
		code := ""
		return func() bool {
				code, _ = to.answer(decided, "continue")
				return code != ""
			}, func(answered bool, _ int) {
				if !answered {
					code = to.afterReload(again)
				}
				to.wholly(code)
			}
	}
}

func declining(to *town) (func() bool, func(bool, int)) {
	page, again := to.consentPage()
	return func() bool {
			_, refusal := to.answer(page, "cancel")
			return refusal == "access_denied"
		}, func(_ bool, written int) {
			reloaded, _ := to.browse("GET", again, nil)
			if decided := !strings.Contains(reloaded.Body.String(), `id="approve"`); decided != (written > 0) {
				to.Errorf("reloaded: %d %s", reloaded.Code, reloaded.Body)
			}
			if code, _ := to.answer(page, "approve"); code != "" && written > 0 {
				to.Error("approved after the no")
			}
		}
}

func redeeming(to *town) (func() bool, func(bool, int)) {
	code := to.approve(to.push())
	var got map[string]any
	return func() bool {
			w := to.redeem(code)
			got = members(to.T, w)
			return w.Code == http.StatusOK
		}, func(answered bool, written int) {
			switch {
			case answered:
				to.good(got)
				to.spent(code)
				to.ended(got)
			case got["access_token"] != nil:
				to.Errorf("answered %v", got)
			case written == 0:
				to.wholly(code)
			default:
				to.spent(code)
				to.unissued(idOf(code))
			}
			to.wholly(to.approve(to.push()))
		}
}

// unissued checks that what a code was spent for is good for nothing: nobody
// ever got it.
func (to *town) unissued(journey string) {
	to.Helper()
	state, _, err := to.Authorizations.Load(to.Context(), journey)
	to.must(err)
	access, _, err := to.Tokens.Load(to.Context(), state.Redeemed().Token)
	to.must(err)
	refresh, _, err := to.Refreshes.Load(to.Context(), state.Redeemed().Refresh)
	to.must(err)
	if access.Active(to.Now()) || refresh.Active(to.Now()) {
		to.Error("the replay has not ended what was issued")
	}
}

// replaying presents a code of which so many events were written.
func replaying(after int) func(*town) (func() bool, func(bool, int)) {
	return func(to *town) (func() bool, func(bool, int)) {
		code := to.approve(to.push())
		var got map[string]any
		cut := storetest.Cut{At: after, Written: true, Err: errPower}
		if after == 3 {
			cut = storetest.Cut{}
		}
		to.cutting(cut, func() { got = members(to.T, to.redeem(code)) })
		return func() bool {
				again := members(to.T, to.redeem(code))
				return again["error"] == "invalid_grant"
			}, func(answered bool, _ int) {
				to.spent(code)
				to.unissued(idOf(code))
				if after == 3 {
					to.ended(got)
				}
				state, _, err := to.Authorizations.Load(to.Context(), idOf(code))
				to.must(err)
				if given, _, _ := to.Consents.Load(to.Context(), state.Grant().Consent); given.Status() != consent.Active {
					to.Error("the replay has ended the consent")
				}
			}
	}
}

func refreshing(to *town) (func() bool, func(bool, int)) {
	got := members(to.T, to.redeem(to.approve(to.push())))
	refresh := got["refresh_token"].(string)
	var fresh map[string]any
	return func() bool {
			w := to.refresh(refresh)
			fresh = members(to.T, w)
			return w.Code == http.StatusOK
		}, func(answered bool, _ int) {
			if !answered && fresh["access_token"] != nil {
				to.Errorf("answered %v", fresh)
			}
			if again := members(to.T, to.refresh(refresh)); again["access_token"] == nil || !to.active(again["access_token"].(string)) {
				to.Errorf("again: got %v", again)
			}
			to.post("budgetly", "/revoke", "token", refresh)
			to.ended(got)
			if answered {
				to.ended(fresh)
			}
		}
}

func forItself(to *town) (func() bool, func(bool, int)) {
	to.push() // so that its key is known
	ask := func() map[string]any {
		return members(to.T, to.post("budgetly", "/token", "grant_type", "client_credentials", "scope", "accounts"))
	}
	var got map[string]any
	return func() bool {
			got = ask()
			return got["access_token"] != nil
		}, func(answered bool, _ int) {
			if !answered {
				got = ask()
			}
			if access, _ := got["access_token"].(string); !to.active(access) {
				to.Errorf("got %v", got)
			}
		}
}

func revoking(kind string) func(*town) (func() bool, func(bool, int)) {
	return func(to *town) (func() bool, func(bool, int)) {
		got := members(to.T, to.redeem(to.approve(to.push())))
		revoke := func() bool {
			return to.post("budgetly", "/revoke", "token", got[kind].(string)).Code == http.StatusOK
		}
		return revoke, func(answered bool, written int) {
			access := got["access_token"].(string)
			if to.active(access) == (written > 0) {
				to.Errorf("active: %v, with %d revocations in the log", to.active(access), written)
			}
			if !answered && !revoke() {
				to.Error("it cannot be revoked again")
			}
			if to.active(access) {
				to.Error("active after the revocation was acknowledged")
			}
			if w := to.refresh(got["refresh_token"].(string)); (w.Code == http.StatusOK) != (kind == "access_token") {
				to.Errorf("refreshed: %d %s", w.Code, w.Body)
			}
		}
	}
}
