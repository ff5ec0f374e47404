package platform

import (
	"context"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/projections"
)

func (p *Platform) asked(t *testing.T, id, subject string, expires time.Time) {
	t.Helper()
	m := p.Meta(event.ActorClient)
	m.Issuer, m.Client, m.Subject = "ciba", "budgetly", subject
	asked := backchannel.Requested{Client: "budgetly", Subject: subject, Mode: oauth.Poll, Expires: expires}
	if _, err := p.API.Backchannels.Execute(t.Context(), m, id, backchannel.Request{Requested: asked}); err != nil {
		t.Fatal(err)
	}
}

func TestACustomerIsShownWhatWasAskedBeforeTheCall(t *testing.T) {
	p, _ := opened(t)
	end := p.Now().Add(time.Hour)
	p.asked(t, "b1", "alice", end)
	p.asked(t, "b2", "ben", end)
	p.asked(t, "b3", "alice", p.Now())
	all, err := p.API.Pending.Pending(t.Context(), "alice", p.Now())
	if err != nil || len(all) != 1 || all[0].ID != "b1" || all[0].Client != "budgetly" || !all[0].Expires.Equal(end) || all[0].Asked.IsZero() {
		t.Errorf("alice is shown %+v, %v", all, err)
	}
}

func TestThatNobodyDecidedIsNotedOnce(t *testing.T) {
	p, later := opened(t)
	url := issuer.Created{URL: "https://bank.example/fapi2", Profile: fapi.SecurityProfile.Name}
	if _, err := p.API.Issuers.Execute(t.Context(), p.Meta(event.ActorOperator), "bank", issuer.Create{Created: url}); err != nil {
		t.Fatal(err)
	}
	m := p.Meta(event.ActorClient)
	m.Issuer, m.Client = "bank", "budgetly"
	asked := authorization.Pushed{Client: "budgetly", Digest: "d", Expires: p.Now().Add(90 * time.Second)}
	if _, err := p.API.Authorizations.Execute(t.Context(), m, "a1", authorization.Push{Pushed: asked}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		wait time.Duration
		want int
	}{{90 * time.Second, 0}, {29 * time.Minute, 0}, {time.Minute, 1}, {time.Hour, 1}} {
		later(step.wait)
		all := p.noted(t, p.noteAbandoned, "authorization.expired")
		if len(all) != step.want {
			t.Fatalf("%v later it was noted %d times, want %d", step.wait, len(all), step.want)
		}
		if len(all) > 0 && (all[0].Stream != "authorization-a1" || all[0].Client == nil || all[0].Client.ID != "budgetly") {
			t.Errorf("it says of whom: %+v", all[0])
		}
	}
}

// noted does a chore and returns the events of a type.
func (p *Platform) noted(t *testing.T, chore func(context.Context) error, typ string) []projections.Entry {
	t.Helper()
	for _, do := range []func(context.Context) error{p.Current, chore, p.Current} {
		if err := do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	found, err := p.Projections.Audit.Search(t.Context(), projections.Query{Type: typ})
	if err != nil {
		t.Fatal(err)
	}
	return found.Items
}

func TestThatNobodyAnsweredIsNotedOnce(t *testing.T) {
	p, later := opened(t)
	p.asked(t, "b1", "alice", p.Now().Add(time.Hour))
	p.asked(t, "b2", "alice", p.Now().Add(2*time.Hour))
	noted := func() []projections.Entry { return p.noted(t, p.noteUnanswered, "backchannel.expired") }
	if all := noted(); len(all) != 0 {
		t.Errorf("noted before the end: %v", all)
	}
	later(time.Hour)
	first, second := noted(), noted()
	if len(first) != 1 || len(second) != 1 || first[0].Stream != "backchannel-b1" {
		t.Fatalf("noted %v, then %v", first, second)
	}
	if e := first[0]; e.Issuer != "ciba" || e.Client == nil || e.Client.ID != "budgetly" || e.Subject == nil || e.Subject.ID != "alice" {
		t.Errorf("it says of whom: %+v", e)
	}
}
