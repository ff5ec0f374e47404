package api_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// CIBA §11: what a poll is told.
func TestWhatAPollIsTold(t *testing.T) {
	other := oauth.Artefact{ID: "0197aaaa-0000-7000-8000-000000000001", Secret: [32]byte{1}}
	tests := []struct {
		name string
		as   string
		then func(c *counter, id oauth.Artefact) oauth.Artefact // what is presented
		want oauth.Code
	}{
		{"nobody has answered yet", "poller", func(_ *counter, id oauth.Artefact) oauth.Artefact { return id }, oauth.AuthorizationPending},
		{"the customer said no", "poller", func(c *counter, id oauth.Artefact) oauth.Artefact { c.denied(id.ID); return id }, oauth.AccessDenied},
		{"the no outlives the expiry", "poller", func(c *counter, id oauth.Artefact) oauth.Artefact {
			c.denied(id.ID)
			c.pass(time.Hour)
			return id
		}, oauth.AccessDenied},
		{"nobody answered in time", "poller", func(c *counter, id oauth.Artefact) oauth.Artefact { c.pass(time.Hour); return id }, oauth.ExpiredToken},
		{"the yes was not fetched in time", "poller", func(c *counter, id oauth.Artefact) oauth.Artefact {
			c.approved(id.ID)
			c.pass(time.Hour)
			return id
		}, oauth.ExpiredToken},
		{"it is another client's", "pinger", func(c *counter, id oauth.Artefact) oauth.Artefact { c.approved(id.ID); return id }, oauth.InvalidGrant},
		{"it was never issued", "poller", func(*counter, oauth.Artefact) oauth.Artefact { return other }, oauth.InvalidGrant},
		{"its secret is guessed", "poller", func(c *counter, id oauth.Artefact) oauth.Artefact {
			c.approved(id.ID)
			id.Secret[0]++
			return id
		}, oauth.InvalidGrant},
		{"what was approved is over", "poller", func(c *counter, id oauth.Artefact) oauth.Artefact {
			yes := c.yes(id.ID)
			yes.Expires = c.Now().Add(30 * time.Second)
			c.does(id.ID, backchannel.Show{Shown: backchannel.Shown{Shown: "hash"}, Subject: yes.Subject, At: c.Now()})
			c.does(id.ID, backchannel.Approve{Approved: yes, At: c.Now()})
			c.pass(time.Minute)
			return id
		}, oauth.InvalidGrant},
		{"the consent has ended", "poller", func(c *counter, id oauth.Artefact) oauth.Artefact {
			c.approved(id.ID)
			c.stops(id.ID)
			return id
		}, oauth.InvalidGrant},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCounter(t)
			presented := tt.then(c, c.requested("poller"))
			before := len(c.written())
			c.refused(c.poll(tt.as, presented), tt.want)
			if wrote := c.written()[before:]; len(wrote) > 0 && wrote[0] != "client.key_seen" {
				t.Errorf("a poll wrote %v", wrote)
			}
		})
	}
}

func TestAPollMustNameARequest(t *testing.T) {
	c := newCounter(t)
	c.refused(c.serve(c.polling("poller", "")), oauth.InvalidRequest)
	c.refused(c.serve(c.polling("poller", "nonsense")), oauth.InvalidGrant)
}

// CIBA §10.3: a client that is pushed to has no business at the token endpoint.
func TestAPushClientDoesNotPoll(t *testing.T) {
	c := newCounter(t)
	id := c.requested("pusher")
	c.refused(c.poll("pusher", id), oauth.UnauthorizedClient)
	c.refused(c.serve(c.polling("pusher", "nonsense")), oauth.UnauthorizedClient)
}

// CIBA §11: calls at 0, 5 and 10 s are in time, one at 11 s is not, and from
// then on the client has to wait 10 s.
func TestTheIntervalGrowsForWhoPollsTooFast(t *testing.T) {
	c := newCounter(t)
	id := c.requested("poller")
	at := 0
	for _, poll := range []struct {
		at   int
		want oauth.Code
	}{
		{0, oauth.AuthorizationPending}, {5, oauth.AuthorizationPending}, {10, oauth.AuthorizationPending},
		{11, oauth.SlowDown}, {21, oauth.AuthorizationPending}, {30, oauth.SlowDown}, {44, oauth.SlowDown}, {64, oauth.AuthorizationPending},
	} {
		c.pass(time.Duration(poll.at-at) * time.Second)
		at = poll.at
		if got := members(t, c.poll("poller", id))["error"]; got != string(poll.want) {
			t.Errorf("at %d s: %v; want %s", poll.at, got, poll.want)
		}
	}
}

// The pace is that of one request, and it is nothing to one that is decided.
func TestThePaceIsThatOfOnePendingRequest(t *testing.T) {
	c := newCounter(t)
	id, another := c.requested("poller"), c.requested("poller")
	c.refused(c.poll("poller", id), oauth.AuthorizationPending)
	c.refused(c.poll("poller", another), oauth.AuthorizationPending)
	c.refused(c.poll("poller", id), oauth.SlowDown)
	c.refused(c.serve(c.held("poller", id, "wait=9")), oauth.SlowDown) // nor is one held that comes too early
	c.approved(id.ID)
	if w := c.poll("poller", id); w.Code != http.StatusOK {
		t.Errorf("approved and polled too early: %d %s", w.Code, w.Body)
	}
}

// Polls that only wait are not events, not even as refusals.
func TestWaitingIsNoRefusal(t *testing.T) {
	c := newCounter(t)
	id := c.requested("poller")
	before := len(c.written())
	c.refused(c.poll("poller", id), oauth.AuthorizationPending)
	c.refused(c.poll("poller", id), oauth.SlowDown)
	c.must(c.FlushRefusals(t.Context(), c.Now().Add(10*time.Minute)))
	if wrote := c.written()[before:]; len(wrote) > 0 {
		t.Errorf("wrote %v", wrote)
	}
}

// CIBA §11: who does not listen at all is told to stop.
func TestWhoNeverSlowsDownIsToldToStop(t *testing.T) {
	c := newCounter(t)
	id := c.requested("poller")
	var last any
	for n := 0; n < 30 && last != string(oauth.InvalidRequest); n++ {
		last = members(t, c.poll("poller", id))["error"]
	}
	if last != string(oauth.InvalidRequest) {
		t.Errorf("told %v in the end", last)
	}
}

// What a poll was authenticated with is good for one poll, whatever comes of it:
// it is not good for another request either.
func TestTheAssertionOfAPollIsGoodOnce(t *testing.T) {
	for name, want := range map[string]int{"pending": http.StatusBadRequest, "approved": http.StatusOK} {
		t.Run(name, func(t *testing.T) {
			c := newCounter(t)
			id, another := c.requested("poller"), c.requested("poller")
			c.approved(another.ID)
			if want == http.StatusOK {
				c.approved(id.ID)
			}
			r := c.polling("poller", id.Text())
			body, err := io.ReadAll(r.Body)
			c.must(err)
			again := r.Clone(t.Context())
			r.Body = io.NopCloser(bytes.NewReader(body))
			again.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte(id.Text()), []byte(another.Text()), 1)))
			if w := c.serve(r); w.Code != want {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if w := c.serve(again); members(t, w)["error"] != string(oauth.InvalidClient) {
				t.Errorf("replayed: %d %s", w.Code, w.Body)
			}
		})
	}
}

// The tokens say who approved, how, and are bound to the key of the poll.
func TestTokensOfAPoll(t *testing.T) {
	c := newCounter(t)
	id := c.requested("poller", "resource", theCards)
	c.approved(id.ID)
	before := len(c.written())
	w := c.poll("poller", id)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	want := []string{"consent.authorized", "backchannel.redeemed", "token.issued", "refresh.issued"}
	if wrote := c.written()[before:]; !slices.Equal(wrote, want) {
		t.Errorf("wrote %v; want %v", wrote, want)
	}
	got := members(t, w)
	who := claimsOf(t, got["id_token"].(string))
	for name, value := range map[string]any{"sub": "zelda", "aud": "poller", "iss": openURL, "acr": "urn:chirograph:acr:passkey", "auth_time": float64(c.Now().Unix())} {
		if who[name] != value {
			t.Errorf("%s is %v in the ID token; want %v", name, who[name], value)
		}
	}
	access := claimsOf(t, got["access_token"].(string))
	if bound, _ := access["cnf"].(map[string]any); bound["jkt"] == nil || got["token_type"] != "DPoP" || access["aud"] != theCards {
		t.Errorf("the access token is %v of type %v", access, got["token_type"])
	}
	issued, _, err := c.Tokens.Load(t.Context(), access["jti"].(string))
	c.must(err)
	if e := issued.Issued(); e.Backchannel != id.ID || e.Authorization != "" || e.Consent != "consent-of-"+id.ID {
		t.Errorf("recorded %+v", e)
	}
	for e, err := range c.Journal.ReadAll(t.Context(), 0, eventstore.Filter{Types: []string{"refresh.issued"}}) {
		c.must(err)
		if r := e.Body.(token.RefreshIssued); !r.Expires.Equal(c.state(id.ID).Approved().Expires) || !slices.Equal(r.Resources, []string{theCards}) {
			t.Errorf("recorded %+v", r)
		}
	}
	c.refused(c.poll("poller", id), oauth.InvalidGrant)
	c.refreshes(id, got["refresh_token"].(string))
}

// refreshes checks that a refresh token of a backchannel request works, until
// it is revoked.
func (c *counter) refreshes(id oauth.Artefact, refresh string) {
	c.Helper()
	use := func() *httptest.ResponseRecorder {
		return c.serve(c.tokenRequest("poller", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}))
	}
	w := use()
	if got := members(c.T, w); w.Code != http.StatusOK || claimsOf(c.T, got["id_token"].(string))["sub"] != "zelda" {
		c.Fatalf("refreshed: %d %s", w.Code, w.Body)
	}
	r := c.form("poller", url.Values{"token": {refresh}})
	r.URL.Path = strings.Replace(r.URL.Path, "/bc-authorize", "/revoke", 1)
	if w := c.serve(r); w.Code != http.StatusOK {
		c.Fatalf("revoked: %d %s", w.Code, w.Body)
	}
	c.refused(use(), oauth.InvalidGrant)
	for e, err := range c.Journal.ReadAll(c.Context(), 0, eventstore.Filter{Types: []string{"token.issued", "refresh.issued", "refresh.revoked"}}) {
		c.must(err)
		if e.Metadata.Correlation != "backchannel-"+id.ID {
			c.Errorf("%s belongs to %q", e.Type, e.Metadata.Correlation)
		}
	}
}

// RFC 9396: the tokens carry what was granted, also by refresh, or less.
func TestDetailsOfAPoll(t *testing.T) {
	c := newCounter(t)
	id := c.requested("poller")
	yes := c.yes(id.ID)
	yes.Asked, yes.Details = true, []oauth.Detail{{Type: oauth.AccountInformation, Permissions: []string{"ReadBalances", "ReadAccountsBasic"}, Accounts: []string{zeldaAccount}}}
	c.does(id.ID, backchannel.Show{Shown: backchannel.Shown{Shown: "hash"}, Subject: yes.Subject, At: c.Now()})
	c.does(id.ID, backchannel.Approve{Approved: yes, At: c.Now()})
	const less = `[{"type":"account_information","permissions":["ReadBalances"]}]`
	first := members(t, c.poll("poller", id))
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first["refresh_token"].(string)}}
	again := members(t, c.serve(c.tokenRequest("poller", form)))
	fewer := members(t, c.serve(c.tokenRequest("poller", form, "authorization_details", less)))
	for name, got := range map[string]map[string]any{"2 permissions": first, "2 permissions by refresh": again, "1 permission": fewer} {
		details, _ := got["authorization_details"].([]any)
		if len(details) != 1 || len(details[0].(map[string]any)["permissions"].([]any)) != int(name[0]-'0') {
			t.Errorf("%s: got %v", name, got)
		}
	}
	c.refused(c.serve(c.tokenRequest("poller", form, "authorization_details", strings.Replace(less, "Balances", "Transactions", 1))), oauth.InvalidAuthorizationDetails)
}

// Sixteen race, and one gets tokens.
func TestOneOfManyRedeems(t *testing.T) {
	c := newCounter(t)
	id := c.requested("poller")
	c.approved(id.ID)
	var polls []*http.Request
	for range 16 {
		polls = append(polls, c.polling("poller", id.Text()))
	}
	codes := make([]int, len(polls))
	var all sync.WaitGroup
	for n, r := range polls {
		all.Go(func() { codes[n] = c.serve(r).Code })
	}
	all.Wait()
	won := 0
	for _, code := range codes {
		if code == http.StatusOK {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d got tokens: %v", won, codes)
	}
	c.onceEach()
}

// Whatever stops a redemption, at which append ever: it ends with one set of
// tokens, or with none and an auth_req_id that is spent.
func TestARedemptionThatStops(t *testing.T) { stopsAnywhere(t, redemptionStops) }

// stopsAnywhere stops what is issued at each append: of the consent, and of the
// redemption and its tokens.
func stopsAnywhere(t *testing.T, run func(*testing.T, []storetest.Cut, stop)) {
	for call, size := range []int{1, 3} {
		for at := 1; at <= size; at++ {
			for _, s := range stops {
				t.Run(fmt.Sprintf("%s append %d of call %d", s.name, at, call+1), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						run(t, append(make([]storetest.Cut, call), s.cuts(storetest.Cut{At: at, Written: s.written})...), s)
					})
				})
			}
		}
	}
}

func redemptionStops(t *testing.T, plan []storetest.Cut, s stop) {
	to, steps := aTownOneByOne(t)
	c := counterIn(t, to)
	id := c.requested("poller")
	c.approved(id.ID)
	first := c.polling("poller", id.Text())
	second := c.polling("poller", id.Text())
	steps.Plan(plan...)
	w := c.serve(first)
	steps.Plan()
	got := w.Code == http.StatusOK
	if got != s.answered && !s.perhaps {
		t.Fatalf("answered %d %s", w.Code, w.Body)
	}
	spent := c.state(id.ID).Redeemed().Token != ""
	again := c.serve(second)
	switch {
	case spent:
		c.refused(again, oauth.InvalidGrant)
	case again.Code != http.StatusOK:
		t.Errorf("it cannot be redeemed later: %d %s", again.Code, again.Body)
	}
	c.onceEach()
}
