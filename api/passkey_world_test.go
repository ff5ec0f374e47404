package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/adapters/passkeys"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"

	"github.com/descope/virtualwebauthn"
	"github.com/google/uuid"
)

// A branch is a bank whose customers zelda and ben approve what the client till
// asks for on their phones, with passkeys and with devices of their own.
type branch struct {
	*town
	store    *passkeyShelf
	mu       sync.Mutex
	sessions map[string]api.Session
	pending  []api.PendingRequest
}

func newBranch(t *testing.T) *branch {
	b := &branch{town: newTown(t), store: &passkeyShelf{kept: map[string][]passkeys.Record{}}, sessions: map[string]api.Session{}}
	b.Profiles, b.Logins, b.Sessions, b.Pending = catalogue.Profiles, branchDesk{b, townDesk{b.town}}, branchDesk{b, townDesk{b.town}}, branchDesk{b, townDesk{b.town}}
	b.Passkeys, b.DeviceKeys = passkeys.Ceremonies{Store: b.store}, jose.DeviceKeys{}
	settings := issuer.Settings{DisplayName: "Quixwood Bank", Scopes: []string{"openid", "accounts", "device"}, Resources: []string{siteBank}, Accounts: true}
	_, err := b.Issuers.Execute(t.Context(), event.Meta{}, "ciba", issuer.Create{Created: issuer.Created{URL: openURL, Profile: "openid-ciba-core", Settings: settings}})
	b.must(err)
	for _, id := range []string{"zelda", "ben"} {
		_, err = b.Subjects.Execute(t.Context(), event.Meta{Subject: id}, id, subject.Enroll{Enrolled: subject.Enrolled{Issuer: "ciba", Name: id}})
		b.must(err)
	}
	for _, id := range []string{"till", "bankapp"} {
		_, err = b.Clients.Execute(t.Context(), event.Meta{}, id, client.Register{Registered: client.Registered{Issuer: "ciba", Via: "operator", Metadata: oauth.ClientMetadata{
			ClientName: id, TokenEndpointAuthMethod: "private_key_jwt", GrantTypes: []string{oauth.GrantCIBA}, DeliveryMode: oauth.Poll, Scope: "openid accounts device", DPoPBoundTokens: true}}})
		b.must(err)
	}
	return b
}

// asks is a request of the till for a customer.
func (b *branch) asks(who string) (id string) {
	b.Helper()
	id = uuid.NewString()
	asked := backchannel.Requested{
		Client: "till", Subject: who, Digest: "d", Expires: b.Now().Add(2 * time.Minute), Mode: oauth.Poll, Hint: "login_hint", Scope: "openid accounts", BindingMessage: "W4SCT",
	}
	m := event.Meta{Issuer: "ciba", Client: "till", Subject: who, Correlation: "backchannel-" + id}
	_, err := b.Backchannels.Execute(b.Context(), m, id, backchannel.Request{Requested: asked})
	b.must(err)
	b.pending = append(b.pending, api.PendingRequest{ID: id, Client: "till", Asked: b.Now(), Expires: asked.Expires})
	return id
}

func (b *branch) approved(id string) backchannel.Approved {
	b.Helper()
	state, _, err := b.Backchannels.Load(b.Context(), id)
	b.must(err)
	return state.Approved()
}

// branchDesk signs customers in whose passwords are their names.
type branchDesk struct {
	*branch
	townDesk
}

func (branchDesk) Check(_ context.Context, _, name, password, _ string, _ time.Time) (string, error) {
	if name == password {
		return name, nil
	}
	return "", api.ErrWrongPassword
}

func (branchDesk) CheckSubject(_ context.Context, _, subject, password, _ string, _ time.Time) error {
	if subject != password {
		return &api.WrongPassword{Subject: subject}
	}
	return nil
}

func (d branchDesk) Start(_ context.Context, s api.Session, _ time.Time) (string, error) {
	d.branch.mu.Lock()
	defer d.branch.mu.Unlock()
	cookie := fmt.Sprint("cookie-", len(d.sessions))
	s.ID = "id of " + cookie
	d.sessions[cookie] = s
	return cookie, nil
}

func (d branchDesk) Find(_ context.Context, realm, cookie string, _ time.Time) (api.Session, error) {
	d.branch.mu.Lock()
	defer d.branch.mu.Unlock()
	if s, found := d.sessions[cookie]; found && s.Realm == realm {
		return s, nil
	}
	return api.Session{}, api.ErrNoSession
}

func (d branchDesk) Peek(ctx context.Context, realm, cookie string, now time.Time) (api.Session, error) {
	return d.Find(ctx, realm, cookie, now)
}

func (d branchDesk) End(context.Context, string, string) error { return nil }

func (d branchDesk) Pending(context.Context, string, time.Time) ([]api.PendingRequest, error) {
	return d.pending, nil
}

// A passkeyShelf keeps passkeys in memory.
type passkeyShelf struct {
	mu   sync.Mutex
	kept map[string][]passkeys.Record
}

func (s *passkeyShelf) Passkeys(_ context.Context, subject string) ([]passkeys.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept[subject]), nil
}

func (s *passkeyShelf) AddPasskey(_ context.Context, subject string, r passkeys.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, all := range s.kept {
		if slices.ContainsFunc(all, func(k passkeys.Record) bool { return k.ID == r.ID }) {
			return api.ErrPasskeyTaken
		}
	}
	s.kept[subject] = append(s.kept[subject], r)
	return nil
}

func (s *passkeyShelf) UsePasskey(_ context.Context, subject, id string, count uint32, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, k := range s.kept[subject] {
		if k.ID == id {
			s.kept[subject][i].Count, s.kept[subject][i].Used = count, now
			return nil
		}
	}
	return api.ErrPasskeyCopied
}

func (s *passkeyShelf) DropPasskey(_ context.Context, subject, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[subject] = slices.DeleteFunc(s.kept[subject], func(k passkeys.Record) bool { return k.ID == id })
	return nil
}

// A phone is a customer's browser with an authenticator.
type phone struct {
	*branch
	cookies map[string]string
	bank    virtualwebauthn.RelyingParty
	lock    virtualwebauthn.Authenticator
	key     virtualwebauthn.Credential
}

func (b *branch) phone(who string) *phone {
	b.Helper()
	p := &phone{b, map[string]string{}, virtualwebauthn.RelyingParty{Name: "Quixwood Bank", ID: "as.example", Origin: "https://as.example"},
		virtualwebauthn.NewAuthenticator(), newCredential()}
	if w := p.send("POST", "/login", url.Values{"user": {who}, "password": {who}}); w.Code != http.StatusSeeOther {
		b.Fatalf("signed in: %d %s", w.Code, w.Body)
	}
	return p
}

// newCredential makes a key whose coordinates are as long as they must be: the
// authenticator forgets leading zeros (RFC 9053, Section 7.1.1).
func newCredential() virtualwebauthn.Credential {
	for {
		c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		if len(c.Key.AttestationData()) == 77 {
			return c
		}
	}
}

func (p *phone) send(method, path string, form url.Values) *httptest.ResponseRecorder {
	p.Helper()
	r := httptest.NewRequest(method, openURL+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range p.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := p.serve(r)
	for _, c := range w.Result().Cookies() {
		p.cookies[c.Name] = c.Value
	}
	return w
}

var ceremonyOptions = regexp.MustCompile(`data-passkey="(create|get)" data-options="([^"]*)"`)

// options are what a page asks the authenticator for, "" if nothing.
func options(w *httptest.ResponseRecorder) string {
	found := ceremonyOptions.FindStringSubmatch(w.Body.String())
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[2])
}

// adds registers the phone's passkey.
func (p *phone) adds(said ...string) *httptest.ResponseRecorder {
	p.Helper()
	page := p.send("GET", "/my/devices", nil)
	asked, err := virtualwebauthn.ParseAttestationOptions(options(page))
	p.must(err)
	p.lock.Options.UserHandle = []byte(asked.UserID)
	made := virtualwebauthn.CreateAttestationResponse(p.bank, p.lock, p.key, *asked)
	form := fields(page, append([]string{"name", "My phone"}, said...)...)
	form.Set("passkey", made)
	return p.send("POST", "/my/devices/passkeys", form)
}

// signs is the form that approves what a page shows.
func (p *phone) signs(page *httptest.ResponseRecorder) url.Values {
	p.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(options(page))
	p.must(err)
	p.key.Counter++
	form := fields(page, "decision", "approve", "account", zeldaAccount)
	form.Set("passkey", virtualwebauthn.CreateAssertionResponse(p.bank, p.lock, p.key, *asked))
	return form
}

func (p *phone) approves(id string) *httptest.ResponseRecorder {
	p.Helper()
	return p.send("POST", "/device/"+id+"/decision", p.signs(p.send("GET", "/device/"+id, nil)))
}

// challengeOf computes a challenge as anybody can who has its parts.
func challengeOf(parts ...string) string {
	var all []byte
	for _, part := range parts {
		all = append(all, byte(len(part)>>24), byte(len(part)>>16), byte(len(part)>>8), byte(len(part)))
		all = append(all, part...)
	}
	sum := sha256.Sum256(all)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// signedChallenge is what an assertion's client data say was signed.
func signedChallenge(t *testing.T, assertion json.RawMessage) string {
	t.Helper()
	var a struct {
		Response struct {
			ClientData string `json:"clientDataJSON"`
		} `json:"response"`
	}
	var data struct {
		Challenge string `json:"challenge"`
	}
	if err := json.Unmarshal(assertion, &a); err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(a.Response.ClientData)
	if err == nil {
		err = json.Unmarshal(raw, &data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data.Challenge
}
