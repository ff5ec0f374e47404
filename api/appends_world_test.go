package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
)

// requestFields are those of a good pushed request.
var requestFields = []string{
	"response_type", "code", "redirect_uri", clientBack, "scope", "openid accounts", "state", "s-1",
	"code_challenge", challenge, "code_challenge_method", "S256",
}

func (to *town) open(uri string) (*httptest.ResponseRecorder, *url.URL) {
	to.Helper()
	return to.browse("GET", siteURL+"/authorize?"+url.Values{"client_id": {"budgetly"}, "request_uri": {uri}}.Encode(), nil)
}

func (to *town) refresh(refresh string) *httptest.ResponseRecorder {
	to.Helper()
	return to.post("budgetly", "/token", "grant_type", "refresh_token", "refresh_token", refresh)
}

// active asks about an access token as the resource server does.
func (to *town) active(access string) bool {
	to.Helper()
	w := to.post("warehouse", "/introspect", "token", access)
	if w.Code != http.StatusOK {
		to.Fatalf("introspected: %d %s", w.Code, w.Body)
	}
	return members(to.T, w)["active"] == true
}

// good checks that what a code was exchanged for can be used.
func (to *town) good(got map[string]any) {
	to.Helper()
	access, _ := got["access_token"].(string)
	refresh, _ := got["refresh_token"].(string)
	if access == "" || !to.active(access) || to.refresh(refresh).Code != http.StatusOK {
		to.Errorf("not good: %v", got)
	}
}

// ended checks that it can be used no more.
func (to *town) ended(got map[string]any) {
	to.Helper()
	if to.active(got["access_token"].(string)) || to.refresh(got["refresh_token"].(string)).Code != http.StatusBadRequest {
		to.Errorf("not ended: %v", got)
	}
}

// spent checks that a code is good no more.
func (to *town) spent(code string) {
	to.Helper()
	if w := to.redeem(code); w.Code != http.StatusBadRequest || members(to.T, w)["error"] != "invalid_grant" {
		to.Errorf("redeemed again: %d %s", w.Code, w.Body)
	}
}

// wholly takes a code to its end: it is good once, and what it was exchanged
// for is good until it is presented again.
func (to *town) wholly(code string) {
	to.Helper()
	got := members(to.T, to.redeem(code))
	to.good(got)
	to.spent(code)
	to.ended(got)
}
