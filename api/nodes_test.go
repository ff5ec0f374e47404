package api_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// A cluster is a town with three nodes on one log, which writes the appends of a
// call one by one. What each node serves is what the others have written.
type cluster struct {
	*town
	log   *storetest.Interrupted
	nodes [3]*api.Server
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{}
	var steps *storetest.Stepwise
	c.town = newTownOn(t, func(log eventstore.Log) eventstore.Log {
		c.log = &storetest.Interrupted{Log: log}
		steps = &storetest.Stepwise{Log: c.log}
		return &storetest.Shared{Log: steps}
	})
	c.steps = steps
	for n := range c.nodes {
		c.nodes[n] = api.New(&eventstore.Journal{Log: c.Journal.Log, Codec: c.Journal.Codec}, c.Outside)
	}
	return c
}

// at serves a request by one of the nodes.
func (c *cluster) at(node int, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	c.nodes[node].Handler(http.NotFoundHandler()).ServeHTTP(w, r)
	return w
}

func (c *cluster) redeeming(code string) *http.Request {
	c.Helper()
	return c.request("budgetly", "/token", "grant_type", "authorization_code", "code", code, "redirect_uri", clientBack, "code_verifier", verifier)
}

func (c *cluster) refreshing(refresh string) *http.Request {
	c.Helper()
	return c.request("budgetly", "/token", "grant_type", "refresh_token", "refresh_token", refresh)
}

// stop ends the consent of a code.
func (c *cluster) stop(code string) {
	c.Helper()
	state, _, err := c.Authorizations.Load(c.Context(), idOf(code))
	c.must(err)
	_, err = c.Consents.Execute(c.Context(), event.Meta{Subject: alice}, state.Grant().Consent, consent.Revoke{Revoked: consent.Revoked{By: consent.Customer}})
	c.must(err)
}

// What one node issues counts at the others, and ends there, at once.
func TestNodesAgree(t *testing.T) {
	c := newCluster(t)
	uri := members(t, c.at(1, c.request("budgetly", "/par", requestFields...)))["request_uri"].(string)
	code := c.approve(uri)
	got := members(t, c.at(2, c.redeeming(code)))
	access, refresh := got["access_token"].(string), got["refresh_token"].(string)
	for node := range c.nodes {
		if w := c.at(node, c.request("warehouse", "/introspect", "token", access)); members(t, w)["active"] != true {
			t.Errorf("node %d does not know the token: %s", node, w.Body)
		}
	}
	fresh := members(t, c.at(1, c.refreshing(refresh)))["access_token"].(string)
	if w := c.at(0, c.request("budgetly", "/revoke", "token", refresh)); w.Code != http.StatusOK {
		t.Fatalf("revoked: %d %s", w.Code, w.Body)
	}
	for node := range c.nodes {
		for _, token := range []string{access, fresh} {
			if w := c.at(node, c.request("warehouse", "/introspect", "token", token)); members(t, w)["active"] != false {
				t.Errorf("node %d does not know of the end", node)
			}
		}
	}
}

// A page of one node is taken further by another.
func TestPagesGoFromNodeToNode(t *testing.T) {
	c := newCluster(t)
	next := 0
	c.town.through = func(r *http.Request) *httptest.ResponseRecorder {
		next++
		return c.at(next%len(c.nodes), r)
	}
	c.wholly(c.approve(c.push()))
}

// Of sixteen who present a code, at three nodes, one gets tokens. The others are
// replays, seen with full authentication, so that these tokens have ended.
func TestACodeIsGoodOnceOnAllNodes(t *testing.T) {
	c := newCluster(t)
	for range 8 {
		code := c.approve(c.push())
		got := c.race(16, func() *http.Request { return c.redeeming(code) })
		winners := 0
		for _, w := range got {
			switch m := members(t, w); {
			case w.Code == http.StatusOK:
				winners++
				c.ended(m)
			case m["error"] != "invalid_grant":
				t.Errorf("got %d %v", w.Code, m)
			}
		}
		if winners > 1 {
			t.Errorf("%d winners", winners)
		}
		c.unissued(idOf(code))
	}
	c.lawful()
}

// A request that is heard and sent again, to whichever node, is refused for its
// assertion and its proof, and ends nothing.
func TestARepeatedRequestEndsNothing(t *testing.T) {
	c := newCluster(t)
	r := c.redeeming(c.approve(c.push()))
	body, err := io.ReadAll(r.Body)
	c.must(err)
	var got map[string]any
	for n := range 4 {
		again := r.Clone(t.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		w := c.at(n%len(c.nodes), again)
		if n == 0 {
			got = members(t, w)
		} else if w.Code != http.StatusUnauthorized {
			t.Errorf("node %d answered %d %s", n, w.Code, w.Body)
		}
	}
	c.good(got)
}

// race sends requests to all nodes at the same time.
func (c *cluster) race(n int, request func() *http.Request) []*httptest.ResponseRecorder {
	c.Helper()
	requests, got := make([]*http.Request, n), make([]*httptest.ResponseRecorder, n)
	for i := range requests {
		requests[i] = request()
	}
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range requests {
		all.Go(func() {
			<-start
			got[i] = c.at(i%len(c.nodes), requests[i])
		})
	}
	close(start)
	all.Wait()
	return got
}

// Whoever refreshes while the token is revoked has nothing that is active once
// the revocation is acknowledged.
func TestRefreshingRacesRevocation(t *testing.T) {
	c := newCluster(t)
	for range 8 {
		refresh := members(t, c.redeem(c.approve(c.push())))["refresh_token"].(string)
		n := 0
		got := c.race(9, func() *http.Request {
			if n++; n == 5 {
				return c.request("budgetly", "/revoke", "token", refresh)
			}
			return c.refreshing(refresh)
		})
		for i, w := range got {
			if i == 4 && w.Code != http.StatusOK {
				t.Errorf("revoked: %d %s", w.Code, w.Body)
			}
			if i != 4 && w.Code == http.StatusOK && c.active(members(t, w)["access_token"].(string)) {
				t.Error("a token is active after the revocation")
			}
		}
	}
}

// The same yes, pressed at every node at once, leads to one consent.
func TestApprovalsRaceOnAllNodes(t *testing.T) {
	c := newCluster(t)
	for range 4 {
		page, again := c.consentPage()
		form := fields(page, "decision", "approve", "account", zeldaAccount)
		got := c.race(9, func() *http.Request { return c.browsing("POST", siteURL+"/interaction/decision", form) })
		codes := 0
		for _, w := range got {
			if left, _ := url.Parse(w.Header().Get("Location")); left != nil && left.Query().Get("code") != "" {
				codes++
			} else if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), `id="continue"`) {
				t.Errorf("a loser got %d %s", w.Code, w.Body)
			}
		}
		if codes != 1 {
			t.Errorf("%d codes", codes)
		}
		c.wholly(c.afterReload(again))
	}
	c.lawful()
}
