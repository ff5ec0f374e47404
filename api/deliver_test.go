package api_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

func TestWhoIsTold(t *testing.T) {
	const pinger, pusher = "https://pinger.example/called", "https://pusher.example/called"
	asks := func(as string, then func(*teller, string)) func(*teller) {
		return func(c *teller) {
			id, _ := c.asked(as)
			then(c, id)
		}
	}
	waits := func(*teller, string) {}
	gives := func(commands ...consent.Command) func(*teller) {
		return func(c *teller) {
			c.gives("c1", "budget")
			c.tell()
			for _, cmd := range commands {
				_, err := c.Consents.Execute(c.Context(), event.Meta{Subject: "zelda"}, "c1", cmd)
				c.must(err)
			}
		}
	}
	webhook := func(says string) []string {
		return []string{"webhook | https://budget.example/events | " + says + " |"}
	}
	tests := []struct {
		name string
		do   func(*teller)
		want []string
	}{
		{"a client that polls is told nothing", asks("poller", (*teller).approves), nil},
		{"a ping says that the customer approved", asks("pinger", (*teller).approves), []string{"ping | " + pinger + " | the customer approved |"}},
		{"and that the customer did not", asks("pinger", (*teller).denies), []string{"ping | " + pinger + " | the customer denied |"}},
		{"not that time ran out", asks("pinger", (*teller).runsOut), nil},
		{"nor that a request waits", asks("pinger", waits), nil},
		{"tokens are pushed", asks("pusher", (*teller).approves), []string{"push | " + pusher + " | the customer approved |"}},
		{"so is a no", asks("pusher", (*teller).denies), []string{"push | " + pusher + " | the customer denied | access_denied"}},
		{"and that time ran out", asks("pusher", (*teller).runsOut), []string{"push | " + pusher + " | the request ran out | expired_token"}},
		{"but not after the answer", asks("pusher", func(c *teller, id string) {
			c.approves(id)
			c.tell()
			c.runsOut(id)
		}), nil},
		{"a yes that nobody told of in time is told as that, once", asks("pusher", func(c *teller, id string) {
			c.approves(id)
			c.runsOut(id)
		}), []string{"push | " + pusher + " | no tokens could be issued | expired_token"}},
		{"and that something failed", asks("pusher", func(c *teller, id string) {
			c.step(id, backchannel.Deny{Denied: backchannel.Denied{By: backchannel.System, Failed: true}, At: c.Now()})
		}), []string{"push | " + pusher + " | the transaction failed | transaction_failed"}},
		{"and that the bank does not want to", asks("pusher", func(c *teller, id string) {
			c.step(id, backchannel.Deny{Denied: backchannel.Denied{By: backchannel.System}, At: c.Now()})
		}), []string{"push | " + pusher + " | access is denied | access_denied"}},
		{"and that the consent ended first", asks("pusher", func(c *teller, id string) {
			c.approves(id)
			_, err := c.Subjects.Execute(c.Context(), event.Meta{}, "zelda", subject.Erase{Erased: subject.Erased{Reason: "asked for"}})
			c.must(err)
		}), []string{"push | " + pusher + " | no tokens could be issued | transaction_failed"}},
		{"not a client that is suspended", asks("pinger", func(c *teller, id string) {
			c.approves(id)
			c.suspends("pinger")
		}), nil},
		{"not a client that is gone", asks("pinger", func(c *teller, id string) {
			c.approves(id)
			_, err := c.Clients.Execute(c.Context(), event.Meta{}, "pinger", client.Delete{})
			c.must(err)
		}), nil},
		{"not when what is to be said is gone", asks("pinger", func(c *teller, id string) {
			c.approves(id)
			c.must(c.waiting.Forget(c.Context(), "backchannel-"+id))
		}), nil},
		{"a client is told where it is now", asks("pinger", func(c *teller, id string) {
			c.approves(id)
			c.moves("pinger")
		}), []string{"ping | https://moved.example/ | the customer approved |"}},

		{"each device that has a receiver is told of a request", func(c *teller) {
			c.has("d1", "https://app.example/")
			c.has("d2", "")
			c.has("d3", "https://app.example/")
			c.asked("poller")
		}, []string{"device | https://app.example/ | a request waits for an answer |", "device | https://app.example/ | a request waits for an answer |"}},
		{"not one whose app is suspended", func(c *teller) {
			c.has("d1", "https://app.example/")
			c.suspends("budget")
			c.asked("poller")
		}, nil},
		{"not after it ran out", func(c *teller) {
			c.has("d1", "https://app.example/")
			c.asked("poller")
			c.pass(3 * time.Minute)
		}, nil},

		{"a client is told of a consent", func(c *teller) { c.gives("c1", "budget") }, webhook("the consent was authorized")},
		{"one that did not ask for it is not", func(c *teller) { c.gives("c1", "poller") }, nil},
		{"not if it is suspended", func(c *teller) { c.gives("c1", "budget"); c.suspends("budget") }, nil},
		{"of its end", gives(consent.Revoke{Revoked: consent.Revoked{By: consent.Customer}}), webhook("the consent was revoked")},
		{"also by itself", gives(consent.Revoke{Revoked: consent.Revoked{By: consent.Client}}), webhook("the consent was revoked")},
		{"of a change", gives(consent.Amend{Amended: consent.Amended{Scope: "accounts", Expires: time.Date(2026, 5, 4, 12, 30, 0, 0, time.UTC)}, Subject: "zelda"}), webhook("the consent was amended")},
		{"that the customer confirmed it", gives(consent.Reauthenticate{Subject: "zelda"}), webhook("the consent was reauthenticated")},
		{"that the customer said no to what was lodged", func(c *teller) {
			lodged := consent.Lodged{Client: "budget", Scope: "accounts", Expires: c.Now().Add(time.Hour)}
			for _, cmd := range []consent.Command{consent.Lodge{Lodged: lodged, At: c.Now()}, consent.Reject{Rejected: consent.Rejected{By: consent.Customer}}} {
				_, err := c.Consents.Execute(c.Context(), event.Meta{Subject: "zelda"}, "c1", cmd)
				c.must(err)
			}
		}, webhook("the consent was rejected")},
		{"of a pause", gives(consent.Suspend{Suspended: consent.Suspended{By: consent.Bank}}), webhook("the consent was suspended")},
		{"of its use", gives(consent.Consume{}), webhook("the consent was consumed")},
		{"of a newer one", gives(consent.Supersede{Superseded: consent.Superseded{By: "c2"}}), webhook("the consent was superseded")},
		{"that it ran out", gives(consent.NoteExpiry{At: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}), webhook("the consent ran out")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTeller(t)
			tt.do(c)
			if got := c.said(c.tell()); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Whoever reads the log again, or at the same time, tells nobody twice.
func TestNobodyIsToldTwice(t *testing.T) {
	c := newTeller(t)
	c.has("d1", "https://app.example/")
	for _, as := range []string{"pinger", "pusher"} {
		id, _ := c.asked(as)
		c.approves(id)
	}
	c.gives("c1", "budget")
	var readers sync.WaitGroup
	var mu sync.Mutex
	var all []string
	for range 4 {
		readers.Go(func() {
			for _, e := range c.events(0) {
				ids, err := c.Schedule(t.Context(), e)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				all = append(all, ids...)
				mu.Unlock()
			}
		})
	}
	readers.Wait()
	slices.Sort(all)
	if len(all) != 5 || len(slices.Compact(slices.Clone(all))) != 5 {
		t.Errorf("%d deliveries: %q", len(all), all)
	}
	if again := (&teller{counter: c.counter}).tell(); len(again) != 0 {
		t.Errorf("told again: %q", again)
	}
	tokens := 0
	for e, err := range c.memory.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		c.must(err)
		if e.Type == "token.issued" {
			tokens++
		}
	}
	if tokens != 1 {
		t.Errorf("%d tokens were issued for one push", tokens)
	}
}

// A delivery says why it was made, and belongs to the story of its request.
func TestWhereADeliveryBelongs(t *testing.T) {
	c := newTeller(t)
	id, _ := c.asked("pinger")
	c.approves(id)
	var approved eventstore.Decoded
	for _, e := range c.events(0) {
		if e.Type == "backchannel.approved" {
			approved = e
		}
	}
	told := c.one()
	for e, err := range c.Journal.Read(t.Context(), eventstore.Stream("delivery-"+told)) {
		c.must(err)
		want := event.Meta{
			Issuer: "ciba", Actor: event.ActorSystem, Client: "pinger", Subject: "zelda",
			Correlation: "backchannel-" + id, Causation: approved.ID.String(),
		}
		if e.Metadata != want {
			t.Errorf("got %+v, want %+v", e.Metadata, want)
		}
	}
	state, _, err := c.Backchannels.Load(t.Context(), id)
	c.must(err)
	got := c.delivery(told)
	if got.Scheduled().Consent != "c-"+id || got.Scheduled().Cause != approved.ID.String() || !got.Until().Equal(state.Requested().Expires) || !got.Due().Equal(c.Now()) {
		t.Errorf("got %+v", got.Scheduled())
	}
	if want := uuid.NewSHA1(approved.ID, []byte("ping pinger")).String(); told != want {
		t.Errorf("its id is %s, not that of its cause and receiver %s", told, want)
	}
}

// What happens to a delivery in the end has consequences.
func TestAfterADelivery(t *testing.T) {
	c := newTeller(t)
	c.has("d1", "https://app.example/")
	device, _ := c.asked("poller")
	c.arrives(c.one())
	if ids := c.tell(); len(ids) != 0 {
		t.Errorf("a delivery led to %q", ids)
	}
	state, _, err := c.Backchannels.Load(t.Context(), device)
	c.must(err)
	if !state.Notified("d1") {
		t.Error("the device is not noted as notified")
	}
	for _, as := range []string{"pinger", "pusher"} {
		id, _ := c.asked(as)
		c.approves(id)
		for _, told := range c.tell() {
			c.message(told)
			c.arrives(told)
		}
		c.tell()
	}
	if len(c.waiting.kept) != 0 {
		t.Errorf("what was delivered still waits: %d", len(c.waiting.kept))
	}
}

// No event, whatever it lacks, is too much.
func TestBadEvents(t *testing.T) {
	c := newTeller(t)
	for _, row := range catalogue.Events.Rows() {
		for _, stream := range []eventstore.Stream{"backchannel-x", "consent-", "delivery-y", "z"} {
			e := eventstore.Decoded{Event: eventstore.Event{Stream: stream}, Body: reflect.Zero(row.Type).Interface()}
			if ids, err := c.Schedule(t.Context(), e); len(ids) != 0 || err != nil && !errors.Is(err, backchannel.ErrUnknown) {
				t.Errorf("%s of %q: %q, %v", row.Name, stream, ids, err)
			}
		}
	}
	for _, kind := range append(delivery.Kinds, delivery.Unreadable, "") {
		var d delivery.State
		d = d.Evolve(delivery.Scheduled{Kind: kind, Client: "pinger", Backchannel: "x", Device: "y"})
		if m, err := c.Compose(t.Context(), "z", d); !errors.Is(err, api.ErrGone) {
			t.Errorf("%q is composed as %+v, %v", kind, m, err)
		}
	}
}

// Live secrets are beside the log, never in it.
func TestNoSecretOfADeliveryIsInTheLog(t *testing.T) {
	c := newTeller(t)
	secrets := []string{theToken}
	for _, as := range []string{"pinger", "pusher"} {
		id, authReqID := c.asked(as)
		c.approves(id)
		secrets = append(secrets, authReqID)
		for _, told := range c.tell() {
			if m := c.message(told); as == "pusher" {
				body := object(t, m.Body)
				for _, name := range []string{"access_token", "refresh_token", "id_token"} {
					secrets = append(secrets, body[name].(string))
				}
			}
			c.arrives(told)
		}
	}
	c.tell()
	for e, err := range c.memory.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		c.must(err)
		for _, secret := range secrets {
			if bytes.Contains(e.Data, []byte(secret)) || bytes.Contains(e.Meta, []byte(secret)) {
				t.Errorf("%s of %s holds %s", e.Type, e.Stream, secret)
			}
		}
	}
	for _, secret := range secrets {
		if bytes.Contains(c.logged.Bytes(), []byte(secret)) {
			t.Errorf("logged: %s", secret)
		}
	}
}
