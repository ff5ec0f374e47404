package platform

import (
	"context"
	"crypto/x509"

	"github.com/chirograph/chirograph/adapters/watermill"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/event"
)

// openDeliveries makes ready what tells others what the log says. Only the node
// that governs runs it.
func (p *Platform) openDeliveries(roots *x509.CertPool) {
	if p.ReadOnly {
		return
	}
	p.Deliveries = watermill.NewDeliveries(watermill.Config{
		Name: deliveries, Journal: p.Journal, Checkpoints: p.Outbox, Categories: api.Obliging,
		Notices: p.API, Due: p.Projections.Deliveries, Metrics: p.Metrics,
		Poster: &posting{roots: roots, now: p.Now, except: p.fetchOrigins},
		Meta:   p.Meta(event.ActorSystem), Now: p.Now, Log: p.Options.Log,
		Failed: func(err error) { p.failed(context.Background(), deliveries, err) },
	})
}

// fetchOrigins are an issuer's exceptions from the rules of addresses.
func (p *Platform) fetchOrigins(ctx context.Context, issuer string) ([]string, error) {
	t, _, err := p.API.Tenant(ctx, issuer)
	return t.Settings.FetchOrigins, err
}
