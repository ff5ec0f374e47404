package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// pushes returns what waits to be pushed for a request.
func (c *counter) pushes(id string) (body map[string]any) {
	c.Helper()
	raw, err := c.waiting.Find(c.Context(), "push-"+c.state(id).Redeemed().Token, c.Now())
	c.must(err)
	c.must(json.Unmarshal(raw, &body))
	return body
}

// waits lists what waits, but for what REQUESTS keep.
func (c *counter) waits(prefix string) (n int) {
	c.waiting.mu.Lock()
	defer c.waiting.mu.Unlock()
	for id := range c.waiting.kept {
		if strings.HasPrefix(id, prefix) {
			n++
		}
	}
	return n
}

func half(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// CIBA §10.3.1: the body of a push, and what the ID token in it proves.
func TestWhatIsPushed(t *testing.T) {
	c := newCounter(t)
	id := c.requested("pusher")
	c.approved(id.ID)
	before := len(c.written())
	c.must(c.IssuePush(t.Context(), id.ID))
	want := []string{"consent.authorized", "backchannel.redeemed", "token.issued", "refresh.issued"}
	if wrote := c.written()[before:]; !slices.Equal(wrote, want) {
		t.Errorf("wrote %v; want %v", wrote, want)
	}
	body := c.pushes(id.ID)
	if body["auth_req_id"] != id.Text() || body["token_type"] != "DPoP" || body["expires_in"].(float64) <= 0 {
		t.Errorf("pushed %v", body)
	}
	access, refresh := body["access_token"].(string), body["refresh_token"].(string)
	who := claimsOf(t, body["id_token"].(string))
	for name, value := range map[string]any{
		"iss": openURL, "aud": "pusher", "sub": "zelda", "acr": "urn:chirograph:acr:passkey",
		"at_hash": half(access), "urn:openid:params:jwt:claim:rt_hash": half(refresh), "urn:openid:params:jwt:claim:auth_req_id": id.Text(),
	} {
		if who[name] != value {
			t.Errorf("%s is %v; want %v", name, who[name], value)
		}
	}
	bound, _ := claimsOf(t, access)["cnf"].(map[string]any)
	if jkt := c.state(id.ID).Requested().JKT; jkt == "" || bound["jkt"] != jkt {
		t.Errorf("bound to %v; the client has shown %q", bound, jkt)
	}
	if spent := c.state(id.ID).Redeemed(); spent.Via != oauth.Push || c.waits("issued-") != 0 {
		t.Errorf("redeemed %+v, and %d left", spent, c.waits("issued-"))
	}
	c.unlogged(access, refresh, body["id_token"].(string), id.Text())
}

// unlogged checks that no token is in the log, sealed fields apart, nor in what
// the server logs.
func (c *counter) unlogged(secrets ...string) {
	c.Helper()
	for e, err := range c.memory.ReadAll(c.Context(), 0, eventstore.Filter{}) {
		c.must(err)
		for _, s := range secrets {
			if strings.Contains(string(e.Data), s) || strings.Contains(c.logged.String(), s) {
				c.Errorf("%s holds a token", e.Type)
			}
		}
	}
}

// However often and by however many: one set of tokens, and the same bytes.
func TestAPushIsMadeOnce(t *testing.T) {
	for range 8 { // not every time do they race
		c := newCounter(t)
		id := c.requested("pusher")
		c.approved(id.ID)
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() { c.must(c.IssuePush(t.Context(), id.ID)) })
		}
		all.Wait()
		first := c.pushes(id.ID)
		c.must(c.IssuePush(t.Context(), id.ID))
		if again := c.pushes(id.ID); again["access_token"] != first["access_token"] || again["id_token"] != first["id_token"] {
			t.Error("other tokens wait later")
		}
		c.onceEach()
		if c.waits("push-") != 1 {
			t.Errorf("%d pushes wait", c.waits("push-"))
		}
	}
}

// Who was cut off before it forgot what the tokens are made of, or comes late,
// writes no second body: its signature would be another, and the delivery knows
// the first by its digest.
func TestAPushIsWrittenOnce(t *testing.T) {
	c := newCounter(t)
	id := c.requested("pusher")
	c.approved(id.ID)
	c.waiting.remembers = true
	c.must(c.IssuePush(t.Context(), id.ID))
	first := c.pushes(id.ID)
	c.waiting.remembers = false
	c.must(c.IssuePush(t.Context(), id.ID))
	if again := c.pushes(id.ID); again["id_token"] != first["id_token"] || again["access_token"] != first["access_token"] {
		t.Error("other bytes wait later")
	}
	if c.waits("issued-") != 0 {
		t.Error("what the tokens are made of waits on")
	}
}

// CIBA §12: what cannot be pushed any more has failed, and that is final.
func TestAPushThatFails(t *testing.T) {
	ends := func(c *counter, id string, cmd client.Command) {
		_, err := c.Clients.Execute(c.Context(), event.Meta{}, "pusher", cmd)
		c.must(err)
	}
	tests := []struct {
		name string
		then func(c *counter, id string)
		want oauth.Code
	}{
		{"the consent has ended", func(c *counter, id string) { c.stops(id) }, oauth.TransactionFailed},
		{"the client is suspended", func(c *counter, id string) { ends(c, id, client.Suspend{}) }, oauth.TransactionFailed},
		{"the issuer pushes no more", func(c *counter, id string) {
			_, err := c.Issuers.Execute(c.Context(), event.Meta{}, "ciba", issuer.ChangeProfile{ProfileChanged: issuer.ProfileChanged{Profile: "fapi-ciba-id1"}})
			c.must(err)
		}, oauth.TransactionFailed},
		{"the customer was erased", func(c *counter, id string) {
			_, err := c.Subjects.Execute(c.Context(), event.Meta{Subject: "zelda"}, "zelda", subject.Erase{})
			c.must(err)
		}, oauth.TransactionFailed},
		{"it is long over", func(c *counter, id string) { c.pass(time.Hour) }, oauth.ExpiredToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCounter(t)
			id := c.requested("pusher")
			c.approved(id.ID)
			tt.then(c, id.ID)
			for range 2 {
				if err := c.IssuePush(t.Context(), id.ID); !errors.Is(err, tt.want) {
					t.Errorf("got %v", err)
				}
			}
			if c.state(id.ID).Failed().Error != tt.want || slices.Contains(c.written(), "token.issued") {
				t.Errorf("recorded %v", c.written())
			}
		})
	}
}

// What was approved in the last moment is still pushed.
func TestAPushInTheLastMoment(t *testing.T) {
	c := newCounter(t)
	id := c.requested("pusher")
	c.pass(c.state(id.ID).Requested().Expires.Sub(c.Now()) - 1)
	c.approved(id.ID)
	c.pass(time.Second)
	c.must(c.IssuePush(t.Context(), id.ID))
	c.pushes(id.ID)
}

func TestNothingIsPushedWithoutAYes(t *testing.T) {
	c := newCounter(t)
	pending, polled, no := c.requested("pusher"), c.requested("poller"), c.requested("pusher")
	c.approved(polled.ID)
	c.denied(no.ID)
	for _, id := range []string{pending.ID, polled.ID, no.ID, "0197aaaa-0000-7000-8000-000000000001"} {
		if err := c.IssuePush(t.Context(), id); !errors.Is(err, backchannel.ErrNotApproved) {
			t.Errorf("got %v", err)
		}
	}
}

// Whatever stops it, at which append ever: called again, it ends with one set
// of tokens, which are good.
func TestAPushThatStops(t *testing.T) { stopsAnywhere(t, pushStops) }

func pushStops(t *testing.T, plan []storetest.Cut, s stop) {
	to, steps := aTownOneByOne(t)
	c := counterIn(t, to)
	id := c.requested("pusher")
	c.approved(id.ID)
	steps.Plan(plan...)
	err := c.IssuePush(t.Context(), id.ID)
	steps.Plan()
	if err != nil && s.answered {
		t.Fatalf("answered %v", err)
	}
	c.must(c.IssuePush(t.Context(), id.ID))
	c.onceEach()
	body := c.pushes(id.ID)
	jti := claimsOf(t, body["access_token"].(string))["jti"].(string)
	issued, _, err := c.Tokens.Load(t.Context(), jti)
	c.must(err)
	refresh, _ := oauth.ParseArtefact(body["refresh_token"].(string))
	kept, _, err := c.Refreshes.Load(t.Context(), refresh.ID)
	c.must(err)
	if !issued.Exists() || !kept.Names(refresh) || issued.Issued().Refresh != refresh.ID {
		t.Errorf("what is pushed is not what is recorded: %v", c.written())
	}
}

// Where what waits cannot be kept, nothing is issued.
func TestNothingIsIssuedThatCannotBeKept(t *testing.T) {
	c := newCounter(t)
	id := c.requested("pusher")
	c.approved(id.ID)
	c.waiting.fails = errors.New("disk full")
	if err := c.IssuePush(t.Context(), id.ID); err == nil || slices.Contains(c.written(), "token.issued") {
		t.Errorf("got %v with %v", err, c.written())
	}
	c.waiting.fails = nil
	c.must(c.IssuePush(t.Context(), id.ID))
	c.pushes(id.ID)
}
