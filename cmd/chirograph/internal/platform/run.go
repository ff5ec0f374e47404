package platform

import (
	"context"
	"errors"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"golang.org/x/sync/errgroup"
)

// Run does what goes on beside the requests until ctx ends: checkpoints,
// projections, housekeeping, verification. It ends early, with the error, only
// if the log turns out to be altered.
func (p *Platform) Run(ctx context.Context) error {
	p.following.Store(true)
	defer p.following.Store(false)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.govern(ctx) })
	group.Go(func() error {
		interval := time.Duration(p.Config.Checkpoints.Interval)
		return p.Keeper.RunAmong(ctx, interval, p.governing.Load, func(err error) { p.failed(ctx, "checkpoint", err) })
	})
	group.Go(func() error { p.Projections.Run(ctx); return nil })
	group.Go(func() error {
		p.every(ctx, time.Minute, "refusals", func() error { return p.API.FlushRefusals(ctx, p.Now()) })
		return nil
	})
	if p.shared != nil {
		group.Go(func() error { return p.beside(ctx) })
	}
	return group.Wait()
}

// govern does what one node does for all of them, while this node is that one.
func (p *Platform) govern(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p.lead(ctx, "platform", func(ctx context.Context) {
		p.governing.Store(true)
		defer p.governing.Store(false)
		if err := p.office(ctx); err != nil {
			stop(err)
		}
	})
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Governing reports whether this node is the one that governs.
func (p *Platform) Governing() bool { return p.governing.Load() }

// FeedAge is how many seconds old what is known of the writes of other nodes
// may be: 0 where there is one node, -1 if nothing is known.
func (p *Platform) FeedAge() float64 {
	if p.Journal.Feed == nil {
		return 0
	}
	at := p.Journal.Feed.AsOf()
	if at.IsZero() {
		return -1
	}
	return time.Since(at).Seconds()
}

func (p *Platform) office(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.keepHouse(ctx) })
	group.Go(func() error { return p.keepVerifying(ctx) })
	group.Go(func() error { p.Deliveries.Run(ctx); return nil })
	for _, e := range p.Exports {
		group.Go(func() error { e.Run(ctx); return nil })
	}
	if log, ok := p.Log.(numbered); ok {
		group.Go(func() error { return log.number(ctx) })
	}
	return group.Wait()
}

// quiet is how long nothing more is said of a task that goes on failing.
const quiet = 10 * time.Second

// failed tells of background work that will be tried again.
func (p *Platform) failed(ctx context.Context, task string, err error) {
	p.Metrics.Failed(task)
	now := time.Now()
	if last, said := p.told.Load(task); said && now.Sub(last.(time.Time)) < quiet {
		return
	}
	p.told.Store(task, now)
	p.Options.Log.ErrorContext(ctx, "background work failed", "task", task, "err", err)
}

// keepHouse does the small work of every minute and every hour.
func (p *Platform) keepHouse(ctx context.Context) error {
	var group errgroup.Group
	for _, chore := range []struct {
		name  string
		every time.Duration
		do    func() error
	}{
		{"expiry", time.Minute, func() error { return p.noteExpiry(ctx) }},
		{"abandoned", time.Minute, func() error { return p.noteAbandoned(ctx) }},
		{"backchannels", 5 * time.Second, func() error { return p.noteUnanswered(ctx) }},
		{"sessions", time.Hour, func() error { return p.Login.Sweep(ctx, p.Now()) }},
		{"waiting", time.Minute, func() error { return p.Outbox.Sweep(ctx, p.Now()) }},
		{"journeys", time.Hour, func() error { _, err := p.Ring.DestroyExpired(ctx, p.Now()); return err }},
		{"rotation", time.Hour, func() error { return p.Admin.RotateDue(ctx, p.Meta(event.ActorSystem)) }},
	} {
		group.Go(func() error { p.every(ctx, chore.every, chore.name, chore.do); return nil })
	}
	return group.Wait()
}

// every does something again and again until ctx ends.
func (p *Platform) every(ctx context.Context, interval time.Duration, task string, do func() error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.try(ctx, task, do)
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
	_, signing := p.sign(ctx)
	return errors.Join(err, signing)
}

// sign returns a checkpoint over all that was acknowledged before the call.
func (p *Platform) sign(ctx context.Context) (ledger.Checkpoint, error) {
	if err := p.complete(ctx); err != nil {
		return ledger.Checkpoint{}, err
	}
	return p.Keeper.Sign(ctx)
}

// complete returns when everything that was acknowledged before the call is in
// the tree.
func (p *Platform) complete(ctx context.Context) error {
	if log, ok := p.Log.(numbered); ok {
		return log.complete(ctx)
	}
	return nil
}
