package api_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"

	"github.com/google/uuid"
)

// A bankApp is the bank's own app on Zelda's phone: it holds an access token
// with the scope device, and the phone a key.
type bankApp struct {
	*teller
	access string
	owner  string
	key    jose.Signer
	jwk    json.RawMessage
	device string // id, once it is bound
}

func newBankApp(t *testing.T) *bankApp {
	c := newTeller(t)
	c.DeviceKeys, c.Pending = jose.DeviceKeys{}, portPending{c}
	settings := issuer.Settings{DisplayName: "Quixwood Bank", Scopes: []string{"openid", "profile", "accounts", "device"}, Resources: []string{siteBank}, Accounts: true, UserCodes: true}
	_, err := c.Issuers.Execute(t.Context(), event.Meta{}, "ciba", issuer.ChangeSettings{SettingsChanged: issuer.SettingsChanged{Settings: settings}})
	c.must(err)
	return c.app("zelda")
}

// app is the app on another phone, of the same or another customer.
func (c *teller) app(owner string) *bankApp {
	c.Helper()
	a := &bankApp{teller: c, owner: owner, key: newKey(c.T)}
	a.key.KeyID = ""
	jwk, err := jose.PublicJWK("", "", "", a.key.Key.Public())
	c.must(err)
	a.jwk = jwk
	a.access = a.token("device", owner)
	return a
}

// token is an access token of the app, bound to pusher's key.
func (a *bankApp) token(scope, who string) string {
	a.Helper()
	thumbprint, err := jose.Thumbprint(a.keyring["pusher"].Key.Public())
	a.must(err)
	return a.issued(token.Confirmation{JKT: thumbprint}, scope, who)
}

func (a *bankApp) issued(bound token.Confirmation, scope, who string) string {
	a.Helper()
	t := oauth.Artefact{ID: uuid.NewString()}
	rand.Read(t.Secret[:])
	_, err := a.Tokens.Execute(a.Context(), event.Meta{}, t.ID, token.Issue{Issued: token.Issued{
		Client: "pusher", Subject: who, Scope: scope, Audience: []string{openURL}, Expires: a.Now().Add(time.Hour), Digest: t.Digest(),
		Confirmation: bound, Evidence: oauth.Evidence{ClientAuth: "private_key_jwt"}}})
	a.must(err)
	return t.Text()
}

// call calls the port with the access token and a proof.
func (a *bankApp) call(method, path, media, body string) *httptest.ResponseRecorder {
	a.Helper()
	return a.serve(a.calling(method, path, media, body))
}

func (a *bankApp) calling(method, path, media, body string) *http.Request {
	a.Helper()
	r := httptest.NewRequest(method, openURL+path, strings.NewReader(body))
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	r.Header.Set("Authorization", "DPoP "+a.access)
	proof, err := jose.NewProof(a.keyring["pusher"], method, openURL+path, a.access, a.Nonces.Issue("ciba", "rs", a.Now()), a.Now())
	a.must(err)
	r.Header.Set("DPoP", proof)
	return r
}

// says signs a statement of the device, changed by more. A claim of nil is
// removed.
func (a *bankApp) says(typ string, claims, more map[string]any) string {
	a.Helper()
	for name, value := range more {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	raw, err := json.Marshal(claims)
	a.must(err)
	compact, err := jose.Sign(a.key, typ, raw)
	a.must(err)
	return compact
}

func (a *bankApp) proof(more map[string]any) string {
	return a.says("device-registration+jwt", map[string]any{"aud": openURL, "sub": a.owner, "iat": a.Now().Unix(), "jti": uuid.NewString()}, more)
}

// registration is the body that binds the device.
func (a *bankApp) registration(edits ...any) string {
	a.Helper()
	m := map[string]any{"jwk": a.jwk, "name": "Zelda's phone", "proof": a.proof(nil)}
	for i := 0; i < len(edits); i += 2 {
		m[edits[i].(string)] = edits[i+1]
	}
	raw, err := json.Marshal(m)
	a.must(err)
	return string(raw)
}

// binds binds the device.
func (a *bankApp) binds(edits ...any) *bankApp {
	a.Helper()
	w := a.call("POST", "/device-port/devices", "application/json", a.registration(edits...))
	if a.device, _ = members(a.T, w)["device_id"].(string); w.Code != http.StatusCreated || a.device == "" {
		a.Fatalf("bound: %d %s\n%s", w.Code, w.Body, a.logged.String())
	}
	return a
}

// fetches returns what is to be shown of a request.
func (a *bankApp) fetches(id string) map[string]any {
	a.Helper()
	w := a.call("GET", "/device-port/requests/"+id+"?device="+a.device, "", "")
	if w.Code != http.StatusOK {
		a.Fatalf("fetched: %d %s\n%s", w.Code, w.Body, a.logged.String())
	}
	return members(a.T, w)
}

// signsAnswer is a yes to what was fetched of a request.
func (a *bankApp) signsAnswer(id string, more map[string]any) string {
	a.Helper()
	return a.says("device-answer+jwt", map[string]any{
		"iss": a.device, "aud": openURL, "sub": id, "iat": a.Now().Unix(), "exp": a.Now().Add(time.Minute).Unix(), "jti": uuid.NewString(),
		"decision": "approve", "shown": a.fetches(id)["shown"], "accounts": []string{zeldaAccount},
	}, more)
}

func (a *bankApp) answers(id, compact string) *httptest.ResponseRecorder {
	a.Helper()
	return a.call("POST", "/device-port/requests/"+id, "application/jose", compact)
}

// portPending are the requests in the log that wait.
type portPending struct{ *teller }

func (p portPending) Pending(_ context.Context, who string, now time.Time) (all []api.PendingRequest, err error) {
	for _, id := range p.requests() {
		state, _, err := p.Backchannels.Load(p.Context(), id)
		if r := state.Requested(); err == nil && r.Subject == who && state.Pending(now) {
			all = append(all, api.PendingRequest{ID: id, Client: r.Client, Asked: now, Expires: r.Expires})
		}
	}
	return all, nil
}
