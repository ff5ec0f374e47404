package platform

import (
	"context"
	"time"

	"github.com/chirograph/chirograph/api"
)

// pending implements [api.PendingRequests] with the projections.
type pending struct{ platform *Platform }

func (p pending) Pending(ctx context.Context, subject string, now time.Time) ([]api.PendingRequest, error) {
	if err := p.platform.Current(ctx); err != nil {
		return nil, err
	}
	waiting, err := p.platform.Projections.Backchannels.Pending(ctx, subject, now)
	all := make([]api.PendingRequest, len(waiting))
	for i, w := range waiting {
		all[i] = api.PendingRequest{ID: w.ID, Client: w.Client, Asked: w.Asked, Expires: w.Expires}
	}
	return all, err
}
