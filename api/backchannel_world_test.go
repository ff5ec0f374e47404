package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

const (
	openURL = "https://as.example/ciba"
	fapiURL = "https://as.example/fapi-ciba"

	theToken = "zq-notification-token-8812" // client_notification_token
	theCode  = "zq-4711"                    // Zelda's user code
	theCards = "https://as.example/cards"   // a resource that is not the first
)

// A counter is a town with two issuers of CIBA: "ciba", with the clients
// poller, pinger and pusher, and "fapi-ciba", with the client till that signs.
// Zelda is "zelda" at the one and "zelda-fapi" at the other.
type counter struct {
	*town
	waiting *shelf
	codes   *codes
	hints   map[string]hinted // by login_hint_token
}

type hinted struct {
	token api.HintToken
	err   error
}

func newCounter(t *testing.T) *counter { return counterIn(t, newTown(t)) }

func counterIn(t *testing.T, to *town) *counter {
	c := &counter{town: to, waiting: &shelf{kept: map[string][]byte{}}, codes: &codes{of: map[string]string{}}, hints: map[string]hinted{}}
	to.Profiles, to.ClientKeys, to.Logins = catalogue.Profiles, counterKeys{townKeys{to}}, counterDesk{townDesk{to}}
	to.Waiting, to.UserCodes, to.HintTokens = c.waiting, c.codes, counterHints{c}
	c.issuer("ciba", openURL, "openid-ciba-core", "")
	c.issuer("fapi-ciba", fapiURL, "fapi-ciba-id1", "")
	c.customer("zelda", "ciba", false)
	c.customer("zelda-fapi", "fapi-ciba", false)
	c.client("poller", "ciba", oauth.ClientMetadata{DeliveryMode: oauth.Poll})
	c.client("pinger", "ciba", oauth.ClientMetadata{DeliveryMode: oauth.Ping, UserCodes: true})
	c.client("pusher", "ciba", oauth.ClientMetadata{DeliveryMode: oauth.Push, DPoPBoundTokens: true})
	c.client("till", "fapi-ciba", oauth.ClientMetadata{DeliveryMode: oauth.Ping, TLSBoundTokens: true, RequestAlg: "ES256"})
	c.client("other-till", "fapi-ciba", oauth.ClientMetadata{DeliveryMode: oauth.Poll, TLSBoundTokens: true, RequestAlg: "ES256"})
	return c
}

func (c *counter) issuer(id, address, profile, purpose string) {
	c.Helper()
	settings := issuer.Settings{
		Scopes: []string{"openid", "profile", "accounts"}, Resources: []string{siteBank, theCards}, Accounts: true, UserCodes: true, Purpose: purpose,
	}
	_, err := c.Issuers.Execute(c.Context(), event.Meta{}, id, issuer.Create{Created: issuer.Created{URL: address, Profile: profile, Settings: settings}})
	c.must(err)
	public, err := jose.PublicJWK("k-"+id, "ES256", "sig", c.own.Key.Public())
	c.must(err)
	for _, step := range []signingkey.Command{signingkey.Announce{Announced: signingkey.Announced{Issuer: id, Algorithm: "ES256", JWK: public}}, signingkey.Activate{}} {
		_, err = c.SigningKeys.Execute(c.Context(), event.Meta{}, "k-"+id, step)
		c.must(err)
	}
}

// changes changes the settings of an issuer.
func (c *counter) changes(id string, change func(*issuer.Settings)) {
	c.Helper()
	state, _, err := c.Issuers.Load(c.Context(), id)
	c.must(err)
	settings := state.Settings()
	change(&settings)
	_, err = c.Issuers.Execute(c.Context(), event.Meta{}, id, issuer.ChangeSettings{SettingsChanged: issuer.SettingsChanged{Settings: settings}})
	c.must(err)
}

func (c *counter) customer(id, issuer string, test bool) {
	c.Helper()
	_, err := c.Subjects.Execute(c.Context(), event.Meta{Subject: id}, id, subject.Enroll{Enrolled: subject.Enrolled{Issuer: issuer, Name: zeldaName, Test: test}})
	c.must(err)
}

func (c *counter) client(id, issuer string, m oauth.ClientMetadata) {
	c.Helper()
	c.keyring[id] = newKey(c.T)
	m.ClientName, m.TokenEndpointAuthMethod, m.Scope, m.IDTokenAlg = id, "private_key_jwt", "openid accounts", "ES256"
	m.GrantTypes = []string{oauth.GrantCIBA, "refresh_token"}
	if m.DeliveryMode != oauth.Poll {
		m.NotificationEndpoint = "https://" + id + ".example/called"
	}
	_, err := c.Clients.Execute(c.Context(), event.Meta{}, id, client.Register{Registered: client.Registered{Issuer: issuer, Via: "operator", Metadata: m}})
	c.must(err)
}

// of returns the URL of a client's issuer.
func of(client string) string {
	switch {
	case strings.HasSuffix(client, "till"):
		return fapiURL
	case client == "examiner":
		return "https://as.example/tests"
	}
	return openURL
}

// ask asks for Zelda as a client does. An empty value removes a parameter.
func (c *counter) ask(as string, fields ...string) *httptest.ResponseRecorder {
	c.Helper()
	return c.serve(c.asking(as, fields...))
}

func (c *counter) asking(as string, fields ...string) *http.Request {
	c.Helper()
	form := url.Values{"scope": {"openid accounts"}, "login_hint": {zeldaLogin}, "binding_message": {"1234"}, "client_notification_token": {theToken}}
	return c.form(as, form, fields...)
}

// form is a request of an authenticated client.
func (c *counter) form(as string, form url.Values, fields ...string) *http.Request {
	c.Helper()
	assertion, err := jose.NewAssertion(c.keyring[as], as, of(as), c.Now(), time.Minute)
	c.must(err)
	form.Set("client_assertion", assertion)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
		if fields[i+1] == "" {
			form.Del(fields[i])
		}
	}
	r := httptest.NewRequest("POST", of(as)+"/bc-authorize", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if of(as) == openURL {
		proof, err := jose.NewProof(c.keyring[as], "POST", of(as)+"/bc-authorize", "", "", c.Now())
		c.must(err)
		r.Header.Set("DPoP", proof)
	}
	return r
}

// claims are those of a good signed request of a client, changed by more. A
// claim of nil is removed.
func (c *counter) claims(as string, more map[string]any) map[string]any {
	now := c.Now().Unix()
	claims := map[string]any{
		"iss": as, "aud": of(as), "iat": now, "nbf": now, "exp": now + 300, "jti": uuid.NewString(),
		"scope": "openid accounts", "login_hint": zeldaLogin, "binding_message": "1234", "client_notification_token": theToken,
	}
	maps.Copy(claims, more)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

// signed is a form with claims signed by somebody.
func (c *counter) signed(as, by string, claims map[string]any) *http.Request {
	c.Helper()
	return c.form(as, url.Values{"request": {c.sign(by, claims)}})
}

func (c *counter) sign(by string, claims map[string]any) string {
	c.Helper()
	raw, err := json.Marshal(claims)
	c.must(err)
	compact, err := jose.Sign(c.keyring[by], "", raw)
	c.must(err)
	return compact
}

// requests are the ids of all recorded requests.
func (c *counter) requests() (ids []string) {
	c.Helper()
	for e, err := range c.memory.ReadAll(c.Context(), 0, eventstore.Filter{}) {
		c.must(err)
		if e.Type == "backchannel.requested" {
			ids = append(ids, e.Stream.ID())
		}
	}
	return ids
}

// recorded is the last request that was recorded.
func (c *counter) recorded() backchannel.Requested {
	c.Helper()
	ids := c.requests()
	if len(ids) == 0 {
		c.Fatal("nothing is recorded")
	}
	state, _, err := c.Backchannels.Load(c.Context(), ids[len(ids)-1])
	c.must(err)
	return state.Requested()
}

// counterKeys verify signed requests too.
type counterKeys struct{ townKeys }

func (k counterKeys) Request(_ context.Context, c oauth.Client, _ api.Tenant, compact string) (oauth.SignedRequest, client.KeySeen, error) {
	signer, apart := k.keyring[c.ID+" for requests"]
	if !apart {
		signer = k.keyring[c.ID]
	}
	public := signer.Key.Public()
	thumbprint, err := jose.Thumbprint(public)
	k.must(err)
	fact, err := jose.VerifyRequest(compact, []jose.Key{{Public: public, Thumbprint: thumbprint}})
	return fact, client.KeySeen{Thumbprint: thumbprint, Source: "registration"}, err
}

// counterDesk knows Zelda by name at both issuers.
type counterDesk struct{ townDesk }

func (counterDesk) Subject(_ context.Context, realm, name string) (string, error) {
	known := map[string]string{
		"ciba " + zeldaLogin: "zelda", "fapi-ciba " + zeldaLogin: "zelda-fapi", "ciba abroad": alice, "ciba erased": "erased", "ciba never": "never",
		"tests tester": "tester", "tests real": "real",
	}
	if id := known[realm+" "+name]; id != "" {
		return id, nil
	}
	return "", api.ErrNobody
}

// A shelf keeps what waits.
type shelf struct {
	mu        sync.Mutex
	kept      map[string][]byte
	fails     error
	remembers bool // what it is told to forget
}

func (s *shelf) Keep(_ context.Context, id string, secret []byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return s.fails
	}
	s.kept[id] = secret
	return nil
}

func (s *shelf) Find(_ context.Context, id string, _ time.Time) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if secret, found := s.kept[id]; found {
		return secret, nil
	}
	return nil, api.ErrGone
}

func (s *shelf) Forget(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.remembers {
		delete(s.kept, id)
	}
	return nil
}

// codes lock after five wrong tries.
type codes struct {
	of    map[string]string // by subject
	wrong int
}

func (c *codes) HasUserCode(_ context.Context, subject string) (bool, error) {
	return c.of[subject] != "", nil
}

func (c *codes) CheckUserCode(_ context.Context, subject, code string, _ time.Time) error {
	switch {
	case c.of[subject] == "":
		return api.ErrNoUserCode
	case c.wrong >= 5 || c.of[subject] != code:
		c.wrong++
		return api.ErrWrongUserCode
	}
	return nil
}

// counterHints knows the hint tokens of a test.
type counterHints struct{ *counter }

func (c counterHints) Verify(_ context.Context, _ api.Tenant, compact string, _ time.Time) (api.HintToken, error) {
	if known, found := c.hints[compact]; found {
		return known.token, known.err
	}
	return api.HintToken{}, errors.New("signed by a stranger")
}
