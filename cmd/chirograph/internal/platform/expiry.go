package platform

import (
	"context"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
)

// noteExpiry notes consents that have run out, for timelines and notices. No
// decision reads what it appends: that is judged by the time of each use.
func (p *Platform) noteExpiry(ctx context.Context) error {
	overdue, err := p.Projections.Consents.Overdue(ctx, p.Now())
	if err != nil {
		return err
	}
	for _, id := range overdue {
		state, _, err := p.API.Consents.Load(ctx, id)
		if err != nil {
			return err
		}
		m := p.Meta(event.ActorSystem)
		m.Client, m.Subject = state.Client(), state.Subject()
		if _, err := p.API.Consents.Execute(ctx, m, id, consent.NoteExpiry{At: p.Now()}); err != nil {
			return err
		}
	}
	return nil
}

// noteUnanswered notes backchannel requests that nobody answered, or whose
// answer nobody fetched, in time. The client that waits for a push is told so.
func (p *Platform) noteUnanswered(ctx context.Context) error {
	overdue, err := p.Projections.Backchannels.Overdue(ctx, p.Now())
	if err != nil {
		return err
	}
	for _, b := range overdue {
		m := p.Meta(event.ActorSystem)
		m.Issuer, m.Client, m.Subject, m.Correlation = b.Issuer, b.Client, b.Subject, "backchannel-"+b.ID
		if _, err := p.API.Backchannels.Execute(ctx, m, b.ID, backchannel.NoteExpiry{At: p.Now()}); err != nil {
			return err
		}
	}
	return nil
}

// noteAbandoned notes authorization requests that no customer decided while
// that was possible.
func (p *Platform) noteAbandoned(ctx context.Context) error {
	issuers, err := p.API.Issuers.All(ctx)
	if err != nil {
		return err
	}
	for id, state := range issuers {
		last := p.Now().Add(-state.Settings().InteractionLifetime)
		overdue, err := p.Projections.Unanswered.Overdue(ctx, id, last)
		if err != nil {
			return err
		}
		for _, request := range overdue {
			if err := p.noteOneAbandoned(ctx, id, request); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Platform) noteOneAbandoned(ctx context.Context, issuer, request string) error {
	state, _, err := p.API.Authorizations.Load(ctx, request)
	if err != nil {
		return err
	}
	m := p.Meta(event.ActorSystem)
	m.Issuer, m.Client, m.Subject = issuer, state.Client(), state.Person().Subject
	m.Correlation = "authorization-" + request
	_, err = p.API.Authorizations.Execute(ctx, m, request, authorization.NoteExpiry{At: p.Now()})
	return err
}
