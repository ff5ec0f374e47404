package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

var opaque = regexp.MustCompile(`^[A-Za-z0-9._-]{43,}$`) // CIBA §7.3

func TestBackchannelRequestIsAcknowledged(t *testing.T) {
	for _, as := range []string{"poller", "pinger", "pusher", "till"} {
		t.Run(as, func(t *testing.T) {
			c := newCounter(t)
			w := c.ask(as)
			if as == "till" {
				w = c.serve(c.signed(as, as, c.claims(as, nil)))
			}
			got := members(t, w)
			id, _ := got["auth_req_id"].(string)
			want := map[string]any{"auth_req_id": id, "expires_in": 120.0, "interval": 5.0}
			interval := 5
			if as == "pusher" {
				delete(want, "interval")
				interval = 0
			}
			if w.Code != http.StatusOK || !opaque.MatchString(id) || !reflect.DeepEqual(got, want) || w.Header().Get("Cache-Control") != "no-store" {
				t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
			}
			state, _, err := c.Backchannels.Load(t.Context(), idOf(id))
			c.must(err)
			artefact, _ := oauth.ParseArtefact(id)
			if !state.Names(artefact) || state.Requested().Interval != interval || !state.Pending(c.Now().Add(119*time.Second)) || state.Pending(c.Now().Add(120*time.Second)) {
				t.Errorf("recorded %+v", state.Requested())
			}
			kept, err := c.waiting.Find(t.Context(), "backchannel-"+idOf(id), c.Now())
			if as == "poller" && err == nil || as != "poller" && !strings.Contains(string(kept), `"`+id+`"`) {
				t.Errorf("kept %s, %v", kept, err)
			}
		})
	}
}

func TestWhatIsRecordedOfARequest(t *testing.T) {
	c := newCounter(t)
	r := c.asking("pusher", "acr_values", "urn:a urn:b", "requested_expiry", "10", "resource", siteBank, "request_context", `{"till": 3}`,
		"authorization_details", accountDetails, "odd", "zq-hidden-extra")
	w := c.serve(r)
	id, _ := members(t, w)["auth_req_id"].(string)
	state, _, err := c.Backchannels.Load(t.Context(), idOf(id))
	c.must(err)
	e := state.Requested()
	thumbprint, err := jose.Thumbprint(c.keyring["pusher"].Key.Public())
	c.must(err)
	sum := sha256.Sum256([]byte(theToken))
	want := backchannel.Requested{
		Client: "pusher", Subject: "zelda", Digest: e.Digest, Expires: c.Now().Add(10 * time.Second), Mode: oauth.Push,
		Notification: base64.RawURLEncoding.EncodeToString(sum[:]), Hint: "login_hint", Scope: "openid accounts", Resources: []string{siteBank},
		ACRValues: []string{"urn:a", "urn:b"}, Details: accountDetails, BindingMessage: "1234", Context: json.RawMessage(`{"till":3}`),
		Body: e.Body, JKT: thumbprint, Evidence: e.Evidence,
	}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got  %+v\nwant %+v", e, want)
	}
	if strings.Contains(e.Body, "client_assertion=") || strings.Contains(e.Body, theToken) || !strings.Contains(e.Body, "odd=zq-hidden-extra&") {
		t.Errorf("kept %s", e.Body)
	}
	if e.Evidence.ClientAssertion == "" || e.Evidence.DPoP == "" {
		t.Errorf("the evidence is %+v", e.Evidence)
	}
	for stored, err := range c.Journal.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		c.must(err)
		if m := stored.Metadata; stored.Stream.ID() == idOf(id) && (m.Correlation != "backchannel-"+idOf(id) || m.Subject != "zelda" || m.Client != "pusher") {
			t.Errorf("recorded with %+v", m)
		}
	}
}

// What the client will be called with, and what it will ask with, are in no
// event and no line of the log, nor is anything about the customer.
func TestNothingOfARequestIsInTheClear(t *testing.T) {
	c := newCounter(t)
	c.codes.of["zelda"] = theCode
	secret := []string{theToken, theCode}
	hint, message := "zelda.quixwood", "Quixotic till 7"
	for _, w := range []*httptest.ResponseRecorder{
		c.ask("pinger", "user_code", theCode, "binding_message", message),
		c.serve(c.signed("till", "till", c.claims("till", map[string]any{"binding_message": message}))),
		c.ask("pinger", "user_code", theCode, "client_notification_token", theToken+" "),
		c.ask("pinger", "user_code", theCode+"x"),
		c.serve(c.signed("till", "other-till", c.claims("till", nil))),
	} {
		if id, ok := members(t, w)["auth_req_id"].(string); ok {
			secret = append(secret, id)
		}
	}
	if len(secret) != 4 {
		t.Fatalf("%d requests were acknowledged", len(secret)-2)
	}
	c.must(c.FlushRefusals(t.Context(), c.Now().Add(time.Hour)))
	for e, err := range c.memory.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		c.must(err)
		c.free(string(e.Stream)+" "+e.Type+" "+string(e.Data)+" "+string(e.Meta), []string{hint, message}, secret)
	}
	c.free(c.logged.String(), []string{hint, message}, secret)
}

func TestRefusedBackchannelRequests(t *testing.T) {
	tests := []struct {
		name   string
		as     string
		fields []string
		status int
		code   oauth.Code
		by     string
	}{
		{"no assertion", "poller", []string{"client_assertion", ""}, 401, oauth.InvalidClient, "RFC 6749 §2.3"},
		{"the assertion of another client", "poller", []string{"client_id", "pinger"}, 401, oauth.InvalidClient, "RFC 7523 §3"},
		{"a client that is not registered for it", "stranger", nil, 400, oauth.UnauthorizedClient, "CIBA §13"},
		{"no scope", "poller", []string{"scope", ""}, 400, oauth.InvalidRequest, "CIBA §7.1"},
		{"an unknown scope", "poller", []string{"scope", "openid profile"}, 400, oauth.InvalidScope, "RFC 6749 §3.3"},
		{"no hint", "poller", []string{"login_hint", ""}, 400, oauth.InvalidRequest, "CIBA §7.1"},
		{"two hints", "poller", []string{"login_hint_token", "e30"}, 400, oauth.InvalidRequest, "CIBA §7.1"},
		{"nobody's name", "poller", []string{"login_hint", "nobody"}, 400, oauth.UnknownUserID, "CIBA §13"},
		{"no token to be called with", "pinger", []string{"client_notification_token", ""}, 400, oauth.InvalidRequest, "CIBA §7.1"},
		{"a token of 1025 characters", "pinger", []string{"client_notification_token", strings.Repeat("t", 1025)}, 400, oauth.InvalidRequest, "CIBA §7.1"},
		{"a token that ends a header", "pusher", []string{"client_notification_token", theToken + "\r\nX: y"}, 400, oauth.InvalidRequest, "RFC 6750 §2.1"},
		{"a message of markup", "poller", []string{"binding_message", "<b>1234</b>"}, 400, oauth.InvalidBindingMessage, "CIBA §13"},
		{"a message without end", "poller", []string{"binding_message", strings.Repeat("ß", 65)}, 400, oauth.InvalidBindingMessage, "CIBA §13"},
		{"an expiry of nothing", "poller", []string{"requested_expiry", "0"}, 400, oauth.InvalidRequest, "CIBA §7.1"},
		{"details of an unknown type", "poller", []string{"authorization_details", `[{"type":"x"}]`}, 400, oauth.InvalidAuthorizationDetails, "RFC 9396 §5"},
		{"an unknown resource", "poller", []string{"resource", "https://other.example"}, 400, oauth.InvalidTarget, "RFC 8707 §2"},
		{"a context that is no object", "poller", []string{"request_context", "[]"}, 400, oauth.InvalidRequest, "FAPI-CIBA-ID1 §5.3"},
		{"a signed request of a client that is not registered for it", "stranger", []string{"request", "e30.e30.c2ln"}, 400, oauth.UnauthorizedClient, "CIBA §13"},
		{"a signed request of a client that does not sign", "poller", []string{"request", "e30.e30.c2ln"}, 400, oauth.InvalidRequest, "CIBA §4"},
		{"a request that is not signed", "till", nil, 400, oauth.InvalidRequest, "FAPI-CIBA-ID1 §5.2.2-6"},
		{"a code of a client without codes", "poller", []string{"user_code", theCode}, 400, oauth.InvalidRequest, "CIBA §7.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCounter(t)
			if tt.as == "stranger" {
				c.client("stranger", "ciba", oauth.ClientMetadata{})
			}
			c.refuses(c.asking(tt.as, tt.fields...), tt.status, tt.code, tt.by)
		})
	}
}

// An issuer that knows no accounts grants none.
func TestDetailsWhereThereAreNoAccounts(t *testing.T) {
	c := newCounter(t)
	c.changes("ciba", func(s *issuer.Settings) { s.Accounts = false })
	c.refuses(c.asking("poller", "authorization_details", accountDetails), 400, oauth.InvalidAuthorizationDetails, "RFC 9396 §5")
}

// refuses fails the test unless a request is refused so, and nothing is written.
func (c *counter) refuses(r *http.Request, status int, code oauth.Code, by string) {
	c.Helper()
	before := c.memoryEvents()
	w := c.serve(r)
	got := members(c.T, w)
	description, _ := got["error_description"].(string)
	if w.Code != status || got["error"] != string(code) || !strings.HasSuffix(description, "["+strings.ReplaceAll(by, "§", "Section ")+"]") {
		c.Errorf("%d %s, want %d %s by %s", w.Code, w.Body, status, code, by)
	}
	if after := c.memoryEvents(); !slices.Equal(after, before) {
		c.Errorf("written: %v", after[len(before):])
	}
	if len(c.waiting.kept) > 0 {
		c.Error("something waits")
	}
}

// memoryEvents are the types of all events but those that record keys.
func (c *counter) memoryEvents() (types []string) {
	c.Helper()
	for e, err := range c.memory.ReadAll(c.Context(), 0, eventstore.Filter{}) {
		c.must(err)
		if e.Type != "client.key_seen" {
			types = append(types, e.Type)
		}
	}
	return types
}

func TestBackchannelByOtherMethods(t *testing.T) {
	c := newCounter(t)
	if w := c.serve(httptest.NewRequest("GET", openURL+"/bc-authorize", nil)); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
	r := c.asking("poller")
	r.Header.Set("Content-Type", "application/json")
	if w := c.serve(r); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("JSON: %d", w.Code)
	}
	r = c.asking("poller")
	c.append(r, "&scope=openid")
	c.refuses(r, 400, oauth.InvalidRequest, "RFC 6749 §3.1")
	if w := c.post("budgetly", "/bc-authorize", "scope", "openid"); w.Code != http.StatusNotFound {
		t.Errorf("an issuer without it: %d %s", w.Code, w.Body)
	}
}

// The endpoint that is called may be the audience (CIBA, Section 7.1).
func TestAudienceAtTheBackchannelEndpoint(t *testing.T) {
	for aud, ok := range map[string]bool{openURL: true, openURL + "/bc-authorize": true, openURL + "/token": true, openURL + "/par": false, fapiURL: false} {
		c := newCounter(t)
		assertion, err := jose.NewAssertion(c.keyring["poller"], "poller", aud, c.Now(), time.Minute)
		c.must(err)
		if w := c.ask("poller", "client_assertion", assertion); (w.Code == http.StatusOK) != ok {
			t.Errorf("%s: %d %s", aud, w.Code, w.Body)
		}
	}
}

func TestAssertionAtTheBackchannelEndpointIsGoodOnce(t *testing.T) {
	c := newCounter(t)
	first := c.asking("poller")
	again := c.asking("poller", "client_assertion", firstOf(t, first, "client_assertion"))
	if w := c.serve(first); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	c.refuses(again, 401, oauth.InvalidClient, "RFC 7523 §3")
	proof := c.asking("poller")
	another := c.asking("poller")
	another.Header.Set("DPoP", proof.Header.Get("DPoP"))
	if w := c.serve(proof); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	c.refuses(another, 400, oauth.InvalidDPoPProof, "RFC 9449 §11.1")
}

// firstOf returns a parameter of a form that is still to be sent.
func firstOf(t *testing.T, r *http.Request, name string) string {
	t.Helper()
	copied := r.Clone(t.Context())
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	r.Body, copied.Body = httptest.NewRequest("POST", "/", strings.NewReader(raw.String())).Body, httptest.NewRequest("POST", "/", &raw).Body
	if err := copied.ParseForm(); err != nil {
		t.Fatal(err)
	}
	return copied.PostForm.Get(name)
}

// Pushed tokens are bound to the key that is shown here, so it must be.
func TestPushNeedsTheKey(t *testing.T) {
	c := newCounter(t)
	r := c.asking("pusher")
	r.Header.Del("DPoP")
	c.refuses(r, 400, oauth.InvalidDPoPProof, "CIBA §5")
	c.client("presser", "ciba", oauth.ClientMetadata{DeliveryMode: oauth.Push, TLSBoundTokens: true})
	r = c.asking("presser")
	r.Header.Del("DPoP")
	c.refuses(r, 400, oauth.InvalidRequest, "CIBA §5")
}

func TestWhatCannotWaitIsNotAcknowledged(t *testing.T) {
	c := newCounter(t)
	c.waiting.fails = errors.New("the disk is full")
	if w := c.ask("pinger"); w.Code != http.StatusInternalServerError || len(c.requests()) > 0 {
		t.Errorf("%d %s, recorded %v", w.Code, w.Body, c.requests())
	}
}

func TestCustomersAreNotAskedTooOften(t *testing.T) {
	c := newCounter(t)
	c.limited = map[string]time.Duration{"subject:zelda": 3 * time.Second}
	c.refuses(c.asking("poller"), 403, oauth.AccessDenied, "CIBA §13")
}

// One signed request, sent many times at once, is acknowledged once.
func TestRacingReplaysOfASignedRequest(t *testing.T) {
	c := newCounter(t)
	compact := c.sign("till", c.claims("till", nil))
	var requests []*http.Request
	for range 8 {
		requests = append(requests, c.form("till", map[string][]string{"request": {compact}}))
	}
	codes := make([]int, len(requests))
	var all sync.WaitGroup
	for i, r := range requests {
		all.Go(func() { codes[i] = c.serve(r).Code })
	}
	all.Wait()
	slices.Sort(codes)
	if codes[0] != 200 || codes[1] != 400 || codes[7] != 400 || len(c.requests()) != 1 || len(c.waiting.kept) != 1 {
		t.Errorf("answered %v, recorded %v, %d wait", codes, c.requests(), len(c.waiting.kept))
	}
}
