package projections

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/oauth"
)

// posted is a house with one ping that is to be made.
func posted(t *testing.T) (*house, *call) {
	h := newHouse(t)
	h.register("budgetly", "Budgetly")
	c := h.newCall(1, oauth.Ping, "budgetly", "alice")
	h.schedule(c, "p1", delivery.Ping, "the request was approved", "")
	return h, c
}

func (h *house) delivery(id string) Delivery {
	h.t.Helper()
	h.catchUp()
	d, found, err := h.set.Deliveries.Get(context.Background(), id)
	if err != nil || !found {
		h.t.Fatalf("delivery %s: %v, %v", id, found, err)
	}
	return d
}

func TestDeliveryFollowsItsEvents(t *testing.T) {
	h, c := posted(t)
	created := h.now
	next, far := h.now.Add(time.Hour), h.now.Add(72*time.Hour)
	again := delivery.Rescheduled{By: "operator", Due: next, Until: far}
	steps := []struct {
		name string
		do   func()
		want Delivery // only what changes
		due  bool     // at the time of the next attempt
	}{
		{"it is scheduled", func() {}, Delivery{Status: "scheduled", Due: created.Add(-time.Minute), Until: c.expires}, true},
		{"an attempt fails", func() { h.attempt(c, "p1", 503, next) },
			Delivery{Status: "scheduled", Attempts: 1, Answered: 503, Due: next, Until: c.expires}, true},
		{"it is parked", func() { h.record("delivery-p1", c.meta(), delivery.Parked{By: "system", Reason: "no more"}) },
			Delivery{Status: "parked", Attempts: 1, Answered: 503, Reason: "no more", Until: c.expires}, false},
		{"it is taken up again", func() { h.record("delivery-p1", c.meta(), again) },
			Delivery{Status: "scheduled", Attempts: 1, Answered: 503, Due: next, Until: far}, true},
		{"it arrives", func() {
			h.attempt(c, "p1", 204, time.Time{})
			h.record("delivery-p1", c.meta(), delivery.Delivered{N: 2})
		}, Delivery{Status: "delivered", Attempts: 2, Answered: 204, Until: far}, false},
	}
	for _, step := range steps {
		step.do()
		got := h.delivery("p1")
		if ended := step.want.Status != "scheduled"; ended == got.Ended.IsZero() {
			t.Errorf("%s: it ended at %v", step.name, got.Ended)
		}
		want := step.want
		want.ID, want.Kind, want.Issuer, want.Client, want.Subject, want.Backchannel = "p1", delivery.Ping, "bank", "budgetly", "alice", "b1"
		want.Receiver, want.Says, want.Created = "https://budgetly.example/told", "the request was approved", created
		want.Ended, want.position = got.Ended, got.position
		if got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", step.name, got, want)
		}
		due, err := h.set.Deliveries.Due(context.Background(), next, 10, Delivery{})
		if err != nil || (len(due) == 1) != step.due {
			t.Errorf("%s: %d are due, %v", step.name, len(due), err)
		}
	}
}

func TestDeliveriesAreDueInTheOrderOfTheirTimes(t *testing.T) {
	h, c := posted(t)
	for id, wait := range map[string]time.Duration{"late": 3 * time.Hour, "soon": time.Hour, "next": 2 * time.Hour} {
		h.schedule(c, id, delivery.Webhook, "something", "")
		h.attempt(c, id, 500, begin.Add(wait))
	}
	h.catchUp()
	for at, want := range map[time.Duration]string{0: "", time.Hour: "p1 soon", 2*time.Hour - 1: "p1 soon", 2 * time.Hour: "p1 soon next", 9 * time.Hour: "p1 soon next"} {
		due, err := h.set.Deliveries.Due(context.Background(), begin.Add(at), 3, Delivery{})
		var got []string
		for _, d := range due {
			got = append(got, d.ID)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("after %v %q are due, want %q; %v", at, got, want, err)
		}
	}
}

func TestDeliveriesAreListedByPages(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	h.call()
	h.catchUp()
	tests := []struct {
		name string
		ask  DeliveryQuery
		want []string
	}{
		{"all of them, the newest first", DeliveryQuery{}, []string{"w1", "p1", "nb1"}},
		{"those that are parked", DeliveryQuery{Status: "parked"}, []string{"w1"}},
		{"those of a kind", DeliveryQuery{Kind: delivery.Ping}, []string{"p1"}},
		{"those to a client", DeliveryQuery{Client: "budgetly"}, []string{"w1", "p1"}},
		{"those about a consent", DeliveryQuery{Consent: "bc1"}, []string{"w1", "p1"}},
		{"those about a request", DeliveryQuery{Backchannel: "b1"}, []string{"w1", "p1", "nb1"}},
		{"those of all that", DeliveryQuery{Backchannel: "b1", Consent: "bc1", Client: "budgetly", Status: "delivered", Kind: delivery.Ping}, []string{"p1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := pages(t, func(p Page) (ids []string, next string, err error) {
				q := tt.ask
				q.Page = p
				l, err := h.set.Deliveries.List(ctx, q)
				for _, d := range l.Items {
					ids = append(ids, d.ID)
				}
				return ids, l.Next, err
			}, func(p Page) error {
				_, err := h.set.Deliveries.List(ctx, DeliveryQuery{Status: "other", Page: p})
				return err
			})
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestDeliveryShowsWhatWasSentAndWhatWasAnswered(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	h.call()
	h.catchUp()
	s, found, err := h.set.Deliveries.Show(ctx, "w1")
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if s.Media != "application/json" || s.Digest != "47DEQpj8" || !s.Secrets || s.Cause != "event" || s.Status != "parked" {
		t.Errorf("got %+v", s)
	}
	var steps []string
	for _, step := range s.Steps {
		steps = append(steps, step.Step)
	}
	if !slices.Equal(steps, []string{"scheduled", "attempted", "parked"}) {
		t.Fatalf("the steps are %q", steps)
	}
	if a := s.Steps[1]; a.N != 1 || a.Status != 401 || !strings.Contains(a.Answer, pii) || a.Took != 12 || a.Time.IsZero() {
		t.Errorf("the attempt is %+v", a)
	}
	if p := s.Steps[2]; p.By != "system" || p.Reason != "the receiver answered 401" {
		t.Errorf("the end is %+v", p)
	}
	h.erase("alice")
	h.catchUp()
	s, _, err = h.set.Deliveries.Show(ctx, "w1")
	if err != nil || s.Steps[1].Answer != "" || !slices.Contains(s.Erased, "answer") {
		t.Errorf("of an erased customer: %+v, %v", s, err)
	}
	if _, found, err := h.set.Deliveries.Show(ctx, "none"); found || err != nil {
		t.Errorf("of nothing: %v, %v", found, err)
	}
}

func TestBacklogCountsDeliveries(t *testing.T) {
	h, c := posted(t)
	first := h.now
	h.schedule(c, "p2", delivery.Ping, "another", "")
	h.schedule(c, "p3", delivery.Ping, "one more", "")
	h.record("delivery-p3", c.meta(), delivery.Parked{By: "operator", Reason: "enough"})
	h.catchUp()
	b, err := h.set.Deliveries.Backlog(context.Background())
	if err != nil || b.Count["scheduled"] != 2 || b.Count["parked"] != 1 || b.Count["delivered"] != 0 || !b.Oldest.Equal(first) {
		t.Errorf("got %+v, %v", b, err)
	}
}
