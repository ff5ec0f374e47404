package platform

import (
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/event"
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

func TestThatNobodyAnsweredIsNotedOnce(t *testing.T) {
	p, later := opened(t)
	p.asked(t, "b1", "alice", p.Now().Add(time.Hour))
	p.asked(t, "b2", "alice", p.Now().Add(2*time.Hour))
	noted := func() []projections.Entry {
		t.Helper()
		for _, do := range []func() error{
			func() error { return p.Current(t.Context()) },
			func() error { return p.noteUnanswered(t.Context()) },
			func() error { return p.Current(t.Context()) },
		} {
			if err := do(); err != nil {
				t.Fatal(err)
			}
		}
		found, err := p.Projections.Audit.Search(t.Context(), projections.Query{Type: "backchannel.expired"})
		if err != nil {
			t.Fatal(err)
		}
		return found.Items
	}
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
