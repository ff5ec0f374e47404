package api_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// requested returns the auth_req_id of a request by a client.
func (c *counter) requested(as string, fields ...string) oauth.Artefact {
	c.Helper()
	w := c.ask(as, fields...)
	text, _ := members(c.T, w)["auth_req_id"].(string)
	id, ok := oauth.ParseArtefact(text)
	if w.Code != http.StatusOK || !ok {
		c.Fatalf("asked: %d %s", w.Code, w.Body)
	}
	return id
}

// yes is what Zelda approves of a request.
func (c *counter) yes(id string) backchannel.Approved {
	asked := c.state(id).Requested()
	return backchannel.Approved{
		Consent: "consent-of-" + id, Subject: asked.Subject, Scope: asked.Scope, Expires: c.Now().Add(24 * time.Hour),
		Shown: "hash", Template: "ciba", Locale: "en", ACR: "urn:chirograph:acr:passkey", AMR: []string{"hwk"}, AuthTime: c.Now(), Method: backchannel.Passkey,
	}
}

func (c *counter) state(id string) backchannel.State {
	c.Helper()
	state, _, err := c.Backchannels.Load(c.Context(), id)
	c.must(err)
	return state
}

// approved says yes, but does not reach the consent: whoever needs it completes
// it.
func (c *counter) approved(id string) {
	c.Helper()
	yes := c.yes(id)
	c.does(id, backchannel.Show{Shown: backchannel.Shown{Shown: "hash", Rendered: "<p>"}, Subject: yes.Subject, At: c.Now()})
	c.does(id, backchannel.Approve{Approved: yes, At: c.Now()})
}

func (c *counter) denied(id string) {
	c.Helper()
	c.does(id, backchannel.Deny{Denied: backchannel.Denied{By: backchannel.Customer, Reason: "no"}, Subject: c.state(id).Requested().Subject, At: c.Now()})
}

func (c *counter) does(id string, cmd backchannel.Command) {
	c.Helper()
	_, err := c.Backchannels.Execute(c.Context(), event.Meta{Subject: c.state(id).Requested().Subject}, id, cmd)
	c.must(err)
}

// polling is a token request for an auth_req_id.
func (c *counter) polling(as, authReqID string, fields ...string) *http.Request {
	c.Helper()
	form := url.Values{"grant_type": {oauth.GrantCIBA}, "auth_req_id": {authReqID}}
	return c.tokenRequest(as, form, fields...)
}

func (c *counter) tokenRequest(as string, form url.Values, fields ...string) *http.Request {
	c.Helper()
	r := c.form(as, form, fields...)
	r.URL.Path = strings.Replace(r.URL.Path, "/bc-authorize", "/token", 1)
	if r.Header.Get("DPoP") != "" {
		proof, err := jose.NewProof(c.keyring[as], "POST", of(as)+"/token", "", "", c.Now())
		c.must(err)
		r.Header.Set("DPoP", proof)
	}
	return r
}

func (c *counter) poll(as string, id oauth.Artefact, fields ...string) *httptest.ResponseRecorder {
	c.Helper()
	return c.serve(c.polling(as, id.Text(), fields...))
}

// refused checks that a poll is refused with a code.
func (c *counter) refused(w *httptest.ResponseRecorder, code oauth.Code) {
	c.Helper()
	if got := members(c.T, w)["error"]; w.Code != http.StatusBadRequest || got != string(code) {
		c.Errorf("got %d %s; want %s", w.Code, w.Body, code)
	}
}

// stops ends the consent of an approved request.
func (c *counter) stops(id string) {
	c.Helper()
	yes := c.state(id).Approved()
	asked := consent.Authorize{At: c.Now(), Authorized: consent.Authorized{Client: "poller", Subject: yes.Subject, Scope: yes.Scope, Expires: yes.Expires, Backchannel: id}}
	for _, cmd := range []consent.Command{asked, consent.Revoke{Revoked: consent.Revoked{By: consent.Customer}}} {
		_, err := c.Consents.Execute(c.Context(), event.Meta{Subject: yes.Subject}, yes.Consent, cmd)
		c.must(err)
	}
}

// onceEach checks that a request led to one of everything at most.
func (c *counter) onceEach() {
	c.Helper()
	all := c.written()
	for _, kind := range []string{"consent.authorized", "backchannel.redeemed", "token.issued", "refresh.issued"} {
		n := 0
		for _, one := range all {
			if one == kind {
				n++
			}
		}
		if n > 1 {
			c.Errorf("%d times %s", n, kind)
		}
	}
}

// claimsOf reads a JWT.
func claimsOf(t *testing.T, compact string) (claims map[string]any) {
	t.Helper()
	part := strings.Split(compact, ".")
	if len(part) != 3 {
		t.Fatalf("not a JWT: %q", compact)
	}
	raw, err := base64.RawURLEncoding.DecodeString(part[1])
	if err == nil {
		err = json.Unmarshal(raw, &claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims
}
