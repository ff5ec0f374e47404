package platform

import (
	"context"

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
