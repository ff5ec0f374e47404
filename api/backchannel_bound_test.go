package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// certified is that every request comes with one certificate.
type certified struct{ shown oauth.Certificate }

func (c certified) Certificate(*http.Request) (*oauth.Certificate, error) { return &c.shown, nil }

var theCertificate = certified{oauth.Certificate{Thumbprint: "x5-of-the-till", Chain: [][]byte{[]byte("DER")}, Trusted: true, Subject: "CN=till"}}

// askedByTLS is a request of a client that shows its certificate and no proof.
func (c *counter) askedByTLS(as string) oauth.Artefact {
	c.Helper()
	r := c.asking(as)
	r.Header.Del("DPoP")
	w := c.serve(r)
	text, _ := members(c.T, w)["auth_req_id"].(string)
	id, ok := oauth.ParseArtefact(text)
	if !ok {
		c.Fatalf("asked: %d %s", w.Code, w.Body)
	}
	return id
}

// RFC 8705 §3: what is polled for is bound to the certificate of the poll.
func TestAPollBindsToTheCertificate(t *testing.T) {
	c := newCounter(t)
	c.Certificates = theCertificate
	c.client("reader", "ciba", oauth.ClientMetadata{DeliveryMode: oauth.Poll, TLSBoundTokens: true})
	id := c.askedByTLS("reader")
	c.approved(id.ID)
	r := c.polling("reader", id.Text())
	r.Header.Del("DPoP")
	got := members(t, c.serve(r))
	c.boundToCertificate(got)
}

// RFC 8705 §3.4, RFC 9449 §5.2: a client whose tokens are to be bound, and that
// shows no key of that kind, gets none.
func TestAPollWithoutTheKeyGetsNoTokens(t *testing.T) {
	tests := []struct {
		name string
		as   string
		m    oauth.ClientMetadata
		want oauth.Code
	}{
		{"a client registered to bind to its certificate", "reader", oauth.ClientMetadata{TLSBoundTokens: true}, oauth.InvalidRequest},
		{"a client registered to bind by proof", "reader", oauth.ClientMetadata{DPoPBoundTokens: true}, oauth.InvalidDPoPProof},
		{"a client registered before the profile bound it", "unbound-till", oauth.ClientMetadata{RequestAlg: "ES256"}, oauth.InvalidRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCounter(t)
			tt.m.DeliveryMode = oauth.Poll
			var asked *http.Request
			if of(tt.as) == fapiURL {
				c.client(tt.as, "fapi-ciba", tt.m)
				asked = c.signed(tt.as, tt.as, c.claims(tt.as, nil))
			} else {
				c.client(tt.as, "ciba", tt.m)
				asked = c.asking(tt.as)
			}
			asked.Header.Del("DPoP")
			text, _ := members(t, c.serve(asked))["auth_req_id"].(string)
			id, _ := oauth.ParseArtefact(text)
			c.approved(id.ID)
			r := c.polling(tt.as, text)
			r.Header.Del("DPoP")
			c.refused(c.serve(r), tt.want)
			if slices.Contains(c.written(), "backchannel.redeemed") {
				t.Error("auth_req_id is spent")
			}
		})
	}
}

// FAPI1-ADV §5.2.2-5: where tokens are bound to certificates, a proof binds
// nothing, neither when a client asks nor when it polls.
func TestAProofIsRefusedWhereCertificatesAreDemanded(t *testing.T) {
	c := newCounter(t)
	proven := func(r *http.Request) *http.Request {
		proof, err := jose.NewProof(c.keyring["other-till"], "POST", fapiURL+r.URL.Path[len("/fapi-ciba"):], "", "", c.Now())
		c.must(err)
		r.Header.Set("DPoP", proof)
		return r
	}
	c.refused(c.serve(proven(c.signed("other-till", "other-till", c.claims("other-till", nil)))), oauth.InvalidDPoPProof)
	asked := c.serve(c.signed("other-till", "other-till", c.claims("other-till", nil)))
	id, _ := oauth.ParseArtefact(members(t, asked)["auth_req_id"].(string))
	c.approved(id.ID)
	c.refused(c.serve(proven(c.polling("other-till", id.Text()))), oauth.InvalidDPoPProof)
	if algs, said := members(t, c.serve(httptest.NewRequest("GET", fapiURL+"/.well-known/openid-configuration", nil)))["dpop_signing_alg_values_supported"]; said {
		t.Errorf("proofs signed with %v are offered", algs)
	}
}

// CIBA §5: what is pushed is bound to the certificate of the request.
func TestAPushBindsToTheCertificate(t *testing.T) {
	c := newCounter(t)
	c.Certificates = theCertificate
	c.client("presser", "ciba", oauth.ClientMetadata{DeliveryMode: oauth.Push, TLSBoundTokens: true})
	id := c.askedByTLS("presser")
	c.approved(id.ID)
	c.must(c.IssuePush(t.Context(), id.ID))
	c.boundToCertificate(c.pushes(id.ID))
}

func (c *counter) boundToCertificate(got map[string]any) {
	c.Helper()
	access, _ := got["access_token"].(string)
	bound, _ := claimsOf(c.T, access)["cnf"].(map[string]any)
	if bound["x5t#S256"] != "x5-of-the-till" || got["token_type"] != "Bearer" {
		c.Errorf("bound to %v, of type %v", bound, got["token_type"])
	}
}

// CIBA §5: a client that has registered to have its tokens bound, and has shown
// no key since it asked, gets none.
func TestAPushWithoutAKeyFails(t *testing.T) {
	c := newCounter(t)
	c.client("loose", "ciba", oauth.ClientMetadata{DeliveryMode: oauth.Push})
	r := c.asking("loose")
	r.Header.Del("DPoP")
	id, _ := oauth.ParseArtefact(members(t, c.serve(r))["auth_req_id"].(string))
	c.approved(id.ID)
	state, _, err := c.Clients.Get(t.Context(), "loose")
	c.must(err)
	m := state.Metadata()
	m.DPoPBoundTokens = true
	_, err = c.Clients.Execute(t.Context(), event.Meta{}, "loose", client.Update{Updated: client.Updated{Metadata: m}})
	c.must(err)
	if err := c.IssuePush(t.Context(), id.ID); err == nil || c.state(id.ID).Failed().Error != oauth.TransactionFailed {
		t.Errorf("got %v", err)
	}
}

// CIBA §4: a pairwise client that authenticates by a certificate of an authority
// must sign its request.
func TestAPairwiseClientProvesItsSector(t *testing.T) {
	c := newCounter(t)
	c.Certificates = theCertificate
	for kind, want := range map[string]int{"public": http.StatusOK, oauth.Pairwise: http.StatusBadRequest} {
		id := "till-" + kind
		c.client(id, "ciba", oauth.ClientMetadata{DeliveryMode: oauth.Poll, SubjectType: kind, JWKSURI: "https://till.example/jwks", TLSBoundTokens: true})
		state, _, err := c.Clients.Get(t.Context(), id)
		c.must(err)
		m := state.Metadata()
		m.TokenEndpointAuthMethod, m.TLSSubjectDN = "tls_client_auth", "CN=till"
		_, err = c.Clients.Execute(t.Context(), event.Meta{}, id, client.Update{Updated: client.Updated{Metadata: m}})
		c.must(err)
		form := url.Values{"client_id": {id}, "scope": {"openid"}, "login_hint": {zeldaLogin}}
		r := c.form(id, form, "client_assertion", "", "client_assertion_type", "")
		r.Header.Del("DPoP")
		if w := c.serve(r); w.Code != want {
			t.Errorf("%s: %d %s", kind, w.Code, w.Body)
		}
	}
}
