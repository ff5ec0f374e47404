package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// A pairwise client meets one name of the customer everywhere, which is good as
// a hint, and the log has the local one only.
func TestAPairwiseClientKnowsOneName(t *testing.T) {
	c := newCounter(t)
	c.PairwiseKey = [32]byte{7}
	c.client("pairs", "ciba", oauth.ClientMetadata{DeliveryMode: oauth.Poll, SubjectType: oauth.Pairwise, JWKSURI: "https://pairs.example/jwks"})
	c.depot()
	id := c.requested("pairs", "resource", siteBank)
	c.approved(id.ID)
	got := members(t, c.poll("pairs", id))
	access, idToken := got["access_token"].(string), got["id_token"].(string)
	name, _ := claimsOf(t, idToken)["sub"].(string)
	if name == "" || name == "zelda" {
		t.Fatalf("the client knows her as %q", name)
	}
	seen := map[string]any{
		"the access token": claimsOf(t, access)["sub"],
		"introspection":    members(t, c.introspected(access))["sub"],
		"userinfo":         members(t, c.userinfo("pairs", access))["sub"],
	}
	refreshed := c.serve(c.tokenRequest("pairs", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got["refresh_token"].(string)}}))
	seen["a refreshed ID token"] = claimsOf(t, members(t, refreshed)["id_token"].(string))["sub"]
	for where, other := range seen {
		if other != name {
			t.Errorf("she is %v in %s; want %s", other, where, name)
		}
	}
	if again := c.requested("pairs", "login_hint", "", "id_token_hint", idToken); c.state(again.ID).Requested().Subject != "zelda" {
		t.Error("the name does not lead back to her")
	}
	for e, err := range c.memory.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		c.must(err)
		if strings.Contains(string(e.Data)+string(e.Meta), name) {
			t.Errorf("%s has the name of the sector", e.Type)
		}
	}
}

// An ID token whose sub leads back to nobody is no hint.
func TestAHintUnderAnotherKey(t *testing.T) {
	c := newCounter(t)
	c.client("pairs", "ciba", oauth.ClientMetadata{DeliveryMode: oauth.Poll, SubjectType: oauth.Pairwise, JWKSURI: "https://pairs.example/jwks"})
	id := c.requested("pairs")
	c.approved(id.ID)
	hint := members(t, c.poll("pairs", id))["id_token"].(string)
	c.PairwiseKey[0]++
	c.refused(c.ask("pairs", "login_hint", "", "id_token_hint", hint), oauth.InvalidRequest)
}

// depot is a resource server of the issuer "ciba".
func (c *counter) depot() {
	c.Helper()
	c.keyring["depot"] = newKey(c.T)
	_, err := c.Clients.Execute(c.Context(), event.Meta{}, "depot", client.Register{Registered: client.Registered{Issuer: "ciba", Via: "operator",
		Metadata: oauth.ClientMetadata{ClientName: "depot", TokenEndpointAuthMethod: "private_key_jwt", Resources: []string{siteBank}}}})
	c.must(err)
}

func (c *counter) introspected(access string) *httptest.ResponseRecorder {
	c.Helper()
	r := c.form("depot", url.Values{"token": {access}})
	r.URL.Path = strings.Replace(r.URL.Path, "/bc-authorize", "/introspect", 1)
	return c.serve(r)
}

func (c *counter) userinfo(as, access string) *httptest.ResponseRecorder {
	c.Helper()
	address := of(as) + "/userinfo"
	r := httptest.NewRequest(http.MethodGet, address, nil)
	proof, err := jose.NewProof(c.keyring[as], "GET", address, access, c.Nonces.Issue("ciba", "rs", c.Now()), c.Now())
	c.must(err)
	r.Header.Set("Authorization", "DPoP "+access)
	r.Header.Set("DPoP", proof)
	return c.serve(r)
}

// listing answers for every sector.
type listing struct {
	of  []string
	err error
}

func (l listing) Sector(context.Context, api.Tenant, string) ([]string, error) { return l.of, l.err }

// Over HTTP, too.
func TestRegisteringInASector(t *testing.T) {
	for uri, want := range map[string]int{"https://tpp.example/cb": http.StatusCreated, "https://other.example/cb": http.StatusBadRequest} {
		st := newSite(t)
		st.Sectors = listing{of: []string{uri}}
		body := metadata("subject_type", `"pairwise"`, "sector_identifier_uri", `"https://sector.example/list"`)
		if w := st.request("POST", registerPath, st.initial("fapi2"), body); w.Code != want {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

// OIDC-Core §5.5.1: the claims parameter names her as the client knows her.
func TestARequestNamesThePairwiseCustomer(t *testing.T) {
	to := newTown(t)
	to.PairwiseKey = [32]byte{7}
	state, _, err := to.Clients.Get(t.Context(), "budgetly")
	to.must(err)
	m := state.Metadata()
	m.SubjectType = oauth.Pairwise
	_, err = to.Clients.Execute(t.Context(), event.Meta{}, "budgetly", client.Update{Updated: client.Updated{Metadata: m}})
	to.must(err)
	first := members(t, to.redeem(to.approve(to.push())))
	name := claimsOf(t, first["id_token"].(string))["sub"].(string)
	for sub, known := range map[string]bool{name: true, alice: false, name[:40] + "AAAA": false} {
		page, left := to.open(to.push("claims", `{"id_token":{"sub":{"value":"`+sub+`"}}}`))
		if asked := left == nil && page.Code == http.StatusOK; asked != known {
			t.Errorf("asked for %s: %d, %v", sub, page.Code, left)
		}
	}
}

// OIDC-Registration §5: a client is registered only with a sector that lists it.
func TestASectorListsItsClients(t *testing.T) {
	m := oauth.ClientMetadata{SubjectType: oauth.Pairwise, SectorIdentifierURI: "https://sector.example/list", RedirectURIs: []string{clientBack}}
	none := m
	none.SectorIdentifierURI = ""
	tests := []struct {
		name    string
		m       oauth.ClientMetadata
		sectors listing
		good    bool
	}{
		{"it lists the client", m, listing{of: []string{clientBack}}, true},
		{"it lists others", m, listing{of: []string{"https://other.example/cb"}}, false},
		{"it is not there", m, listing{err: errors.New("not found")}, false},
		{"there is none", none, listing{err: errors.New("not asked")}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			to := newTown(t)
			to.Sectors = tt.sectors
			tenant, _, err := to.Tenant(t.Context(), "fapi2")
			to.must(err)
			err = to.CheckSector(t.Context(), tenant, tt.m)
			if (err == nil) != tt.good || err != nil && !errors.Is(err, oauth.InvalidClientMetadata) {
				t.Errorf("got %v", err)
			}
		})
	}
}
