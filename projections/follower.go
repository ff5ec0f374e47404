package projections

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

const (
	batchEvents = 500                    // folded in by one transaction at most, of what arrives
	linger      = 500 * time.Millisecond // how long an event waits for company
)

// A follower keeps one projection in step with the log, or knows how far who
// does so has come. Which build is active it reads each time from the
// database: another node may have put a new one in its place.
type follower struct {
	Projection
	journal *eventstore.Journal // without keys
	db      *database
	past    bool // folded to a past position, where it stays

	rebuilding sync.Mutex // one rebuild at a time
	folds      atomic.Bool
	waits      waits
	state      health
}

func (f *follower) active() build { return build{Projection: f.Projection} }

// switches bounds how often a question is asked again because the tables it
// was asking were replaced meanwhile.
const switches = 4

// read runs f over the active build. Position is how far it has come.
func (f *follower) read(ctx context.Context, answer func(tx *Tx, at eventstore.Position) error) error {
	for attempt := 1; ; attempt++ {
		asked := f.active()
		err := f.db.read(ctx, asked, func(tx *Tx) error {
			c, err := tx.locate(ctx)
			if err != nil {
				return err
			}
			asked = tx.build
			return answer(tx, c.position)
		})
		if err == nil || attempt == switches || !f.replaced(ctx, asked) {
			return err
		}
	}
}

// replaced reports whether another build than the one asked is active now.
func (f *follower) replaced(ctx context.Context, asked build) bool {
	now := asked
	err := f.db.read(ctx, f.active(), func(tx *Tx) error {
		_, err := tx.locate(ctx)
		now = tx.build
		return err
	})
	return err == nil && now.generation != asked.generation
}

// position returns how far the active build has come.
func (f *follower) position(ctx context.Context) (at eventstore.Position, err error) {
	err = f.db.read(ctx, f.active(), func(tx *Tx) error {
		c, err := tx.locate(ctx)
		at = c.position
		return err
	})
	return at, err
}

// fold decodes what the log has between two positions and folds it into the
// active build.
func (f *follower) fold(ctx context.Context, after eventstore.Position, events []eventstore.Event, mark eventstore.Position) error {
	more := batch{after: after, mark: mark, events: make([]eventstore.Decoded, len(events))}
	for i, e := range events {
		var err error
		if more.events[i], err = f.journal.Codec.Decode(ctx, e); err != nil {
			return fmt.Errorf("projection %s at position %d: %w", f.Name, e.Position, err)
		}
	}
	reached, err := f.db.apply(ctx, f.active(), more)
	if err != nil {
		return err
	}
	f.reached(reached)
	return nil
}

func (f *follower) reached(p eventstore.Position) {
	f.state.well() // before anybody who waits looks at it
	f.waits.reach(p)
}

// catchUp folds in what the log holds up to its head.
func (f *follower) catchUp(ctx context.Context, head eventstore.Position) (eventstore.Position, error) {
	at, err := f.position(ctx)
	if err != nil {
		return at, err
	}
	f.waits.is(at)
	return f.db.replay(ctx, f.journal, []build{f.active()}, at, head, func(_ int, p eventstore.Position) { f.reached(p) })
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
	head, err := f.journal.Log.Head(ctx)
	if err != nil {
		return err
	}
	at, err := f.catchUp(ctx, head)
	if err != nil {
		return err
	}
	items, failed := f.subscribe(ctx, at)
	for {
		select {
		case err := <-failed:
			return err
		case item := <-items:
			if at, err = f.gather(ctx, at, item, items); err != nil {
				return err
			}
		}
	}
}

// subscribe reads the log from a position on in the background. Items sent
// before a failure are received before it or read again.
func (f *follower) subscribe(ctx context.Context, after eventstore.Position) (<-chan eventstore.Item, <-chan error) {
	items, failed := make(chan eventstore.Item, 64), make(chan error, 1)
	go func() {
		for item, err := range f.journal.Log.Subscribe(ctx, after, f.Filter) {
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

// gather folds an item in together with those that follow soon, and returns
// where the log was read to. Who waits for a position cuts the wait short.
func (f *follower) gather(ctx context.Context, after eventstore.Position, item eventstore.Item, items <-chan eventstore.Item) (eventstore.Position, error) {
	var events []eventstore.Event
	add := func(next eventstore.Item) {
		item = next
		if next.Event != nil {
			events = append(events, *next.Event)
		}
	}
	add(item)
	timer := time.NewTimer(linger)
	defer timer.Stop()
	for open := true; open && len(events) < batchEvents; {
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
			return after, ctx.Err()
		}
	}
	return item.Mark, f.fold(ctx, after, events, item.Mark)
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
