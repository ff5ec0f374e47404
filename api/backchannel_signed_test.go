package api_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// The rows follow the modules of the conformance suite (CIBA, Section 7.1.1).
func TestSignedBackchannelRequests(t *testing.T) {
	minutes := func(n int64) int64 { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC).Unix() + 60*n }
	type claims = map[string]any
	tests := []struct {
		name   string
		change claims
		code   oauth.Code
		by     string
	}{
		{"a good request", nil, "", ""},
		{"requested_expiry as a string", claims{"requested_expiry": "30"}, "", ""},
		{"everything as JSON", claims{
			"authorization_details": []any{claims{"type": "account_information", "permissions": []string{"ReadBalances"}}},
			"request_context":       claims{"till": 3}, "resource": []string{siteBank}, "requested_expiry": 30, "acr_values": "urn:a",
		}, "", ""},
		{"scopes in another order", claims{"scope": "accounts openid"}, "", ""},
		{"a claim that nobody knows", claims{"odd": 1, "prompt": "none"}, "", ""},

		{"no aud", claims{"aud": nil}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"a bad aud", claims{"aud": "https://other.example"}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"no iss", claims{"iss": nil}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"a bad iss", claims{"iss": "other-till"}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"another client_id", claims{"client_id": "other-till"}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"no exp", claims{"exp": nil}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"an exp that has passed", claims{"exp": minutes(-5), "nbf": minutes(-10)}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"an exp 70 minutes ahead", claims{"exp": minutes(70)}, oauth.InvalidRequest, "FAPI-CIBA-ID1 §5.2.2-9"},
		{"no iat", claims{"iat": nil}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"no nbf", claims{"nbf": nil}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"an nbf 10 minutes ahead", claims{"nbf": minutes(10), "exp": minutes(15)}, oauth.InvalidRequest, "FAPI2-SP §5.3.2.1-2.13"},
		{"an nbf 70 minutes ago", claims{"nbf": minutes(-70)}, oauth.InvalidRequest, "FAPI-CIBA-ID1 §5.2.2-9"},
		{"no jti", claims{"jti": nil}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"a jti without end", claims{"jti": strings.Repeat("j", 257)}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"an exp that is text", claims{"exp": "soon"}, oauth.InvalidRequest, "CIBA §7.1.1"},

		{"no hint", claims{"login_hint": nil}, oauth.InvalidRequest, "CIBA §7.1"},
		{"two hints", claims{"id_token_hint": "e30"}, oauth.InvalidRequest, "CIBA §7.1"},
		{"a hint that is a number", claims{"login_hint": 7}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"details as a string", claims{"authorization_details": accountDetails}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"a context as a string", claims{"request_context": "{}"}, oauth.InvalidRequest, "CIBA §7.1.1"},
		{"neither message nor details", claims{"binding_message": nil}, oauth.InvalidRequest, "FAPI-CIBA-ID1 §5.2.2-2"},
		{"no token to be called with", claims{"client_notification_token": nil}, oauth.InvalidRequest, "CIBA §7.1"},
		{"an expiry of nothing", claims{"requested_expiry": 0}, oauth.InvalidRequest, "CIBA §7.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCounter(t)
			r := c.signed("till", "till", c.claims("till", tt.change))
			if tt.code != "" {
				c.refuses(r, 400, tt.code, tt.by)
			} else if w := c.serve(r); w.Code != http.StatusOK {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

func TestSignaturesOfBackchannelRequests(t *testing.T) {
	c := newCounter(t)
	text := base64.RawURLEncoding
	good := c.sign("till", c.claims("till", nil))
	_, rest, _ := strings.Cut(good, ".")
	payload, _, _ := strings.Cut(rest, ".")
	for name, compact := range map[string]string{
		"another client's key": c.sign("other-till", c.claims("till", nil)),
		"no signature":         text.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload + ".",
		"RS256":                text.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + rest,
		"changed claims":       strings.Replace(good, payload, payload[:len(payload)-4]+"AAAA", 1),
		"no JWT":               "e30",
		"an encrypted one":     "e30.e30.e30.e30.e30",
	} {
		t.Run(name, func(t *testing.T) {
			c.T = t
			c.refuses(c.form("till", url.Values{"request": {compact}}), 400, oauth.InvalidRequest, "CIBA §7.1.1")
		})
	}
}

// Nothing of the request may stand beside the signed one, even if it says the
// same.
func TestParametersBesideASignedRequest(t *testing.T) {
	for _, name := range []string{"scope", "login_hint", "binding_message", "client_notification_token", "resource", "requested_expiry"} {
		c := newCounter(t)
		r := c.form("till", url.Values{"request": {c.sign("till", c.claims("till", nil))}}, name, "openid")
		c.refuses(r, 400, oauth.InvalidRequest, "CIBA §7.1.1")
	}
	c := newCounter(t)
	c.refuses(c.form("till", url.Values{"request": {c.sign("till", c.claims("till", nil))}, "resource": {"", siteBank}}), 400, oauth.InvalidRequest, "CIBA §7.1.1")
	r := c.form("till", url.Values{"request": {c.sign("till", c.claims("till", nil))}, "client_id": {"till"}, "odd": {"o"}})
	if w := c.serve(r); w.Code != http.StatusOK {
		t.Errorf("what proves the client: %d %s", w.Code, w.Body)
	}
}

// A signed request is good once; one that was refused may be sent again.
func TestASignedRequestIsGoodOnce(t *testing.T) {
	c := newCounter(t)
	compact := c.sign("till", c.claims("till", nil))
	c.limited = map[string]time.Duration{"subject:zelda-fapi": time.Second}
	c.refuses(c.form("till", url.Values{"request": {compact}}), 403, oauth.AccessDenied, "CIBA §13")
	c.limited = nil
	if w := c.serve(c.form("till", url.Values{"request": {compact}})); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	clear(c.waiting.kept)
	c.refuses(c.form("till", url.Values{"request": {compact}}), 400, oauth.InvalidRequest, "CIBA §7.1.1")
	if !slices.Equal(c.requests(), c.requests()[:1]) {
		t.Errorf("recorded %v", c.requests())
	}
}

// The signed request is kept as it came, and the key that signed it is named.
func TestASignedRequestIsEvidence(t *testing.T) {
	c := newCounter(t)
	c.keyring["till for requests"] = newKey(t) // another than its assertions are signed with
	compact := c.sign("till for requests", c.claims("till", map[string]any{"request_context": map[string]any{"till": 3}}))
	if w := c.serve(c.form("till", url.Values{"request": {compact}})); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	e := c.recorded()
	known, _, err := c.Clients.Get(t.Context(), "till")
	c.must(err)
	if !strings.Contains(e.Body, "request="+compact) || e.RequestKey == "" || !known.Knows(e.RequestKey) || string(e.Context) != `{"till":3}` {
		t.Errorf("recorded %+v", e)
	}
}
