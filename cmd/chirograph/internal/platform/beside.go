package platform

import (
	"context"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"golang.org/x/sync/errgroup"
)

// beside does what a node does because there are others.
func (p *Platform) beside(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { p.Journal.Feed.Run(ctx); return nil })
	group.Go(func() error {
		p.every(ctx, time.Second, "limits", func() error { return p.exchangeLimits(ctx) })
		return nil
	})
	group.Go(func() error {
		repeat := func() error { return p.eraseSince(ctx, map[string]bool{}) }
		p.try(ctx, "erasures", repeat)
		p.every(ctx, time.Minute, "erasures", repeat)
		return nil
	})
	return group.Wait()
}

// exchangeLimits tells the other nodes what this one let through, and counts
// what they did.
func (p *Platform) exchangeLimits(ctx context.Context) error {
	others, err := p.shared.nodes.Exchange(ctx, p.shared.node, p.limits.Spent())
	if err == nil {
		p.limits.Spend(others, p.Now())
	}
	return err
}

// hear forgets private keys when any node writes about one: a key that still
// signs is read again.
func (p *Platform) hear() {
	if p.Journal.Feed == nil {
		return
	}
	p.Journal.Feed.Observe(eventstore.Observer{
		Categories: []string{p.API.SigningKeys.Kind},
		See: func(events []eventstore.Event) {
			for _, e := range events {
				p.Signer.forget(e.Stream.ID())
			}
		},
		Forget: p.Signer.forgetAll,
	})
}
