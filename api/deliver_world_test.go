package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
)

// A teller is a counter where somebody reads the log and schedules what it
// obliges to. The client budget registered where it is told of consents.
type teller struct {
	*counter
	told eventstore.Position
}

func newTeller(t *testing.T) *teller {
	c := &teller{counter: newCounter(t)}
	c.client("budget", "ciba", oauth.ClientMetadata{DeliveryMode: oauth.Poll, EventEndpoint: "https://budget.example/events"})
	c.tell()
	return c
}

// asked returns the id of a request of a client and its auth_req_id.
func (c *teller) asked(as string) (id, authReqID string) {
	c.Helper()
	w := c.ask(as)
	authReqID, _ = members(c.T, w)["auth_req_id"].(string)
	if id = idOf(authReqID); id == "" {
		c.Fatalf("asked: %d %s\n%s", w.Code, w.Body, c.logged.String())
	}
	return id, authReqID
}

func (c *teller) step(id string, commands ...backchannel.Command) {
	c.Helper()
	for _, cmd := range commands {
		_, err := c.Backchannels.Execute(c.Context(), event.Meta{Issuer: "ciba", Subject: "zelda"}, id, cmd)
		c.must(err)
	}
}

// approves is Zelda's yes.
func (c *teller) approves(id string) {
	c.Helper()
	c.step(id, backchannel.Show{Shown: backchannel.Shown{Shown: "h", Template: "t", Locale: "en"}, Subject: "zelda", At: c.Now()},
		backchannel.Approve{At: c.Now(), Approved: backchannel.Approved{
			Consent: "c-" + id, Subject: "zelda", Scope: "openid", Expires: c.Now().Add(time.Hour),
			Shown: "h", ACR: api.ACRPassword, AMR: []string{"pwd"}, AuthTime: c.Now(), Method: backchannel.Password,
		}})
}

func (c *teller) denies(id string) {
	c.Helper()
	c.step(id, backchannel.Deny{Denied: backchannel.Denied{By: backchannel.Customer, Reason: "no"}, Subject: "zelda", At: c.Now()})
}

// runsOut passes the time of a request and notes it.
func (c *teller) runsOut(id string) {
	c.Helper()
	c.pass(3 * time.Minute)
	c.step(id, backchannel.NoteExpiry{At: c.Now()})
}

// has binds a device to Zelda, by the app budget.
func (c *teller) has(device, receiver string) {
	c.Helper()
	bound := subject.DeviceBound{ID: device, Thumbprint: device, Receiver: receiver, Client: "budget"}
	_, err := c.Subjects.Execute(c.Context(), event.Meta{Subject: "zelda"}, "zelda", subject.BindDevice{DeviceBound: bound})
	c.must(err)
}

func (c *teller) suspends(id string) {
	c.Helper()
	_, err := c.Clients.Execute(c.Context(), event.Meta{}, id, client.Suspend{Suspended: client.Suspended{Reason: "fraud"}})
	c.must(err)
}

// moves gives a client another endpoint.
func (c *teller) moves(id string) {
	c.Helper()
	m := oauth.ClientMetadata{NotificationEndpoint: "https://moved.example/", EventEndpoint: "https://moved.example/"}
	_, err := c.Clients.Execute(c.Context(), event.Meta{}, id, client.Update{Updated: client.Updated{Metadata: m}})
	c.must(err)
}

// gives is Zelda's consent for a client.
func (c *teller) gives(id, client string, more ...consent.Command) {
	c.Helper()
	first := consent.Authorize{At: c.Now(), Authorized: consent.Authorized{Client: client, Subject: "zelda", Scope: "accounts", Expires: c.Now().Add(time.Hour)}}
	for _, cmd := range append([]consent.Command{first}, more...) {
		_, err := c.Consents.Execute(c.Context(), event.Meta{Issuer: "ciba", Subject: "zelda", Correlation: "authorization-a1"}, id, cmd)
		c.must(err)
	}
}

// events are those after a position.
func (c *teller) events(after eventstore.Position) (all []eventstore.Decoded) {
	c.Helper()
	for e, err := range c.Journal.ReadAll(c.Context(), after, eventstore.Filter{Categories: api.Obliging}) {
		c.must(err)
		all = append(all, e)
	}
	return all
}

// tell schedules what is new, and what comes of that, and returns what is to
// be told.
func (c *teller) tell() (ids []string) {
	c.Helper()
	for events := c.events(c.told); len(events) > 0; events = c.events(c.told) {
		for _, e := range events {
			scheduled, err := c.Schedule(c.Context(), e)
			c.must(err)
			ids, c.told = append(ids, scheduled...), e.Position
		}
	}
	return ids
}

// delivery returns a delivery as it is.
func (c *teller) delivery(id string) delivery.State {
	c.Helper()
	state, _, err := c.Deliveries.Load(c.Context(), id)
	c.must(err)
	return state
}

// arrives records that a delivery arrived.
func (c *teller) arrives(id string) {
	c.Helper()
	d := c.delivery(id)
	_, err := c.Deliveries.Execute(c.Context(), event.Meta{Issuer: "ciba", Subject: "zelda", Correlation: "backchannel-" + d.Scheduled().Backchannel}, id,
		delivery.Attempt{Attempted: delivery.Attempted{N: d.Attempts() + 1, Status: 204}, Verdict: delivery.Verdict{Ends: delivery.Arrived}})
	c.must(err)
}

// message is what a delivery sends, the same each time.
func (c *teller) message(id string) api.Message {
	c.Helper()
	first, err := c.Compose(c.Context(), id, c.delivery(id))
	c.must(err)
	again, err := c.Compose(c.Context(), id, c.delivery(id))
	c.must(err)
	if string(first.Body) != string(again.Body) || first.Bearer != again.Bearer {
		c.Errorf("%s is composed as %s and then as %s", id, first.Body, again.Body)
	}
	return first
}

// one is the only delivery there is to make.
func (c *teller) one() string {
	c.Helper()
	ids := c.tell()
	if len(ids) != 1 {
		c.Fatalf("%d deliveries, want 1", len(ids))
	}
	return ids[0]
}

// said are deliveries in words.
func (c *teller) said(ids []string) (lines []string) {
	c.Helper()
	for _, id := range ids {
		e := c.delivery(id).Scheduled()
		lines = append(lines, strings.TrimSpace(strings.Join([]string{string(e.Kind), e.Receiver, e.Says, string(e.Error)}, " | ")))
	}
	slices.Sort(lines)
	return lines
}

func object(t *testing.T, raw []byte) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return m
}
