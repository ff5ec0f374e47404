package platform

import (
	"context"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/projections"
)

// customers implements [api.CustomerConsents] with the projections.
type customers struct{ platform *Platform }

func (c customers) Consents(ctx context.Context, subject string) ([]api.ConsentRow, error) {
	if err := c.platform.Current(ctx); err != nil {
		return nil, err
	}
	known, err := c.platform.Projections.Consents.Of(ctx, subject)
	rows := make([]api.ConsentRow, len(known))
	for i, k := range known {
		rows[i] = api.ConsentRow{
			ID: k.ID, Client: k.Client, Status: k.Status, Since: k.Since, Expires: k.Expires, Ended: k.Ended, LastAccess: k.LastAccess,
		}
	}
	return rows, err
}

// historyLines bounds what one page tells.
const historyLines = 200

func (c customers) History(ctx context.Context, consent string) ([]api.HistoryLine, error) {
	if err := c.platform.Current(ctx); err != nil {
		return nil, err
	}
	found, err := c.platform.Projections.Audit.Search(ctx, projections.Query{
		Consent: consent, Page: projections.Page{Limit: historyLines},
	})
	return history(found.Items), err
}

// patience is how long an answer waits for projections that are behind.
const patience = 5 * time.Second

// Current returns when the projections have seen all that was acknowledged
// before the call.
func (p *Platform) Current(ctx context.Context) error {
	if !p.following.Load() {
		return p.Projections.CatchUp(ctx)
	}
	head, err := p.Log.Head(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return p.Projections.WaitFor(ctx, head)
}
