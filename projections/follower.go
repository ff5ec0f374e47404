package projections

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

const (
	batchEvents = 500                    // folded in by one transaction at most
	linger      = 500 * time.Millisecond // how long an event waits for company
)

// A follower keeps one projection in step with the log.
type follower struct {
	Projection
	journal *eventstore.Journal // without keys
	db      *database
	past    bool // folded to a past position, where it stays

	rebuilding sync.Mutex // one rebuild at a time
	applying   sync.Mutex // held while events are folded into the active build, and over a switch

	mu    sync.RWMutex // held by readers over a question, and by a switch
	build build

	waits waits
	state health
}

// read runs f over the active build. Position is how far it has come.
func (f *follower) read(ctx context.Context, answer func(tx *Tx, at eventstore.Position) error) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.db.read(ctx, f.build, func(tx *Tx) error {
		c, err := tx.checkpoint(ctx)
		if err != nil {
			return err
		}
		return answer(tx, c.position)
	})
}

// fold decodes events and folds them into the active build.
func (f *follower) fold(ctx context.Context, events []eventstore.Event, mark eventstore.Position) error {
	decoded := make([]eventstore.Decoded, len(events))
	for i, e := range events {
		var err error
		if decoded[i], err = f.journal.Codec.Decode(ctx, e); err != nil {
			return fmt.Errorf("projection %s at position %d: %w", f.Name, e.Position, err)
		}
	}
	f.applying.Lock()
	defer f.applying.Unlock()
	reached, err := f.db.apply(ctx, f.build, decoded, mark)
	if err != nil {
		return err
	}
	f.state.well() // before anybody who waits looks at it
	f.waits.reach(reached)
	return nil
}

// follow folds events in as they are committed, until ctx ends or something
// fails. It never holds up the writer: it reads the log behind it.
func (f *follower) follow(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("projection %s: %v", f.Name, r)
		}
	}()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	items, failed := f.subscribe(ctx)
	for {
		select {
		case err := <-failed:
			return err
		case item := <-items:
			if err := f.gather(ctx, item, items); err != nil {
				return err
			}
		}
	}
}

// subscribe reads the log from the checkpoint on in the background. Items
// sent before a failure are received before it or read again.
func (f *follower) subscribe(ctx context.Context) (<-chan eventstore.Item, <-chan error) {
	items, failed := make(chan eventstore.Item, 64), make(chan error, 1)
	go func() {
		for item, err := range f.journal.Log.Subscribe(ctx, f.waits.at(), f.Filter) {
			if err != nil {
				failed <- err
				return
			}
			select {
			case items <- item:
			case <-ctx.Done():
				failed <- ctx.Err()
				return
			}
		}
	}()
	return items, failed
}

// gather folds an item in together with those that follow soon. Who waits for
// a position cuts the wait short.
func (f *follower) gather(ctx context.Context, item eventstore.Item, items <-chan eventstore.Item) error {
	var batch []eventstore.Event
	add := func(next eventstore.Item) {
		item = next
		if next.Event != nil {
			batch = append(batch, *next.Event)
		}
	}
	add(item)
	timer := time.NewTimer(linger)
	defer timer.Stop()
	for open := true; open && len(batch) < batchEvents; {
		select {
		case next := <-items:
			add(next)
			continue
		default:
		}
		if f.waits.waiting() {
			break
		}
		select {
		case next := <-items:
			add(next)
		case <-f.waits.hurry:
		case <-timer.C:
			open = false
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return f.fold(ctx, batch, item.Mark)
}

// lag is how far a position is behind the log. A fold into the past is not
// behind anything.
func (f *follower) lag(ctx context.Context, at eventstore.Position) (uint64, error) {
	if f.past {
		return 0, nil
	}
	head, err := f.journal.Log.Head(ctx)
	return behind(head, at), err
}
