package platform

import (
	"context"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// recordLost says again in the log what it lost when an older copy was put
// back: that somebody was erased, and that their consents ended. Else their
// tokens would count again, and nothing would read "erased".
func (p *Platform) recordLost(ctx context.Context, listed []ledger.Erasure) error {
	for _, e := range listed {
		state, _, err := p.API.Subjects.Load(ctx, e.Subject)
		if err != nil {
			return err
		}
		if !state.Exists() || state.Erased() {
			continue
		}
		m := p.Meta(event.ActorSystem)
		m.Issuer, m.Subject = state.Issuer(), e.Subject
		if err := p.endConsents(ctx, m); err != nil {
			return err
		}
		// A hold that the older log knows does not bring the key back.
		_, err = p.Journal.Commit(ctx, m, eventstore.Draft{
			Stream: p.API.Subjects.Stream(e.Subject), Expect: eventstore.Unchecked(),
			Events: []any{subject.Erased{Reason: "done before the log was restored, which had lost it"}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// endConsents ends what a subject still shares. Nothing in it can be sealed.
func (p *Platform) endConsents(ctx context.Context, m event.Meta) error {
	if err := p.Projections.CatchUp(ctx); err != nil {
		return err
	}
	proposed, err := p.Projections.Consents.Of(ctx, m.Subject)
	if err != nil {
		return err
	}
	for _, c := range proposed {
		state, _, err := p.API.Consents.Load(ctx, c.ID)
		if err != nil {
			return err
		}
		if !state.Alive(p.Now()) && state.Status() != consent.Stopped {
			continue
		}
		m.Client = c.Client
		if _, err := p.API.Consents.Execute(ctx, m, c.ID, consent.Revoke{Revoked: consent.Revoked{By: consent.Bank}}); err != nil {
			return err
		}
	}
	return nil
}
