package api_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// What only one customer has, so that it is recognized wherever it turns up.
const (
	zeldaName     = "Zelda Quixwood"
	zeldaLogin    = "zelda.quixwood"
	zeldaPassword = "correct-horse-zq"
	zeldaEmail    = "zelda@quixwood.example"
	zeldaPhone    = "+49 30 7654321"
	zeldaAccount  = "zq-acct-8842"
	zeldaNumber   = "DE-zq-0042"
	zeldaLabel    = "Zelda's rainy day"
	zeldaBrowser  = "QuixBrowser/7.7"
	zeldaAddress  = "203.0.113.77"
	zeldaSession  = "zelda-session-id"
	thePurpose    = "Quixotic budgeting"
	clientBack    = "https://app.budgetly.example/cb"
	verifier      = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, Appendix B
	challenge     = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// A town has an issuer on a log in memory, the customer Zelda, the clients
// budgetly and rival, the resource server warehouse, a browser, and somebody who
// writes the server's log down.
type town struct {
	*testing.T
	*api.Server
	memory  *memory.Log
	faults  *storetest.Faulty
	steps   *storetest.Stepwise // of a log that writes appends one by one
	keys    *memory.Keys
	keyring map[string]jose.Signer // of the clients
	own     jose.Signer
	mu      sync.Mutex
	now     time.Time
	logged  bytes.Buffer
	cookies map[string]string
	limited map[string]time.Duration
	silent  bool                                           // the directory does not answer
	through func(*http.Request) *httptest.ResponseRecorder // another way to the server
}

func newTown(t *testing.T) *town { return newTownOn(t, api.Engine) }

func newTownOn(t *testing.T, engine func(eventstore.Log) eventstore.Log) *town {
	to := &town{T: t, now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), own: newKey(t), keys: &memory.Keys{}, keyring: map[string]jose.Signer{}, cookies: map[string]string{}}
	to.memory = memory.New(to.Now)
	to.faults = &storetest.Faulty{Log: engine(to.memory), Release: make(chan struct{})}
	journal := &eventstore.Journal{Log: to.faults, Codec: &eventstore.Codec{Registry: catalogue.Events, Keys: to.keys, Log: to.memory.ID()}}
	if to.faults.Log == eventstore.Log(to.memory) {
		journal.Log = observed{to.faults, to.memory}
	}
	to.Server = api.New(journal, api.Outside{
		Profiles: fapi.Profiles, Proofs: siteProofs{}, ClientKeys: townKeys{to}, Certificates: siteCertificates{}, Signer: townSigner{to},
		Nonces: jose.Nonces{}, Logins: townDesk{to}, Sessions: townDesk{to}, Directory: townDesk{to}, Journeys: townDesk{to}, Customers: townDesk{to},
		Limits: townDesk{to}, Metrics: siteMetrics{}, Now: to.Now, Log: slog.New(slog.NewTextHandler(&to.logged, nil)),
	})
	settings := issuer.Settings{Scopes: []string{"openid", "profile", "email", "phone", "accounts"}, Resources: []string{siteBank, "https://as.example/cards"}, Accounts: true, Registration: true}
	_, err := to.Issuers.Execute(t.Context(), event.Meta{}, "fapi2", issuer.Create{Created: issuer.Created{URL: siteURL, Profile: fapi.SecurityProfile.Name, Settings: settings}})
	to.must(err)
	for _, id := range []string{"budgetly", "rival"} {
		to.keyring[id] = newKey(t)
		_, err = to.Clients.Execute(t.Context(), event.Meta{}, id, client.Register{Registered: client.Registered{Issuer: "fapi2", Via: "operator", Metadata: oauth.ClientMetadata{
			ClientName: id, TokenEndpointAuthMethod: "private_key_jwt", GrantTypes: []string{"authorization_code", "refresh_token", "client_credentials"},
			RedirectURIs: []string{clientBack}, DPoPBoundTokens: true, Scope: "openid profile email phone accounts", IDTokenAlg: "ES256",
		}}})
		to.must(err)
	}
	to.keyring["warehouse"] = newKey(t)
	_, err = to.Clients.Execute(t.Context(), event.Meta{}, "warehouse", client.Register{Registered: client.Registered{Issuer: "fapi2", Via: "operator", Metadata: oauth.ClientMetadata{
		ClientName: "warehouse", TokenEndpointAuthMethod: "private_key_jwt", Resources: []string{siteBank},
		GrantTypes: []string{"client_credentials"}, DPoPBoundTokens: true, Scope: "accounts",
	}}})
	to.must(err)
	public, err := jose.PublicJWK("k1", "ES256", "sig", to.own.Key.Public())
	to.must(err)
	for _, step := range []signingkey.Command{signingkey.Announce{Announced: signingkey.Announced{Issuer: "fapi2", Algorithm: "ES256", JWK: public}}, signingkey.Activate{}} {
		_, err = to.SigningKeys.Execute(t.Context(), event.Meta{}, "k1", step)
		to.must(err)
	}
	_, err = to.Subjects.Execute(t.Context(), event.Meta{Subject: alice}, alice, subject.Enroll{Enrolled: subject.Enrolled{Issuer: "fapi2", Name: zeldaName}})
	to.must(err)
	return to
}

// observed is a log that fails as planned and still tells of its commits.
type observed struct {
	*storetest.Faulty
	eventstore.Observable
}

func (to *town) Now() time.Time {
	to.mu.Lock()
	defer to.mu.Unlock()
	return to.now
}

func (to *town) pass(d time.Duration) {
	to.mu.Lock()
	defer to.mu.Unlock()
	to.now = to.now.Add(d)
}

func (to *town) must(err error) {
	to.Helper()
	if err != nil {
		to.Fatal(err)
	}
}

// serve hands a request to the server as the browser's or a client's.
func (to *town) serve(r *http.Request) *httptest.ResponseRecorder {
	to.Helper()
	if to.through != nil {
		return to.through(r)
	}
	w := httptest.NewRecorder()
	to.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
	return w
}

// post sends a client's form with its assertion and proof. An empty value
// removes a parameter.
func (to *town) post(as, path string, fields ...string) *httptest.ResponseRecorder {
	to.Helper()
	return to.serve(to.request(as, path, fields...))
}

func (to *town) request(as, path string, fields ...string) *http.Request {
	to.Helper()
	assertion, err := jose.NewAssertion(to.keyring[as], as, siteURL, to.Now(), time.Minute)
	to.must(err)
	form := url.Values{"client_id": {as}, "client_assertion": {assertion}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
		if fields[i+1] == "" {
			form.Del(fields[i])
		}
	}
	r := httptest.NewRequest("POST", "https://as.example/fapi2"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	proof, err := jose.NewProof(to.keyring[as], "POST", "https://as.example/fapi2"+path, "", "", to.Now())
	to.must(err)
	r.Header.Set("DPoP", proof)
	return r
}

// push returns the request_uri of a pushed request.
func (to *town) push(fields ...string) string {
	to.Helper()
	w := to.post("budgetly", "/par", append([]string{
		"response_type", "code", "redirect_uri", clientBack, "scope", "openid accounts", "state", "s-1",
		"code_challenge", challenge, "code_challenge_method", "S256",
	}, fields...)...)
	uri, _ := members(to.T, w)["request_uri"].(string)
	if w.Code != http.StatusCreated {
		to.Fatalf("pushed: %d %s", w.Code, w.Body)
	}
	return uri
}

// browse sends a browser's request and follows redirects within the bank.
func (to *town) browse(method, address string, form url.Values) (w *httptest.ResponseRecorder, left *url.URL) {
	to.Helper()
	for range 8 {
		w = to.serve(to.browsing(method, address, form))
		for _, c := range w.Result().Cookies() {
			to.cookies[c.Name] = c.Value
		}
		next := w.Header().Get("Location")
		if next == "" {
			return w, nil
		}
		u, err := url.Parse(next)
		to.must(err)
		if !strings.HasPrefix(next, siteURL) {
			return w, u
		}
		method, address, form = "GET", next, nil
	}
	to.Fatal("too many redirects")
	return nil, nil
}

// browsing is a request of the browser.
func (to *town) browsing(method, address string, form url.Values) *http.Request {
	r := httptest.NewRequest(method, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("User-Agent", zeldaBrowser)
	r.RemoteAddr = zeldaAddress + ":4711"
	for name, value := range to.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// fields are those of a page's first form, and what is said.
func fields(page *httptest.ResponseRecorder, said ...string) url.Values {
	form := url.Values{}
	for _, h := range hiddenField.FindAllStringSubmatch(page.Body.String(), -1) {
		form.Set(h[1], html.UnescapeString(h[2]))
	}
	for i := 0; i < len(said); i += 2 {
		form.Add(said[i], said[i+1])
	}
	return form
}

// approve takes Zelda from a request_uri to the code.
func (to *town) approve(uri string) string {
	to.Helper()
	page, _ := to.browse("GET", siteURL+"/authorize?"+url.Values{"client_id": {"budgetly"}, "request_uri": {uri}}.Encode(), nil)
	if strings.Contains(page.Body.String(), `id="password"`) {
		page, _ = to.browse("POST", siteURL+"/interaction/login", fields(page, "user", zeldaLogin, "password", zeldaPassword))
	}
	page, left := to.browse("POST", siteURL+"/interaction/decision", fields(page, "decision", "approve", "account", zeldaAccount))
	if left == nil || left.Query().Get("code") == "" {
		to.Fatalf("approved: %d %s %v", page.Code, page.Body, left)
	}
	return left.Query().Get("code")
}

func (to *town) redeem(code string, fields ...string) *httptest.ResponseRecorder {
	to.Helper()
	return to.post("budgetly", "/token", append([]string{
		"grant_type", "authorization_code", "code", code, "redirect_uri", clientBack, "code_verifier", verifier,
	}, fields...)...)
}

// townKeys know what the clients sign with.
type townKeys struct{ *town }

func (k townKeys) Assertion(_ context.Context, c oauth.Client, _ api.Tenant, compact string) (oauth.Assertion, client.KeySeen, error) {
	public := k.keyring[c.ID].Key.Public()
	thumbprint, err := jose.Thumbprint(public)
	k.must(err)
	fact, err := jose.VerifyAssertion(compact, []jose.Key{{Public: public, Thumbprint: thumbprint}})
	return fact, client.KeySeen{Thumbprint: thumbprint, Source: "registration"}, err
}

func (townKeys) Request(context.Context, oauth.Client, api.Tenant, string) (oauth.SignedRequest, client.KeySeen, error) {
	return oauth.SignedRequest{}, client.KeySeen{}, errors.New("no request is genuine here")
}

func (townKeys) Claimed(compact string) string {
	id, _ := jose.PeekIssuer(compact)
	return id
}

func (townKeys) Certificates(context.Context, oauth.Client, api.Tenant) ([]string, error) {
	return nil, nil
}

func (townKeys) Check(m oauth.ClientMetadata) (oauth.ClientMetadata, error) { return m, nil }

// townSigner verifies every kind of token of the issuer, and signs no access
// token that is not in the log.
type townSigner struct{ *town }

func (s townSigner) Sign(_ context.Context, kid, typ string, claims []byte) (string, error) {
	var token struct {
		ID string `json:"jti"`
	}
	if err := json.Unmarshal(claims, &token); err != nil || typ == "at+jwt" && s.kept("token-"+token.ID) == nil {
		s.Errorf("%s is signed and not in the log: %v", token.ID, err)
	}
	own := s.own
	own.KeyID = kid
	return jose.Sign(own, typ, claims)
}

func (s townSigner) Verify(_ context.Context, compact string, key func(string) ([]byte, bool)) (api.Signed, error) {
	find := func(kid string) (crypto.PublicKey, string, bool) {
		_, found := key(kid)
		return s.own.Key.Public(), s.own.Algorithm, found
	}
	claims, header, err := jose.VerifyOwn(compact, find, "at+jwt")
	if err != nil {
		claims, header, err = jose.VerifyOwn(compact, find, "JWT")
	}
	return api.Signed{KeyID: header.KeyID, Type: header.Type, Claims: claims}, err
}

// townDesk knows Zelda.
type townDesk struct{ *town }

func (townDesk) Subject(context.Context, string, string) (string, error) { return "", api.ErrNobody }

func (townDesk) Check(_ context.Context, _, name, password, _ string, _ time.Time) (string, error) {
	if name == zeldaLogin && password == zeldaPassword {
		return alice, nil
	}
	return "", &api.WrongPassword{Subject: alice}
}

func (d townDesk) CheckSubject(ctx context.Context, realm, subject, password, address string, now time.Time) error {
	_, err := d.Check(ctx, realm, subject, password, address, now)
	return err
}

func (d townDesk) Peek(ctx context.Context, realm, cookie string, now time.Time) (api.Session, error) {
	return d.Find(ctx, realm, cookie, now)
}

func (townDesk) Start(context.Context, api.Session, time.Time) (string, error) {
	return "zelda-cookie", nil
}

func (d townDesk) Find(_ context.Context, realm, cookie string, now time.Time) (api.Session, error) {
	if cookie != "zelda-cookie" {
		return api.Session{}, api.ErrNoSession
	}
	return api.Session{ID: zeldaSession, Realm: realm, Subject: alice, AuthTime: now, ACR: api.ACRPassword, AMR: []string{"pwd"}}, nil
}

func (townDesk) End(context.Context, string, string) error { return nil }

func (townDesk) Accounts(context.Context, string) ([]api.Account, error) {
	return []api.Account{{ID: zeldaAccount, Name: zeldaLabel, Number: zeldaNumber, Currency: "EUR"}, {ID: "zq-acct-9953", Name: "Joint", Number: "DE-9953", Currency: "EUR"}}, nil
}

func (d townDesk) Claims(context.Context, string) (map[string]any, error) {
	if d.silent {
		return nil, errors.New("the directory does not answer")
	}
	return map[string]any{"name": zeldaName, "email": zeldaEmail, "phone_number": zeldaPhone}, nil
}

func (townDesk) Adopt(context.Context, string, string) error { return nil }

func (townDesk) Consents(context.Context, string) ([]api.ConsentRow, error) { return nil, nil }

func (townDesk) History(context.Context, string) ([]api.HistoryLine, error) { return nil, nil }

func (d townDesk) Wait(key string, _ time.Time) time.Duration { return d.limited[key] }
func (d townDesk) Return(string)                              {}

// holders are those whose keys have sealed anything.
func (to *town) holders() (all []string) {
	to.Helper()
	for e, err := range to.memory.ReadAll(to.Context(), 0, eventstore.Filter{}) {
		to.must(err)
		for _, h := range sealedBy.FindAllStringSubmatch(string(e.Data)+string(e.Meta), -1) {
			all = append(all, h[1])
		}
	}
	return all
}

var sealedBy = regexp.MustCompile(`"sealed":\{"holder":"([^"]*)"`)

// kept are the types of the events of a stream.
func (to *town) kept(stream string) (types []string) {
	to.Helper()
	for e, err := range to.memory.ReadStream(to.Context(), eventstore.Stream(stream), 0) {
		to.must(err)
		types = append(types, e.Type)
	}
	return types
}

// append adds to the body of a request.
func (to *town) append(r *http.Request, more string) {
	to.Helper()
	body, err := io.ReadAll(r.Body)
	to.must(err)
	r.Body = io.NopCloser(strings.NewReader(string(body) + more))
}

// idOf returns the stream id of an artefact.
func idOf(text string) string {
	a, _ := oauth.ParseArtefact(text)
	return a.ID
}
