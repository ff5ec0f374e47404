package api_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/domain/token"
)

// The bank's app is told of a request, shows it, signs the answer, and the
// client that polls has its tokens.
func TestDevicePort(t *testing.T) {
	a := newBankApp(t)
	notices := make(chan string, 1)
	phone := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		notices <- string(raw)
	}))
	defer phone.Close()
	a.binds("receiver", phone.URL)
	id, authReqID := a.asked("poller")

	for _, told := range a.tell() {
		m, err := a.Compose(t.Context(), told, a.delivery(told))
		a.must(err)
		if m.URL == phone.URL {
			response, err := phone.Client().Post(m.URL, m.Media, bytes.NewReader(m.Body))
			a.must(err)
			response.Body.Close()
		}
	}
	if got := a.notified(<-notices); got != id {
		t.Fatalf("told of %q, want %s", got, id)
	}
	if list := a.call("GET", "/device-port/requests", "", ""); !strings.Contains(list.Body.String(), id) {
		t.Errorf("the list is %s", list.Body)
	}
	shown := a.fetches(id)
	sum := sha256.Sum256([]byte(shown["text"].(string)))
	if shown["shown"] != base64.RawURLEncoding.EncodeToString(sum[:]) || shown["binding_message"] != "1234" || !strings.Contains(shown["text"].(string), "1234") {
		t.Errorf("to be shown is %v", shown)
	}
	answer := a.signsAnswer(id, nil)
	if w := a.answers(id, answer); w.Code != http.StatusNoContent {
		t.Fatalf("answered: %d %s", w.Code, w.Body)
	}
	state, _, err := a.Backchannels.Load(t.Context(), id)
	a.must(err)
	if yes := state.Approved(); yes.Method != backchannel.DeviceKey || yes.ACR != api.ACRDevice || yes.Device != a.device || yes.Proof != answer ||
		len(yes.Details) != 1 || len(yes.Details[0].Accounts) != 1 || yes.Details[0].Accounts[0] != zeldaAccount {
		t.Errorf("the log says %+v", yes)
	}
	if on, _ := state.Shown(shown["shown"].(string)); on.Device != a.device {
		t.Errorf("shown on %q", on.Device)
	}
	if w := a.serve(a.polling("poller", authReqID)); w.Code != http.StatusOK || members(t, w)["access_token"] == nil {
		t.Errorf("polled: %d %s", w.Code, w.Body)
	}
	if w := a.answers(id, answer); w.Code != http.StatusConflict {
		t.Errorf("the same answer again: %d %s", w.Code, w.Body)
	}
}

// notified verifies a notification with the issuer's key and returns which
// request it is about.
func (a *bankApp) notified(compact string) string {
	a.Helper()
	raw, _, err := jose.VerifyOwn(compact, func(string) (crypto.PublicKey, string, bool) { return a.own.Key.Public(), "ES256", true }, "device-notification+jwt")
	a.must(err)
	var said struct{ Iss, Aud, Request string }
	a.must(json.Unmarshal(raw, &said))
	if said.Iss != openURL || said.Aud != a.device {
		a.Errorf("the notification is %s", raw)
	}
	return said.Request
}

func TestDeviceDenies(t *testing.T) {
	for decision, notMe := range map[string]bool{"deny": false, "not_me": true} {
		a := newBankApp(t).binds()
		id, _ := a.asked("poller")
		answer := a.signsAnswer(id, map[string]any{"decision": decision, "shown": nil, "accounts": nil})
		w := a.answers(id, answer)
		state, _, err := a.Backchannels.Load(t.Context(), id)
		a.must(err)
		if no := state.Denied(); w.Code != http.StatusNoContent || no.By != backchannel.Customer || no.NotMe != notMe || no.Device != a.device || no.Proof != answer {
			t.Errorf("%s: %d, the log says %+v", decision, w.Code, no)
		}
	}
}

func TestDeviceAnswerRefused(t *testing.T) {
	tests := []struct {
		name   string
		answer func(a *bankApp, id string) string
		status int
	}{
		{"nothing that was shown", func(a *bankApp, id string) string {
			return a.signsAnswer(id, map[string]any{"shown": strings.Repeat("A", 43)})
		}, 409},
		{"no account", func(a *bankApp, id string) string { return a.signsAnswer(id, map[string]any{"accounts": []string{}}) }, 400},
		{"an account that was not offered", func(a *bankApp, id string) string {
			return a.signsAnswer(id, map[string]any{"accounts": []string{"acc-of-ben"}})
		}, 400},
		{"for another issuer", func(a *bankApp, id string) string { return a.signsAnswer(id, map[string]any{"aud": fapiURL}) }, 400},
		{"from another device", func(a *bankApp, id string) string { return a.signsAnswer(id, map[string]any{"iss": "other"}) }, 400},
		{"to another request", func(a *bankApp, id string) string {
			other, _ := a.asked("poller")
			return a.signsAnswer(other, nil)
		}, 400},
		{"that has expired", func(a *bankApp, id string) string { return a.signsAnswer(id, map[string]any{"exp": a.Now().Unix()}) }, 400},
		{"that lasts too long", func(a *bankApp, id string) string {
			return a.signsAnswer(id, map[string]any{"exp": a.Now().Add(6 * time.Minute).Unix()})
		}, 400},
		{"without jti", func(a *bankApp, id string) string { return a.signsAnswer(id, map[string]any{"jti": nil}) }, 400},
		{"signed with another key", func(a *bankApp, id string) string {
			a.key = newKey(a.T)
			return a.signsAnswer(id, nil)
		}, 400},
		{"of a device that was removed", func(a *bankApp, id string) string {
			compact := a.signsAnswer(id, nil)
			a.call("DELETE", "/device-port/devices/"+a.device, "", "")
			return compact
		}, 400},
		{"that is a registration", func(a *bankApp, _ string) string { return a.proof(nil) }, 400},
		{"that is nothing", func(*bankApp, string) string { return "approve" }, 400},
		{"when the request has run out", func(a *bankApp, id string) string {
			compact := a.signsAnswer(id, map[string]any{"exp": a.Now().Add(5 * time.Minute).Unix()})
			a.pass(4 * time.Minute)
			return compact
		}, 409},
		{"to a client that was suspended meanwhile", func(a *bankApp, id string) string {
			compact := a.signsAnswer(id, nil)
			a.suspends("poller")
			return compact
		}, 409},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newBankApp(t).binds()
			id, _ := a.asked("poller")
			w := a.answers(id, tt.answer(a, id))
			state, _, err := a.Backchannels.Load(t.Context(), id)
			a.must(err)
			if w.Code != tt.status || state.Decided() || members(t, w)["error_description"] == "" {
				t.Errorf("got %d %s, decided %v", w.Code, w.Body, state.Decided())
			}
		})
	}
}

// An answer counts when it has arrived, not when it began to.
func TestDeviceAnswerThatTakesItsTime(t *testing.T) {
	tests := []struct {
		name      string
		meanwhile func(a *bankApp)
		status    int
	}{
		{"the request runs out", func(a *bankApp) { a.pass(20 * time.Second) }, http.StatusConflict},
		{"the device is removed", func(a *bankApp) { a.call("DELETE", "/device-port/devices/"+a.device, "", "") }, http.StatusBadRequest},
		{"the app is suspended", func(a *bankApp) { a.suspends("pusher") }, http.StatusUnauthorized},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newBankApp(t).binds()
			id := a.requested("poller", "requested_expiry", "10").ID
			compact := a.signsAnswer(id, nil)
			r := a.calling("POST", "/device-port/requests/"+id, "application/jose", compact)
			r.Body = &slowly{r.Body, func() { tt.meanwhile(a) }}
			w := a.serve(r)
			state, _, err := a.Backchannels.Load(t.Context(), id)
			a.must(err)
			if w.Code != tt.status || state.Decided() {
				t.Errorf("got %d %s, decided %v", w.Code, w.Body, state.Decided())
			}
		})
	}
}

func TestBindDevice(t *testing.T) {
	tests := []struct {
		name   string
		change func(a *bankApp) string
		status int
	}{
		{"a device is bound", func(a *bankApp) string { return a.registration() }, 201},
		{"again it is the same one", func(a *bankApp) string { a.binds(); return a.registration() }, 200},
		{"not with a proof for another customer", func(a *bankApp) string {
			return a.registration("proof", a.proof(map[string]any{"sub": "ben"}))
		}, 400},
		{"not with a proof for another issuer", func(a *bankApp) string {
			return a.registration("proof", a.proof(map[string]any{"aud": fapiURL}))
		}, 400},
		{"not with an old proof", func(a *bankApp) string {
			return a.registration("proof", a.proof(map[string]any{"iat": a.Now().Add(-5 * time.Minute).Unix()}))
		}, 400},
		{"not with a proof that was used, after the device was removed", func(a *bankApp) string {
			sent := a.registration()
			w := a.call("POST", "/device-port/devices", "application/json", sent)
			a.call("DELETE", "/device-port/devices/"+members(a.T, w)["device_id"].(string), "", "")
			return sent
		}, 400},
		{"not without the key", func(a *bankApp) string { return a.registration("jwk", newBankApp(a.T).jwk) }, 400},
		{"not with a private key", func(a *bankApp) string {
			return a.registration("jwk", map[string]string{"kty": "EC", "crv": "P-256", "d": "AQ"})
		}, 400},
		{"not with a receiver in the clear", func(a *bankApp) string { return a.registration("receiver", "http://phone.example") }, 400},
		{"not with a receiver that has a password", func(a *bankApp) string { return a.registration("receiver", "https://a:b@phone.example") }, 400},
		{"not with a name that turns the text", func(a *bankApp) string { return a.registration("name", "x\u202ey") }, 400},
		{"not with something else", func(a *bankApp) string { return a.registration("kind", "phone") }, 400},
		{"not with nothing", func(*bankApp) string { return "" }, 400},
		{"not one too many", func(a *bankApp) string {
			for range subject.MaxDevices {
				a.app("zelda").binds()
			}
			return a.registration()
		}, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newBankApp(t)
			w := a.call("POST", "/device-port/devices", "application/json", tt.change(a))
			if w.Code != tt.status {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
}

// An app that knows its customer by a pairwise name binds devices by that name.
func TestBindDeviceOfAPairwiseApp(t *testing.T) {
	a := newBankApp(t)
	app, _, err := a.Clients.Get(t.Context(), "pusher")
	a.must(err)
	m := app.Metadata()
	m.SubjectType = oauth.Pairwise
	_, err = a.Clients.Execute(t.Context(), event.Meta{}, "pusher", client.Update{Updated: client.Updated{Metadata: m}})
	a.must(err)
	id, _ := a.asked("pusher")
	a.approves(id)
	a.must(a.IssuePush(t.Context(), id))
	known := claimsOf(t, a.pushes(id)["id_token"].(string))["sub"]
	for sub, want := range map[any]int{"zelda": http.StatusBadRequest, known: http.StatusCreated} {
		sent := a.registration("proof", a.proof(map[string]any{"sub": sub}))
		if w := a.call("POST", "/device-port/devices", "application/json", sent); w.Code != want {
			t.Errorf("as %v: %d %s", sub, w.Code, w.Body)
		}
	}
}

func TestDevicePortIsFor(t *testing.T) {
	a := newBankApp(t).binds()
	id, _ := a.asked("poller")
	path := "/device-port/requests/" + id + "?device=" + a.device
	own := a.access
	tests := []struct {
		name   string
		access string
		path   string
		status int
	}{
		{"the app of the customer", own, path, 200},
		{"not another scope", a.token("openid accounts", "zelda"), path, 403},
		{"not a client by itself", a.token("device", ""), path, 403},
		{"not a customer of another issuer", a.token("device", "zelda-fapi"), path, 401},
		{"not who has no token", "nothing", path, 401},
		{"not a device of nobody", own, "/device-port/requests/" + id + "?device=other", 400},
		{"not a request that there is not", own, strings.Replace(path, id, "0191b1b0-0000-7000-8000-000000000000", 1), 404},
		{"not a path that names none", own, "/device-port/requests/x?device=" + a.device, 404},
	}
	for _, tt := range tests {
		a.access = tt.access
		if w := a.call("GET", tt.path, "", ""); w.Code != tt.status {
			t.Errorf("%s: got %d %s", tt.name, w.Code, w.Body)
		}
	}
	a.access = a.issued(token.Confirmation{}, "device", "zelda")
	bearer := a.calling("GET", path, "", "")
	bearer.Header.Del("DPoP")
	bearer.Header.Set("Authorization", "Bearer "+a.access)
	if w := a.serve(bearer); w.Code != http.StatusUnauthorized {
		t.Errorf("a token that anybody can use: %d %s", w.Code, w.Body)
	}
	a.customer("ben", "ciba", false)
	ben := a.app("ben").binds()
	if w := ben.call("GET", "/device-port/requests/"+id+"?device="+ben.device, "", ""); w.Code != http.StatusNotFound {
		t.Errorf("another customer: %d %s", w.Code, w.Body)
	}
	a.access = own
	for _, step := range []struct {
		scopes []string
		status int
	}{{[]string{"openid", "accounts"}, http.StatusNotFound}, {[]string{"openid", "accounts", "device"}, http.StatusOK}} {
		a.changes("ciba", func(s *issuer.Settings) { s.Scopes = step.scopes })
		if w := a.call("GET", path, "", ""); w.Code != step.status {
			t.Errorf("an issuer with the scopes %v: %d %s", step.scopes, w.Code, w.Body)
		}
	}
	_, err := a.Subjects.Execute(t.Context(), event.Meta{Subject: "zelda"}, "zelda", subject.Erase{Erased: subject.Erased{Reason: "asked"}})
	a.must(err)
	if w := a.call("GET", "/device-port/devices", "", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("after the erasure: %d %s", w.Code, w.Body)
	}
}
