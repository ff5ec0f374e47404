package projections

import (
	"fmt"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
)

// A call is a backchannel request, from the request to the tokens, with the
// deliveries that tell of it.
type call struct {
	id, mode string
	journey  *journey // for what both have
	expires  time.Time
	sent     map[string]int // attempts by delivery
	kinds    map[string]delivery.Kind
}

func (h *house) newCall(n int, mode, client, customer string) *call {
	j := newJourney(n, client, customer)
	j.consent, j.token, j.refresh = fmt.Sprintf("bc%d", n), fmt.Sprintf("bt%d", n), fmt.Sprintf("br%d", n)
	return &call{id: fmt.Sprintf("b%d", n), mode: mode, journey: j, expires: h.now.Add(time.Hour), sent: map[string]int{}, kinds: map[string]delivery.Kind{}}
}

func (c *call) stream() string { return "backchannel-" + c.id }

// meta leaves out what the events of the request tell.
func (c *call) meta() event.Meta {
	return event.Meta{Subject: c.journey.customer, Correlation: c.stream()}
}

func (h *house) ask(c *call) {
	h.record(c.stream(), c.meta(), backchannel.Requested{
		Client: c.journey.client, Subject: c.journey.customer, Digest: "digest", Expires: c.expires, Mode: c.mode, Hint: "login_hint",
		Scope: "openid accounts", BindingMessage: "W4SCT " + pii, Body: "login_hint=" + pii,
	})
}

func (h *house) notify(c *call) {
	h.schedule(c, "n"+c.id, delivery.Device, "a request waits for an answer", "")
	h.attempt(c, "n"+c.id, 200, time.Time{})
	h.record("delivery-n"+c.id, c.meta(), delivery.Delivered{Kind: delivery.Device, N: 1})
	h.record(c.stream(), c.meta(), backchannel.DeviceNotified{Device: "phone", Delivery: "n" + c.id})
}

func (h *house) show(c *call) {
	h.record(c.stream(), c.meta(), backchannel.Shown{Shown: "hash", Template: "t1", Locale: "en", Rendered: "Budgetly asks " + pii})
}

func (h *house) say(c *call) {
	j := c.journey
	h.record(c.stream(), c.meta(), backchannel.Approved{
		Consent: j.consent, Subject: j.customer, Scope: "accounts", Details: j.details(), Permissions: []string{oauth.ReadBalances},
		Expires: j.expires, Shown: "hash", ACR: "urn:pwd", AMR: []string{"pwd"}, AuthTime: h.now, Method: backchannel.Passkey, Proof: pii,
	})
	h.record("consent-"+j.consent, c.meta(), consent.Authorized{
		Client: j.client, Subject: j.customer, Scope: "accounts", Details: j.details(), Permissions: []string{oauth.ReadBalances},
		Expires: j.expires, Backchannel: c.id, Message: "W4SCT " + pii,
	})
}

func (h *house) sayNo(c *call) {
	h.record(c.stream(), c.meta(), backchannel.Denied{By: backchannel.Customer, Reason: "the customer did not start this", NotMe: true, Method: backchannel.Password})
	h.record("client-"+c.journey.client, event.Meta{}, client.Flagged{Backchannel: c.id, Reason: "a customer did not start a request"})
}

func (h *house) runOut(c *call) {
	h.record(c.stream(), event.Meta{Actor: event.ActorSystem}, backchannel.Expired{})
}

// schedule begins a delivery about the request.
func (h *house) schedule(c *call, id string, kind delivery.Kind, says, consent string) {
	c.kinds[id] = kind
	s := delivery.Scheduled{
		Kind: kind, Client: c.journey.client, Backchannel: c.id, Consent: consent, Receiver: "https://" + c.journey.client + ".example/told",
		Media: "application/json", Digest: "47DEQpj8", Says: says, Cause: "event", Due: h.now, Until: c.expires,
	}
	if kind == delivery.Device {
		s.Client, s.Device = "", "phone"
	}
	h.record("delivery-"+id, c.meta(), s)
}

func (h *house) attempt(c *call, id string, status int, next time.Time) {
	c.sent[id]++
	h.record("delivery-"+id, c.meta(), delivery.Attempted{Kind: c.kinds[id], N: c.sent[id], Status: status, Answer: `{"account":"` + pii + `"}`, Took: 12, Next: next})
}

func (h *house) redeemCall(c *call) {
	j := c.journey
	h.record(c.stream(), event.Meta{}, backchannel.Redeemed{Token: j.token, Refresh: j.refresh, Consent: j.consent, Via: c.mode})
	h.record("token-"+j.token, event.Meta{Client: j.client, Subject: j.customer}, token.Issued{
		Client: j.client, Subject: j.customer, Consent: j.consent, Backchannel: c.id, Refresh: j.refresh,
		Audience: []string{"https://api.bank.example"}, Expires: h.now.Add(5 * time.Minute), Key: "k1",
	})
	h.record("refresh-"+j.refresh, event.Meta{}, token.RefreshIssued{
		Client: j.client, Subject: j.customer, Consent: j.consent, Backchannel: c.id, Digest: "refresh", Expires: j.expires,
	})
}

// call tells of a request that is approved and used, and of a second one that
// the customer did not start.
func (h *house) call() (said, denied *call) {
	h.begin()
	h.register("budgetly", "Budgetly")
	h.register("payzip", "Payzip")
	h.enroll("alice", "Alice")
	said, denied = h.newCall(1, oauth.Ping, "budgetly", "alice"), h.newCall(2, oauth.Poll, "payzip", "alice")
	h.ask(said)
	h.ask(denied)
	h.notify(said)
	h.show(said)
	h.say(said)
	h.sayNo(denied)
	h.schedule(said, "p1", delivery.Ping, "the request was approved", "bc1")
	h.attempt(said, "p1", 503, h.now.Add(time.Second))
	h.attempt(said, "p1", 204, time.Time{})
	h.record("delivery-p1", said.meta(), delivery.Delivered{Kind: delivery.Ping, N: 2})
	h.redeemCall(said)
	h.access(said.journey, said.journey.token, 200)
	h.record("consent-bc1", event.Meta{Actor: event.ActorCustomer, Subject: "alice"}, consent.Revoked{By: consent.Customer, Reason: "done " + pii})
	h.schedule(said, "w1", delivery.Webhook, "the consent was revoked", "bc1")
	h.attempt(said, "w1", 401, time.Time{})
	h.record("delivery-w1", said.meta(), delivery.Parked{Kind: delivery.Webhook, By: delivery.System, Reason: "the receiver answered 401"})
	return said, denied
}

// calling takes the next step of a backchannel request, or begins one.
func (s *history) calling() {
	if len(s.calls) == 0 || s.r.IntN(3) == 0 {
		if c, p := s.clients[s.r.IntN(len(s.clients))], s.customers[s.r.IntN(len(s.customers))]; !s.erased[p] {
			made := s.newCall(len(s.calls)+1, oauth.Ping, c, p)
			s.calls = append(s.calls, made)
			s.ask(made)
		}
		return
	}
	c := s.calls[s.r.IntN(len(s.calls))]
	if s.erased[c.journey.customer] {
		return
	}
	steps := []func(*call){
		s.notify, s.show, s.say,
		func(c *call) { s.schedule(c, "p"+c.id, delivery.Ping, "it was approved", "") },
		func(c *call) { s.attempt(c, "p"+c.id, 500, s.now.Add(time.Minute)) },
		s.redeemCall,
		func(c *call) { s.access(c.journey, c.journey.token, 200) },
		func(c *call) {
			s.record("delivery-p"+c.id, c.meta(), delivery.Parked{Kind: delivery.Ping, By: "operator", Reason: "enough"})
		},
	}
	n := s.said[c]
	switch {
	case n == 2 && s.r.IntN(3) == 0:
		s.sayNo(c)
		s.said[c] = len(steps)
	case n < 3 && s.r.IntN(5) == 0:
		s.runOut(c)
		s.said[c] = len(steps)
	case n < len(steps):
		steps[n](c)
		s.said[c]++
	}
}
