package api_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// A cluster is a town with three nodes on one log, which writes the appends of a
// call one by one. Each has models of its own in memory, and a feed for them.
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
		feed := eventstore.NewFeed(c.Journal.Log, nil)
		c.nodes[n] = api.New(&eventstore.Journal{Log: c.Journal.Log, Codec: c.Journal.Codec, Feed: feed}, c.Outside)
	}
	return c
}

// feeding runs the feeds until the test ends.
func (c *cluster) feeding() *cluster {
	ctx, stop := context.WithCancel(context.WithoutCancel(c.Context()))
	var all sync.WaitGroup
	for _, n := range c.nodes {
		all.Go(func() { n.Journal.Feed.Run(ctx) })
	}
	c.Cleanup(func() {
		stop()
		all.Wait()
	})
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
	c := newCluster(t).feeding()
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
	c := newCluster(t).feeding()
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
	c := newCluster(t).feeding()
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
	c := newCluster(t).feeding()
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

// An assertion is good once on all nodes, also where nothing is appended.
func TestAnAssertionIsGoodOnceOnAllNodes(t *testing.T) {
	c := newCluster(t)
	paths := []string{"/introspect", "/revoke", "/token"}
	for _, first := range paths {
		for _, second := range paths {
			used := ""
			ask := func(node int, path, assertion string) int {
				form := []string{"token", "x", "grant_type", "client_credentials", "scope", "accounts"}
				as := "budgetly"
				if first == "/introspect" || second == "/introspect" {
					as = "warehouse"
				}
				if assertion != "" {
					form = append(form, "client_assertion", assertion)
				}
				r := c.request(as, path, form...)
				used = assertionOf(t, r)
				return c.at(node, r).Code
			}
			ask(0, first, "")
			if got := ask(1, second, used); got != http.StatusUnauthorized {
				t.Errorf("used at %s, then at %s of another node: %d", first, second, got)
			}
		}
	}
}

// What each node has counted adds up.
func TestNodesCountRefusals(t *testing.T) {
	c := newCluster(t)
	for n := range 6 {
		c.at(n%3, c.request("budgetly", "/token", "grant_type", "password"))
	}
	c.pass(time.Minute)
	for _, n := range c.nodes {
		c.must(n.FlushRefusals(t.Context(), c.Now()))
	}
	sum := 0
	for e, err := range c.Journal.ReadAll(t.Context(), 0, eventstore.Filter{Types: []string{"refusal.counted"}}) {
		c.must(err)
		sum += e.Body.(access.Refused).Count
	}
	if sum != 6 {
		t.Errorf("%d refusals are in the log, want 6", sum)
	}
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
	c := newCluster(t).feeding()
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
	c := newCluster(t).feeding()
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

// What another node has made within the last second is not in a node's memory
// yet. It is found in the log.
func TestWhatAnotherNodeHasJustMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		code := c.approve(c.push())
		c.at(1, c.request("warehouse", "/introspect", "token", "a.b.c")) // now it knows issuers and keys
		_, err := c.nodes[0].Issuers.Execute(t.Context(), event.Meta{}, "late", issuer.Create{Created: issuer.Created{URL: "https://as.example/late", Profile: fapi.SecurityProfile.Name}})
		c.must(err)
		for _, step := range []signingkey.Command{signingkey.Announce{Announced: signingkey.Announced{Issuer: "fapi2", Algorithm: "ES256"}}, signingkey.Activate{}} {
			_, err := c.nodes[0].SigningKeys.Execute(t.Context(), event.Meta{}, "k2", step)
			c.must(err)
		}
		if known, err := c.nodes[1].SigningKeys.All(t.Context()); err != nil || len(known) != 1 {
			t.Fatalf("it has heard of %d keys, %v", len(known), err)
		}
		got := members(t, c.at(0, c.redeeming(code)))
		if state, _, err := c.Tokens.Load(t.Context(), jti(got["access_token"].(string))); err != nil || state.Issued().Key != "k2" {
			t.Fatalf("it was signed by %q, %v", state.Issued().Key, err)
		}
		if w := c.at(1, c.request("warehouse", "/introspect", "token", got["access_token"].(string))); members(t, w)["active"] != true {
			t.Errorf("a token of the new key: %s", w.Body)
		}
		if late, found, err := c.nodes[1].Tenant(t.Context(), "late"); err != nil || !found || !late.Active {
			t.Errorf("the new issuer: %+v, %v", late, err)
		}
	})
}

// jti returns the id in a JWT.
func jti(compact string) string {
	_, rest, _ := strings.Cut(compact, ".")
	payload, _, _ := strings.Cut(rest, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(payload)
	var claims struct {
		ID string `json:"jti"`
	}
	json.Unmarshal(raw, &claims)
	return claims.ID
}
