package projections

import (
	"context"
	"errors"
	"testing"

	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

func TestClientFollowsItsEvents(t *testing.T) {
	h := newHouse(t)
	h.register("budgetly", "Budgetly")
	staff := event.Meta{Actor: event.ActorOperator}
	steps := []struct {
		name   string
		event  any
		status string
		called string
	}{
		{"it is suspended", client.Suspended{Reason: "suspicious"}, "suspended", "Budgetly"},
		{"it is reinstated", client.Reinstated{Reason: "cleared"}, "active", "Budgetly"},
		{"it changes its name and becomes a resource server", client.Updated{Metadata: oauth.ClientMetadata{
			ClientName: "Budgetly Plus", TokenEndpointAuthMethod: "tls_client_auth", Resources: []string{"https://api.example"},
		}}, "active", "Budgetly Plus"},
		{"it is deleted", client.Deleted{By: "operator"}, "deleted", "Budgetly Plus"},
	}
	for _, step := range steps {
		h.record("client-budgetly", staff, step.event)
		h.catchUp()
		c, found, err := h.set.Clients.Get(context.Background(), "budgetly")
		if err != nil || !found || c.Status != step.status || c.Name != step.called || !c.Updated.After(c.Registered) {
			t.Errorf("%s: got %+v, %v, %v", step.name, c, found, err)
		}
	}
	c, _, _ := h.set.Clients.Get(context.Background(), "budgetly")
	if c.AuthMethod != "tls_client_auth" || !c.Resource || c.Issuer != "bank" {
		t.Errorf("got %+v", c)
	}
}

func TestClientsAreListedByPages(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	for _, id := range []string{"one", "two", "three"} {
		h.register(id, id)
	}
	h.record("client-other", event.Meta{}, client.Registered{Issuer: "other", Metadata: oauth.ClientMetadata{ClientName: "Other"}})
	h.catchUp()
	var got []string
	page := Page{Limit: 2}
	for {
		l, err := h.set.Clients.List(ctx, "bank", page)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range l.Items {
			got = append(got, c.ID)
		}
		if page.Cursor = l.Next; page.Cursor == "" {
			break
		}
		if _, err := h.set.Clients.List(ctx, "other", page); !errors.Is(err, ErrCursor) {
			t.Errorf("another issuer's listing takes the cursor: %v", err)
		}
	}
	if len(got) != 3 || got[0] != "three" || got[2] != "one" {
		t.Errorf("got %v", got)
	}
	if all, err := h.set.Clients.List(ctx, "", Page{}); err != nil || len(all.Items) != 4 {
		t.Errorf("all issuers: %v, %v", all, err)
	}
}

func TestNamesAnswerWithTheIdentifierWhenTheyKnowNoBetter(t *testing.T) {
	h := newHouse(t)
	h.tell()
	h.catchUp()
	n := h.set.Audit.Names(context.Background())
	for id, want := range map[string]string{"budgetly": "Budgetly", "stranger": "stranger"} {
		if got := n.Client(id); got != want {
			t.Errorf("client %s is called %q", id, got)
		}
	}
	for id, want := range map[string]string{"alice": "Alice " + pii, "stranger": "stranger"} {
		if got := n.Subject(id); got != want {
			t.Errorf("customer %s is called %q", id, got)
		}
	}
}
