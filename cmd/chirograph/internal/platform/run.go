package platform

import (
	"context"
	"errors"
	"time"

	"github.com/chirograph/chirograph/domain/event"

	"golang.org/x/sync/errgroup"
)

// Run does what goes on beside the requests until ctx ends: checkpoints,
// projections, housekeeping, verification. It ends early, with the error, only
// if the log turns out to be altered.
func (p *Platform) Run(ctx context.Context) error {
	p.following.Store(true)
	defer p.following.Store(false)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return p.Keeper.Run(ctx, time.Duration(p.Config.Checkpoints.Interval), func(err error) { p.failed(ctx, "checkpoint", err) })
	})
	group.Go(func() error { p.Projections.Run(ctx); return nil })
	group.Go(func() error { return p.keepHouse(ctx) })
	group.Go(func() error { return p.keepVerifying(ctx) })
	return group.Wait()
}

// failed tells of background work that will be tried again.
func (p *Platform) failed(ctx context.Context, task string, err error) {
	p.Metrics.Failed(task)
	p.Options.Log.ErrorContext(ctx, "background work failed", "task", task, "err", err)
}

// keepHouse does the small work of every minute and every hour.
func (p *Platform) keepHouse(ctx context.Context) error {
	minute, hour := time.NewTicker(time.Minute), time.NewTicker(time.Hour)
	defer minute.Stop()
	defer hour.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-minute.C:
			p.try(ctx, "refusals", func() error { return p.API.FlushRefusals(ctx, p.Now()) })
			p.try(ctx, "expiry", func() error { return p.noteExpiry(ctx) })
		case <-hour.C:
			p.try(ctx, "sessions", func() error { return p.Login.Sweep(ctx, p.Now()) })
			p.try(ctx, "journeys", func() error { _, err := p.Ring.DestroyExpired(ctx, p.Now()); return err })
			p.try(ctx, "rotation", func() error { return p.Admin.RotateDue(ctx, p.Meta(event.ActorSystem)) })
		}
	}
}

func (p *Platform) try(ctx context.Context, task string, do func() error) {
	if err := do(); err != nil && !errors.Is(err, context.Canceled) {
		p.failed(ctx, task, err)
	}
}

// Flush appends what is counted but not yet in the log, and signs for all of
// it. Call it last, after requests and Run have ended.
func (p *Platform) Flush(ctx context.Context) error {
	err := p.API.FlushRefusals(ctx, p.Now().Add(2*time.Minute))
	_, signing := p.Keeper.Sign(ctx)
	return errors.Join(err, signing)
}
