package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

func TestHostileParameters(t *testing.T) {
	to := newTown(t)
	pushed := []string{"response_type", "code", "redirect_uri", clientBack, "scope", "accounts", "code_challenge", challenge, "code_challenge_method", "S256"}
	itself := []string{"grant_type", "client_credentials", "scope", "accounts"}
	tests := []struct {
		name, path string
		fields     []string
		raw        string // after the fields
		status     int
		code       string
	}{
		{"what becomes too long in the log", "/par", pushed, "&x=" + strings.Repeat("<", 60<<10), 413, "invalid_request"},
		{"a body that is no UTF-8", "/par", pushed, "&state=\xff\xfe", 400, "invalid_request"},
		{"one that is", "/par", pushed, "&state=caf\u00e9", 201, ""},
		{"a resource said a thousand times", "/token", itself, strings.Repeat("&resource="+url.QueryEscape(siteBank), 1000), 400, "invalid_target"},
		{"twice", "/token", itself, strings.Repeat("&resource="+url.QueryEscape(siteBank), 2), 200, ""},
		{"an empty one, which is none", "/token", itself, "&resource=", 200, ""},
		{"a scope said a thousand times", "/token", append(itself, "scope", strings.Repeat("accounts ", 1000)), "", 200, ""},
		{"with odd spaces", "/token", append(itself, "scope", "accounts\n\u2003accounts"), "", 400, "invalid_scope"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := to.request("budgetly", tt.path, tt.fields...)
			to.append(r, tt.raw)
			w := to.serve(r)
			got := members(t, w)
			code, _ := got["error"].(string)
			if w.Code != tt.status || code != tt.code {
				t.Errorf("got %d, %.200s, want %d %s", w.Code, w.Body.String(), tt.status, tt.code)
			}
			if scope, granted := got["scope"]; granted && scope != "accounts" {
				t.Errorf("the scope is %.100q", scope)
			}
		})
	}
	for e, err := range to.Journal.ReadAll(t.Context(), 0, eventstore.Filter{Types: []string{"token.issued"}}) {
		to.must(err)
		if issued := e.Body.(token.Issued); len(issued.Audience) != 1 || len(e.Data) > 4<<10 {
			t.Errorf("%d bytes for %.100v", len(e.Data), issued.Audience)
		}
	}
}

func TestNarrowingHasLimits(t *testing.T) {
	to := newTown(t)
	got := members(t, to.redeem(to.approve(to.push())))
	refresh := func(fields ...string) (int, map[string]any) {
		w := to.post("budgetly", "/token", append([]string{"grant_type", "refresh_token", "refresh_token", got["refresh_token"].(string)}, fields...)...)
		return w.Code, members(t, w)
	}
	if code, answer := refresh("scope", strings.Repeat("accounts ", 500)); code != http.StatusOK || answer["scope"] != "accounts" {
		t.Errorf("a repeated scope: got %d %.200v", code, answer)
	}
	long, err := json.Marshal([]map[string]any{{"type": "account_information", "permissions": strings.Split(strings.Repeat("ReadAccounts,", 2000)+"ReadAccounts", ",")}})
	to.must(err)
	if code, answer := refresh("authorization_details", string(long)); code != http.StatusBadRequest || answer["error"] != "invalid_authorization_details" {
		t.Errorf("%d bytes of details: got %d %.200v", len(long), code, answer)
	}
}

// A client that leaves while its request is recorded is no failure of ours.
func TestAClientThatLeaves(t *testing.T) {
	to := newTown(t)
	to.faults.Plan(storetest.Slow)
	ctx, leave := context.WithCancel(t.Context())
	r := to.request("budgetly", "/token", "grant_type", "client_credentials").WithContext(ctx)
	leave()
	if w := to.serve(r); w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestHeadIsAnsweredLikeGet(t *testing.T) {
	to := newTown(t)
	web := httptest.NewServer(to.Handler(http.NotFoundHandler()))
	defer web.Close()
	for path, want := range map[string]int{"/jwks": 200, "/.well-known/openid-configuration": 200, "/userinfo": 401, "/authorize": 400, "/login": 200, "/token": 405} {
		r, err := http.NewRequest("HEAD", web.URL+"/fapi2"+path, nil)
		to.must(err)
		r.Host = "as.example"
		w, err := web.Client().Do(r)
		to.must(err)
		body, err := io.ReadAll(w.Body)
		to.must(err)
		w.Body.Close()
		if w.StatusCode != want || len(body) != 0 {
			t.Errorf("%s: got %d and %d bytes, want %d", path, w.StatusCode, len(body), want)
		}
	}
}

// Who has an IPv6 address has 2^64 of them.
func TestALimitIsThatOfANetwork(t *testing.T) {
	to := newTown(t)
	to.limited = map[string]time.Duration{"address:192.0.2.7": time.Second, "address:2001:db8:1:2::/64": time.Second}
	for remote, want := range map[string]int{
		"192.0.2.7:1": 429, "192.0.2.8:1": 200, "[::ffff:192.0.2.7]:1": 429,
		"[2001:db8:1:2::1]:1": 429, "[2001:db8:1:2:3:4:5:6]:1": 429, "[2001:db8:1:3::1]:1": 200,
	} {
		r := httptest.NewRequest("GET", siteURL+"/jwks", nil)
		r.RemoteAddr = remote
		if w := to.serve(r); w.Code != want {
			t.Errorf("%s: got %d, want %d", remote, w.Code, want)
		}
	}
}
