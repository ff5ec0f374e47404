package projections

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

func (h *house) consent(id string) Consent {
	h.t.Helper()
	h.catchUp()
	c, found, err := h.set.Consents.Get(context.Background(), id)
	if err != nil || !found {
		h.t.Fatalf("consent %s: %v, %v", id, found, err)
	}
	return c
}

func TestConsentTellsWhoSharedWhatWithWhomAndUntilWhen(t *testing.T) {
	h := newHouse(t)
	alice, _ := h.tell()
	c := h.consent(alice.consent)
	if c.Client != "budgetly" || c.Subject != "alice" || c.Scope != "accounts" || c.Issuer != "bank" || !c.Expires.Equal(alice.expires) {
		t.Errorf("got %+v", c)
	}
	if !slices.Equal(c.Permissions, []string{oauth.ReadBalances}) || len(c.Accounts()) != 2 {
		t.Errorf("permits %v on %v", c.Permissions, c.Accounts())
	}
	if c.Status != consent.Terminated || c.EndedBy != "customer" || !c.Ended.After(c.Since) {
		t.Errorf("ended %v by %q at %v", c.Status, c.EndedBy, c.Ended)
	}
	if c.Accesses != 2 || !c.LastAccess.After(c.Since) || !c.LastAccess.Before(c.Ended) {
		t.Errorf("%d accesses, the last at %v: one that was refused does not count", c.Accesses, c.LastAccess)
	}
}

func TestConsentFollowsItsEvents(t *testing.T) {
	later := begin.AddDate(1, 0, 0)
	tests := []struct {
		name   string
		event  any
		status consent.Status
		by     string
	}{
		{"it is authorized", nil, consent.Active, ""},
		{"it is suspended", consent.Suspended{By: consent.Bank}, consent.Stopped, ""},
		{"it is confirmed again", consent.Reauthenticated{AuthTime: later}, consent.Active, ""},
		{"it is revoked by the client", consent.Revoked{By: consent.Client}, consent.Terminated, "client"},
		{"it is used up", consent.Consumed{}, consent.UsedUp, "client"},
		{"it is superseded", consent.Superseded{By: "c7"}, consent.Replaced, "customer"},
		{"it is rejected", consent.Rejected{By: consent.Customer}, consent.Refused, "customer"},
		{"it runs out", consent.Expired{}, "expired", "expiry"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t)
			j := newJourney(1, "budgetly", "alice")
			h.approve(j)
			if test.event != nil {
				h.record("consent-"+j.consent, event.Meta{}, test.event)
			}
			c := h.consent(j.consent)
			if c.Status != test.status || c.EndedBy != test.by || c.Ended.IsZero() != (test.by == "") {
				t.Errorf("got %v, ended by %q at %v", c.Status, c.EndedBy, c.Ended)
			}
			if c.Active(begin.Add(time.Hour)) != (test.status == consent.Active) {
				t.Error("active is not what the status says")
			}
		})
	}
}

func TestConsentThatWasLodgedKeepsWhenItWasAsked(t *testing.T) {
	h := newHouse(t)
	j := newJourney(1, "budgetly", "alice")
	h.record("consent-"+j.consent, event.Meta{Client: "budgetly"}, consent.Lodged{Client: "budgetly", Expires: j.expires})
	asked := h.now
	if c := h.consent(j.consent); c.Status != consent.Awaiting || c.Subject != "" {
		t.Errorf("got %+v", c)
	}
	h.push(j)
	h.signIn(j)
	h.approve(j)
	if c := h.consent(j.consent); c.Status != consent.Active || !c.Asked.Equal(asked) || !c.Since.After(asked) {
		t.Errorf("asked at %v, authorized at %v", c.Asked, c.Since)
	}
}

func TestConsentAmended(t *testing.T) {
	h := newHouse(t)
	j := newJourney(1, "budgetly", "alice")
	h.approve(j)
	h.record("consent-"+j.consent, j.person(), consent.Amended{Scope: "openid", Permissions: []string{oauth.ReadAccounts}, Expires: begin.AddDate(0, 1, 0)})
	c := h.consent(j.consent)
	if c.Scope != "openid" || !slices.Equal(c.Permissions, []string{oauth.ReadAccounts}) || !c.Expires.Equal(begin.AddDate(0, 1, 0)) {
		t.Errorf("got %+v", c)
	}
}

func ids(all []Consent) []string {
	var ids []string
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestConsentsOfACustomerAndOfAClient(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	h.tell()
	third := newJourney(3, "budgetly", "alice")
	h.approve(third)
	h.catchUp()
	of, err := h.set.Consents.Of(ctx, "alice")
	if err != nil || !slices.Equal(ids(of), []string{"c3", "c1"}) {
		t.Errorf("Of: %v, %v", ids(of), err)
	}
	active, err := h.set.Consents.ActiveOf(ctx, "alice", h.now)
	if err != nil || !slices.Equal(ids(active), []string{"c3"}) {
		t.Errorf("ActiveOf: %v, %v", ids(active), err)
	}
	if active, _ = h.set.Consents.ActiveOf(ctx, "alice", third.expires); len(active) > 0 {
		t.Error("a consent is active at its expiry")
	}
	first, err := h.set.Consents.OfClient(ctx, "budgetly", Page{Limit: 1})
	if err != nil || !slices.Equal(ids(first.Items), []string{"c3"}) || len(first.Items[0].Accounts()) != 2 {
		t.Errorf("OfClient: %v, %v", first, err)
	}
	rest, err := h.set.Consents.OfClient(ctx, "budgetly", Page{Cursor: first.Next})
	if err != nil || !slices.Equal(ids(rest.Items), []string{"c1"}) || rest.Next != "" {
		t.Errorf("the next page: %v, %v", rest, err)
	}
	if _, found, err := h.set.Consents.Get(ctx, "nothing"); found || err != nil {
		t.Errorf("a consent that nobody asked for: %v, %v", found, err)
	}
}

func TestConsentOfAnErasedCustomerNamesNoAccounts(t *testing.T) {
	h := newHouse(t)
	alice, _ := h.tell()
	h.erase("alice")
	if c := h.consent(alice.consent); len(c.Accounts()) > 0 || c.Status != consent.Terminated {
		t.Errorf("got %+v", c)
	}
}
