package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

var (
	errMute    = errors.New("eventstoredb: the subscription has fallen silent")
	errRetired = errors.New("eventstoredb: the client of the subscription was replaced")
)

// feed keeps the index up to date until the log is closed or halted. A
// subscription that breaks is made again, from where the last one was.
func (l *Log) feed() {
	f := feed{Log: l}
	for pause := firstPause; ; {
		before := f.came
		err := f.subscribe()
		if l.ctx.Err() != nil || l.Halted() != nil {
			return
		}
		if f.came > before {
			pause = firstPause
		}
		l.metrics.SubscriptionRestarted()
		l.log.Warn("subscription to EventStoreDB restarts", "after", err)
		if !sleep(l.ctx, pause) {
			return
		}
		pause = min(2*pause, lastPause)
	}
}

// A feed is the one subscription to all events.
type feed struct {
	*Log
	came    int       // messages, of this subscription and all before
	seen    uint64    // place up to which everything was considered
	lastID  uuid.UUID // of the last event, once there was one
	behind  uint64    // place of an event that is overdue since the last look, 0 if none
	at      int       // messages that had come then
	absent  int       // looks in a row at which the last event was not there
	started time.Time

	tolerance time.Duration // for a subscription that brings nothing yet
}

// subscribe follows one subscription to its end.
func (f *feed) subscribe() error {
	if err := f.confirm(); err != nil {
		return err
	}
	c, err := f.clients.lease(f.ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	messages := make(chan *esdb.SubscriptionEvent, 256)
	ended := make(chan error, 1)
	go func() {
		err := guarded(func() error { return receive(ctx, c.Client, f.options(), messages) })
		f.clients.release(c, err)
		ended <- err
	}()
	f.started, f.behind = time.Now(), 0
	return f.follow(ctx, c, messages, ended)
}

func (f *feed) options() esdb.SubscribeToAllOptions {
	_, last, _ := f.index.head()
	f.seen = max(f.seen, last, f.origin)
	return esdb.SubscribeToAllOptions{From: at(f.seen), Filter: f.filter()}
}

// receive passes on what a subscription brings. It runs beside its reader,
// because the client may not return when it should.
func receive(ctx context.Context, c *esdb.Client, o esdb.SubscribeToAllOptions, messages chan<- *esdb.SubscriptionEvent) error {
	sub, err := c.SubscribeToAll(toLeader(ctx), o)
	if err != nil {
		return err
	}
	defer sub.Close()
	for {
		m := sub.Recv()
		if m.SubscriptionDropped != nil {
			return m.SubscriptionDropped.Error
		}
		select {
		case messages <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *feed) follow(ctx context.Context, c *client, messages <-chan *esdb.SubscriptionEvent, ended <-chan error) error {
	looks := make(chan look, 1)
	tick := time.NewTicker(f.watch)
	defer tick.Stop()
	looking := false
	for {
		var err error
		select {
		case m := <-messages:
			err = f.take(m, messages)
		case err = <-ended:
			err = f.rest(messages, err)
		case <-tick.C:
			if !looking {
				looking = true
				f.running.Go(func() { looks <- f.look(ctx) })
			}
		case seen := <-looks:
			looking = false
			err = f.judge(seen)
		case place := <-f.index.nudged:
			err = f.overdue(place)
		case <-c.gone:
			err = errRetired
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// rest takes what came before a subscription ended.
func (f *feed) rest(messages <-chan *esdb.SubscriptionEvent, why error) error {
	for len(messages) > 0 {
		if err := f.take(<-messages, messages); err != nil {
			return err
		}
	}
	return fmt.Errorf("subscription ended: %w", why)
}

// take indexes a message and those that wait behind it.
func (f *feed) take(m *esdb.SubscriptionEvent, messages <-chan *esdb.SubscriptionEvent) error {
	var events []placed
	for waiting := len(messages); ; waiting-- {
		f.came++
		if r := m.EventAppeared; r != nil && r.OriginalEvent() != nil {
			event := r.OriginalEvent()
			f.seen = max(f.seen, event.Position.Commit)
			if f.ours(event) {
				e, err := f.event(event)
				if err != nil {
					return f.halt(err)
				}
				events = append(events, placed{e, event.Position.Commit})
				f.lastID = e.ID
			}
		}
		if m.CheckPointReached != nil {
			f.seen = max(f.seen, m.CheckPointReached.Commit)
		}
		if waiting == 0 {
			break
		}
		m = <-messages
	}
	f.tolerance = 0
	if len(events) == 0 {
		return nil
	}
	if err := f.index.add(events); err != nil {
		return f.halt(err)
	}
	return nil
}

// maxAbsent is how often the last event may be found missing before the server
// is believed: a leader that was deposed and does not know it yet may lack it.
const maxAbsent = 3

// gone counts that the last event is not there, and halts the log when it
// stays so.
func (f *feed) gone() error {
	if f.absent++; f.absent < maxAbsent {
		return nil
	}
	head, _, _ := f.index.head()
	return f.halt(&ledger.RollbackError{Want: int64(head), Have: int64(head) - 1, Where: "what this node has read of the log"})
}
