package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/chirograph/chirograph/domain/event"
)

func registering(to *town) (func() bool, func(bool, int)) {
	initial, err := to.NewInitialAccessToken(to.Context(), event.Meta{}, "fapi2", 1e12)
	to.must(err)
	var got map[string]any
	register := func() bool {
		w := to.manage("POST", siteURL+"/register", initial, metadata())
		got = members(to.T, w)
		return w.Code == http.StatusCreated
	}
	return register, func(answered bool, _ int) {
		if !answered && (got["registration_access_token"] != nil || !register()) {
			to.Fatalf("got %v", got)
		}
		w := to.manage("GET", got["registration_client_uri"].(string), got["registration_access_token"].(string), "")
		if w.Code != http.StatusOK {
			to.Errorf("the client is not known: %d %s", w.Code, w.Body)
		}
	}
}

// registered returns where a new client is managed, its id and its token.
func (to *town) registered() (address, id, token string) {
	to.Helper()
	initial, err := to.NewInitialAccessToken(to.Context(), event.Meta{}, "fapi2", 1e12)
	to.must(err)
	got := members(to.T, to.manage("POST", siteURL+"/register", initial, metadata()))
	return got["registration_client_uri"].(string), got["client_id"].(string), got["registration_access_token"].(string)
}

func changing(to *town) (func() bool, func(bool, int)) {
	address, id, token := to.registered()
	change := func() bool {
		return to.manage("PUT", address, token, metadata("client_id", `"`+id+`"`, "client_name", `"Changed"`)).Code == http.StatusOK
	}
	return change, func(answered bool, _ int) {
		if !answered && !change() {
			to.Fatal("it cannot be changed again")
		}
		if got := members(to.T, to.manage("GET", address, token, "")); got["client_name"] != "Changed" {
			to.Errorf("got %v", got)
		}
	}
}

func leaving(to *town) (func() bool, func(bool, int)) {
	address, _, token := to.registered()
	leave := func() bool { return to.manage("DELETE", address, token, "").Code == http.StatusNoContent }
	return leave, func(answered bool, written int) {
		if !answered && leave() != (written == 0) {
			to.Error("it cannot leave, or twice")
		}
		if w := to.manage("GET", address, token, ""); w.Code != http.StatusUnauthorized {
			to.Errorf("it is still known: %d", w.Code)
		}
	}
}

// manage sends what a client says about itself.
func (to *town) manage(method, address, token, body string) *httptest.ResponseRecorder {
	to.Helper()
	r := httptest.NewRequest(method, address, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	return to.serve(r)
}

func stopping(to *town) (func() bool, func(bool, int)) {
	code := to.approve(to.push())
	got := members(to.T, to.redeem(code))
	state, _, err := to.Authorizations.Load(to.Context(), idOf(code))
	to.must(err)
	path := siteURL + "/my/consents/" + state.Grant().Consent
	stop := func() bool {
		page, _ := to.browse("POST", path+"/revoke", url.Values{})
		return page.Code == http.StatusOK
	}
	return stop, func(answered bool, written int) {
		page, _ := to.browse("GET", path, nil)
		if offered := strings.Contains(page.Body.String(), "/revoke"); offered == (written > 0) {
			to.Errorf("her page has: %s", page.Body)
		}
		if to.active(got["access_token"].(string)) == (written > 0) {
			to.Error("the token does not follow the consent")
		}
		if !answered && !stop() {
			to.Error("it cannot be stopped again")
		}
		to.ended(got)
	}
}

func reading(to *town) (func() bool, func(bool, int)) {
	access := members(to.T, to.redeem(to.approve(to.push())))["access_token"].(string)
	read := func() bool {
		w := to.readsBank(access)
		if told := strings.Contains(w.Body.String(), zeldaName); told != (w.Code == http.StatusOK) {
			to.Errorf("got %d %s", w.Code, w.Body)
		}
		return w.Code == http.StatusOK
	}
	return read, func(bool, int) {
		if !read() {
			to.Error("it cannot be read again")
		}
	}
}

func counting(to *town) (func() bool, func(bool, int)) {
	to.push()
	to.post("budgetly", "/token", "grant_type", "password")
	to.post("budgetly", "/token", "grant_type", "client_credentials", "scope", "everything")
	to.pass(60e9)
	flush := func() bool { return to.FlushRefusals(to.Context(), to.Now()) == nil }
	return flush, func(bool, int) {
		if !flush() {
			to.Error("the rest cannot be recorded")
		}
	}
}
