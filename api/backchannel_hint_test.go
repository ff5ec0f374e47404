package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
)

// idToken is one that the issuer of poller signed, changed by more.
func (c *counter) idToken(more map[string]any) string {
	c.Helper()
	claims := map[string]any{"iss": openURL, "sub": "zelda", "aud": "poller", "iat": c.Now().Unix(), "exp": c.Now().Unix() + 600}
	for name, value := range more {
		claims[name] = value
	}
	raw, err := json.Marshal(claims)
	c.must(err)
	own := c.own
	own.KeyID = "k-ciba"
	compact, err := jose.Sign(own, "JWT", raw)
	c.must(err)
	return compact
}

func TestIDTokenHints(t *testing.T) {
	const day = 24 * 60 * 60
	tests := []struct {
		name   string
		change map[string]any
		code   oauth.Code
		by     string
	}{
		{"a fresh one", nil, "", ""},
		{"one that has expired", map[string]any{"iat": -180 * day, "exp": -179 * day}, "", ""},
		{"one that is too old", map[string]any{"iat": -180*day - 1, "exp": -179 * day}, oauth.InvalidRequest, "CIBA §7.1"},
		{"one of another client", map[string]any{"aud": "pinger"}, oauth.InvalidRequest, "CIBA §7.1"},
		{"one of another issuer", map[string]any{"iss": fapiURL}, oauth.InvalidRequest, "OIDC-Core §3.1.2.1"},
		{"one of a customer of another issuer", map[string]any{"sub": "zelda-fapi"}, oauth.UnknownUserID, "CIBA §13"},
		{"one of nobody", map[string]any{"sub": "nobody"}, oauth.UnknownUserID, "CIBA §13"},
		{"one of what cannot be somebody", map[string]any{"sub": "zeldä"}, oauth.UnknownUserID, "CIBA §13"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCounter(t)
			for _, name := range []string{"iat", "exp"} {
				if ahead, is := tt.change[name].(int); is {
					tt.change[name] = c.Now().Unix() + int64(ahead)
				}
			}
			r := c.asking("poller", "login_hint", "", "id_token_hint", c.idToken(tt.change))
			if tt.code != "" {
				c.refuses(r, 400, tt.code, tt.by)
			} else if w := c.serve(r); w.Code != http.StatusOK || c.recorded().Hint != "id_token_hint" || c.recorded().Subject != "zelda" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	c := newCounter(t)
	stranger := newKey(t)
	stranger.KeyID = "k-ciba"
	forged, err := jose.Sign(stranger, "JWT", []byte(`{"iss":"`+openURL+`","sub":"zelda","aud":"poller"}`))
	c.must(err)
	own := c.own
	own.KeyID = "k-ciba"
	access, err := jose.Sign(own, "at+jwt", []byte(fmt.Sprintf(`{"iss":%q,"sub":"zelda","aud":"poller","iat":%d}`, openURL, c.Now().Unix())))
	c.must(err)
	for _, hint := range []string{forged, access, "zelda", c.idToken(nil) + "x"} {
		c.refuses(c.asking("poller", "login_hint", "", "id_token_hint", hint), 400, oauth.InvalidRequest, "OIDC-Core §3.1.2.1")
	}
}

func TestLoginHintTokens(t *testing.T) {
	tests := []struct {
		name  string
		token api.HintToken
		err   error
		code  oauth.Code
		by    string
	}{
		{"a name", api.HintToken{Login: zeldaLogin}, nil, "", ""},
		{"a subject", api.HintToken{Subject: "zelda"}, nil, "", ""},
		{"an expired one", api.HintToken{}, api.ErrHintExpired, oauth.ExpiredLoginHintToken, "CIBA §13"},
		{"one of a stranger", api.HintToken{}, errors.New("signed by nobody we know"), oauth.InvalidRequest, "CIBA §7.1"},
		{"the name of nobody", api.HintToken{Login: "nobody"}, nil, oauth.UnknownUserID, "CIBA §13"},
		{"nobody at all", api.HintToken{}, nil, oauth.UnknownUserID, "CIBA §13"},
		{"a subject of another issuer", api.HintToken{Subject: "zelda-fapi"}, nil, oauth.UnknownUserID, "CIBA §13"},
		{"a subject without end", api.HintToken{Subject: strings.Repeat("z", 129)}, nil, oauth.UnknownUserID, "CIBA §13"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCounter(t)
			c.hints["the-hint"] = hinted{tt.token, tt.err}
			r := c.asking("poller", "login_hint", "", "login_hint_token", "the-hint")
			if tt.code != "" {
				c.refuses(r, 400, tt.code, tt.by)
			} else if w := c.serve(r); w.Code != http.StatusOK || c.recorded().Hint != "login_hint_token" || c.recorded().Subject != "zelda" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// Whoever cannot be asked is unknown in the same words, after the same look-ups,
// and is not counted as asked.
func TestAllUnknownCustomersLookAlike(t *testing.T) {
	to, log := countingReads(t, "subject")
	c := counterIn(t, to)
	c.limited = map[string]time.Duration{"subject:(nobody)": time.Second, "subject:never": time.Second, "subject:erased": time.Second}
	c.customer("erased", "ciba", false)
	_, err := c.Subjects.Execute(t.Context(), event.Meta{Subject: "erased"}, "erased", subject.Erase{Erased: subject.Erased{Reason: "asked"}})
	c.must(err)
	first := c.ask("poller", "login_hint", "nobody")
	for _, name := range []string{"abroad", "erased", "never", "(nobody)", strings.Repeat("n", 2048)} {
		before := log.reads
		w := c.ask("poller", "login_hint", name)
		if name != "abroad" && name != "erased" && log.reads != before+1 { // those two are remembered
			t.Errorf("%.20s: %d subjects are looked up", name, log.reads-before)
		}
		if w.Code != 400 || w.Body.String() != first.Body.String() || !strings.Contains(w.Body.String(), "unknown_user_id") {
			t.Errorf("%.20s: %d %s, not %s", name, w.Code, w.Body, first.Body)
		}
	}
}

// An issuer for conformance tests asks nobody who is real.
func TestTestsAskNobodyReal(t *testing.T) {
	c := newCounter(t)
	c.issuer("tests", "https://as.example/tests", "openid-ciba-core", issuer.Conformance)
	c.customer("tester", "tests", true)
	c.customer("real", "tests", false)
	c.client("examiner", "tests", oauth.ClientMetadata{DeliveryMode: oauth.Poll})
	if w := c.ask("examiner", "login_hint", "tester"); w.Code != http.StatusOK {
		t.Errorf("a customer made for tests: %d %s", w.Code, w.Body)
	}
	before := len(c.requests())
	w := c.ask("examiner", "login_hint", "real")
	if w.Code != 400 || !strings.Contains(w.Body.String(), "unknown_user_id") || len(c.requests()) != before {
		t.Errorf("a real one: %d %s", w.Code, w.Body)
	}
}

func TestUserCodes(t *testing.T) {
	tests := []struct {
		name, as, has, sent string
		code                oauth.Code
	}{
		{"nobody has one", "pinger", "", "", ""},
		{"the right one", "pinger", theCode, theCode, ""},
		{"none, where one is needed", "pinger", theCode, "", oauth.MissingUserCode},
		{"none of a client that knows no codes", "poller", theCode, "", oauth.MissingUserCode},
		{"a wrong one", "pinger", theCode, theCode + "x", oauth.InvalidUserCode},
		{"one, where there is none", "pinger", "", theCode, oauth.InvalidUserCode},
		{"one without end", "pinger", theCode, strings.Repeat("7", 65), oauth.InvalidUserCode},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCounter(t)
			c.codes.of["zelda"] = tt.has
			r := c.asking(tt.as, "user_code", tt.sent)
			if tt.code != "" {
				c.refuses(r, 400, tt.code, "CIBA §13")
			} else if w := c.serve(r); w.Code != http.StatusOK || strings.Contains(c.recorded().Body, "user_code") {
				t.Errorf("%d %s, kept %s", w.Code, w.Body, c.recorded().Body)
			}
		})
	}
}

// An issuer that offers no codes asks for none, whatever a customer had.
func TestUserCodesWhereThereAreNone(t *testing.T) {
	c := newCounter(t)
	c.codes.of["zelda"] = theCode
	c.changes("ciba", func(s *issuer.Settings) { s.UserCodes = false })
	if w := c.ask("pinger"); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	clear(c.waiting.kept)
	c.refuses(c.asking("pinger", "user_code", theCode), 400, oauth.InvalidRequest, "CIBA §7.1")
}

// Guesses lock the code, and are in the log as failures of the customer's.
func TestUserCodesLockOut(t *testing.T) {
	c := newCounter(t)
	c.codes.of["zelda"] = theCode
	for range 5 {
		c.refuses(c.asking("pinger", "user_code", "0000"), 400, oauth.InvalidUserCode, "CIBA §13")
	}
	c.refuses(c.asking("pinger", "user_code", theCode), 400, oauth.InvalidUserCode, "CIBA §13")
	c.must(c.FlushRefusals(t.Context(), c.Now().Add(time.Hour)))
	if got := c.kept("refusal-zelda-" + c.Now().UTC().Format(time.DateOnly)); len(got) != 1 {
		t.Errorf("recorded of Zelda: %v", got)
	}
	if got := c.kept("refusal-pinger-" + c.Now().UTC().Format(time.DateOnly)); len(got) != 1 {
		t.Errorf("recorded of pinger: %v", got)
	}
}
