package watermill

import (
	"context"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// progress is how far a topic has got, and what of that is durable.
type progress struct {
	name string

	mu        sync.Mutex
	at, saved eventstore.Position
}

// lastSave bounds the last write of a checkpoint.
const lastSave = 5 * time.Second

func (p *progress) position() eventstore.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

func (p *progress) move(to eventstore.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = max(p.at, to)
}

// keepSaving makes the checkpoint durable again and again, until ctx ends: many
// acknowledgements cost one write.
func (p *progress) keepSaving(ctx context.Context, c Checkpoints, every time.Duration, failed func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := p.save(ctx, c); err != nil && ctx.Err() == nil {
				failed(err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// finish makes it durable at the end.
func (p *progress) finish(ctx context.Context, c Checkpoints, failed func(error)) {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), lastSave)
	defer done()
	if err := p.save(ctx, c); err != nil {
		failed(err)
	}
}

// save is called by one goroutine at a time.
func (p *progress) save(ctx context.Context, c Checkpoints) error {
	p.mu.Lock()
	at, saved := p.at, p.saved
	p.mu.Unlock()
	if at == saved {
		return nil
	}
	if err := c.Save(ctx, p.name, at); err != nil {
		return err
	}
	p.mu.Lock()
	p.saved = at
	p.mu.Unlock()
	return nil
}
