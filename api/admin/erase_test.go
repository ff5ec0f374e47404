package admin

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// sharing is a cluster whose customer Alice shares with Budgetly, twice.
func sharing(t *testing.T) *cluster {
	c := newCluster(t)
	_, err := c.nodes[0].Apply(t.Context(), operatorMeta, installation(t))
	c.must(err)
	for _, id := range []string{"c1", "c2"} {
		_, err := c.nodes[0].API.Consents.Execute(t.Context(), event.Meta{Subject: "alice"}, id, consent.Authorize{
			At: c.Now(), Authorized: consent.Authorized{Client: "budgetly", Subject: "alice", Expires: c.Now().AddDate(0, 6, 0)}})
		c.must(err)
	}
	return c
}

const eraseAlice = "/admin/subjects/alice/erase"

// erased checks that all has ended, in whichever order it was interrupted.
func (c *cluster) isErased() {
	c.Helper()
	if revoked, erased := c.count("consent.revoked"), c.count("subject.erased"); revoked != 2 || erased != 1 {
		c.Errorf("%d consents are revoked, %d subjects erased", revoked, erased)
	}
	for e, err := range c.memory.ReadAll(c.Context(), 0, eventstore.Filter{Types: []string{"subject.erased"}}) {
		c.must(err)
		if n := len(c.beside.erased); n == 0 || c.beside.erased[n-1] != e.Position {
			c.Errorf("the keys were told %v; it was recorded at %d", c.beside.erased, e.Position)
		}
	}
}

// Wherever a node dies while it erases, repeating it completes it, on any node.
func TestErasureStops(t *testing.T) {
	for n := range 3 {
		for _, written := range []bool{false, true} {
			t.Run(fmt.Sprintf("at append %d, written %v", n+1, written), func(t *testing.T) {
				c := sharing(t)
				c.steps.Plan(append(make([]storetest.Cut, n), storetest.Cut{At: 1, Written: written, Err: errPower})...)
				if w := c.post(0, eraseAlice, `{"reason":"asked","revoke":true}`); w.Code < 500 || len(c.beside.erased) != 0 {
					t.Fatalf("got %d %s", w.Code, w.Body)
				}
				if w := c.post(1, eraseAlice, `{"reason":"asked","revoke":true}`); w.Code != http.StatusOK {
					t.Fatalf("again: got %d %s", w.Code, w.Body)
				}
				c.isErased()
			})
		}
	}
}

// Wherever another node erases the same meanwhile.
func TestErasureIsOvertaken(t *testing.T) {
	for at := 1; at <= 3; at++ {
		c := sharing(t)
		c.log.Before(at, func() {
			if w := c.post(1, eraseAlice, `{"reason":"asked","revoke":true}`); w.Code != http.StatusOK {
				t.Errorf("before append %d the other: %d %s", at, w.Code, w.Body)
			}
		})
		if w := c.post(0, eraseAlice, `{"reason":"asked","revoke":true}`); w.Code != http.StatusOK {
			t.Errorf("overtaken before append %d: %d %s", at, w.Code, w.Body)
		}
		c.isErased()
	}
}
