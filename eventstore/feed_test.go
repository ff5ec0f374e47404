package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
)

// distant is a log that other nodes write too, over a network that has its
// days.
type distant struct {
	eventstore.Log

	mu     sync.Mutex
	lag    time.Duration // of what a subscription yields
	slow   time.Duration // of what is read
	mute   bool          // subscriptions fall silent for good
	broken error         // subscriptions end, and begin no more
	down   error         // nothing can be read
	reads  int           // of streams and of the log
	subs   int
	filter eventstore.Filter
	cut    chan struct{}
}

func newDistant() *distant { return &distant{Log: memory.New(time.Now), cut: make(chan struct{})} }

// set changes how it is, and ends the subscriptions of the moment.
func (d *distant) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func (d *distant) breakOff(why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = why
	close(d.cut)
	d.cut = make(chan struct{})
}

func (d *distant) state() (lag time.Duration, mute bool, broken, down error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lag, d.mute, d.broken, d.down
}

func (d *distant) readings() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reads
}

func (d *distant) Head(ctx context.Context) (eventstore.Position, error) {
	if _, _, _, down := d.state(); down != nil {
		return 0, down
	}
	return d.Log.Head(ctx)
}

func (d *distant) ReadStream(ctx context.Context, s eventstore.Stream, from eventstore.Revision) iter.Seq2[eventstore.Event, error] {
	return d.counted(d.Log.ReadStream(ctx, s, from))
}

func (d *distant) ReadAll(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Event, error] {
	return d.counted(d.Log.ReadAll(ctx, after, f))
}

func (d *distant) counted(events iter.Seq2[eventstore.Event, error]) iter.Seq2[eventstore.Event, error] {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	down, slow := d.down, d.slow
	return func(yield func(eventstore.Event, error) bool) {
		if down != nil {
			yield(eventstore.Event{}, down)
			return
		}
		var all []eventstore.Event
		for e := range events {
			all = append(all, e)
		}
		time.Sleep(slow)
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (d *distant) Subscribe(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Item, error] {
	return func(yield func(eventstore.Item, error) bool) {
		d.mu.Lock()
		d.subs++
		d.filter = f
		cut := d.cut
		d.mu.Unlock()
		sub, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() {
			select {
			case <-cut:
				cancel()
			case <-sub.Done():
			}
		}()
		if _, _, broken, _ := d.state(); broken != nil {
			yield(eventstore.Item{}, broken)
			return
		}
		for item, err := range d.Log.Subscribe(sub, after, f) {
			lag, mute, broken, _ := d.state()
			time.Sleep(lag)
			switch {
			case ctx.Err() == nil && sub.Err() != nil && broken != nil:
				err = broken
			case mute && err == nil:
				<-sub.Done()
				err = sub.Err()
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// A node has models in memory over a log that others write too.
type node struct {
	*testing.T
	log   *distant
	feed  *eventstore.Feed
	cache *eventstore.Cache[door, doorCommand, doorEvent]
	doors *eventstore.Collection[door, doorCommand, doorEvent]
	other eventstore.Streams[door, doorCommand, doorEvent] // at another node

	mu    sync.Mutex
	fails []error
}

func withNode(t *testing.T, do func(n *node)) {
	synctest.Test(t, func(t *testing.T) {
		n := &node{T: t, log: newDistant()}
		n.feed = eventstore.NewFeed(n.log, func(err error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.fails = append(n.fails, err)
		})
		n.other = doors(n.log.Log)
		own := doors(n.log)
		own.Journal.Feed = n.feed
		n.cache, n.doors = eventstore.NewCache(own), eventstore.NewCollection(own)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { n.feed.Run(ctx); close(ended) }()
		synctest.Wait()
		do(n)
		cancel()
		<-ended
	})
}

func (n *node) failures() []error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.fails
}

// elsewhere has another node decide, and lets this one hear of it if it can.
func (n *node) elsewhere(id string, cmd doorCommand) {
	n.Helper()
	if _, err := n.other.Execute(n.Context(), meta, id, cmd); err != nil {
		n.Fatal(err)
	}
	synctest.Wait()
}

// opens reports what both models say of a door.
func (n *node) opens(id string) (cached, collected bool) {
	n.Helper()
	state, _, err := n.cache.Get(n.Context(), id)
	all, err2 := n.doors.All(n.Context())
	if err := errors.Join(err, err2); err != nil {
		n.Fatal(err)
	}
	return state.open, all[id].open
}

func (n *node) must(id string, open bool) {
	n.Helper()
	if cached, collected := n.opens(id); cached != open || collected != open {
		n.Errorf("the cache says %t, the collection %t; want %t", cached, collected, open)
	}
}

// without runs do, during which nothing may be read.
func (n *node) without(what string, do func()) {
	n.Helper()
	before := n.log.readings()
	do()
	if read := n.log.readings() - before; read > 0 {
		n.Errorf("%s: read %d times", what, read)
	}
}

func TestAFreshFeedSavesReading(t *testing.T) {
	withNode(t, func(n *node) {
		n.elsewhere("1", openDoor{opened{"ann"}})
		n.must("1", true)
		n.without("what is known and did not change", func() {
			for range 100 {
				time.Sleep(100 * time.Millisecond)
				n.must("1", true)
			}
		})
		n.elsewhere("2", openDoor{opened{"bob"}})
		n.without("another door", func() { n.must("1", true) })
		n.elsewhere("1", closeDoor{})
		n.must("1", false)
	})
}

func TestAFeedIsAtMostASecondBehind(t *testing.T) {
	withNode(t, func(n *node) {
		n.elsewhere("1", openDoor{opened{"ann"}})
		n.must("1", true)
		n.log.set(func() { n.log.lag = 600 * time.Millisecond })
		for i := range 40 {
			cmd, open := doorCommand(closeDoor{}), false
			if i%2 == 1 {
				cmd, open = openDoor{opened{"ann"}}, true
			}
			n.elsewhere("1", cmd)
			time.Sleep(eventstore.Staleness + 1)
			n.must("1", open)
		}
	})
}

func TestASilentSubscriptionIsNotTrusted(t *testing.T) {
	withNode(t, func(n *node) {
		n.elsewhere("1", openDoor{opened{"ann"}})
		n.must("1", true)
		n.log.set(func() { n.log.mute = true })
		time.Sleep(time.Minute) // nothing is written: there is nothing to miss
		n.without("an idle log", func() { n.must("1", true) })
		n.elsewhere("1", closeDoor{})
		time.Sleep(eventstore.Staleness + 1)
		if n.feed.Fresh() {
			n.Error("it claims to be fresh")
		}
		n.must("1", false)
		n.log.set(func() { n.log.mute = false })
		time.Sleep(20 * time.Second)
		if fails := n.failures(); !n.feed.Fresh() || len(fails) != 1 {
			n.Errorf("it was not begun anew: fresh as of %v, failures %v", n.feed.AsOf(), fails)
		}
	})
}

func TestABrokenSubscriptionForgetsAndComesBack(t *testing.T) {
	withNode(t, func(n *node) {
		n.elsewhere("1", openDoor{opened{"ann"}})
		n.must("1", true)
		gone := errors.New("the server is gone")
		n.log.breakOff(gone)
		synctest.Wait()
		if n.feed.Fresh() {
			n.Error("it claims to be fresh")
		}
		n.elsewhere("1", closeDoor{})
		time.Sleep(eventstore.Staleness + 1)
		n.must("1", false)
		n.elsewhere("1", openDoor{opened{"ann"}})
		n.elsewhere("1", closeDoor{})
		time.Sleep(time.Minute)
		if fails := n.failures(); len(fails) < 10 || len(fails) > 30 || !errors.Is(fails[0], gone) {
			n.Errorf("tries in a minute failed with %v", fails)
		}
		n.log.set(func() { n.log.broken = nil })
		time.Sleep(6 * time.Second)
		n.must("1", false)
		n.without("a feed that has come back", func() { n.must("1", false) })
		n.elsewhere("1", openDoor{opened{"ann"}})
		n.must("1", true)
	})
}

func TestWithoutTheLogThereIsNoAnswer(t *testing.T) {
	withNode(t, func(n *node) {
		n.elsewhere("1", openDoor{opened{"ann"}})
		n.must("1", true)
		gone := errors.New("the server is gone")
		n.log.set(func() { n.log.down = gone })
		time.Sleep(eventstore.Staleness + pulse)
		if _, _, err := n.cache.Get(n.Context(), "1"); !errors.Is(err, gone) {
			n.Errorf("the cache answers %v", err)
		}
		if _, err := n.doors.All(n.Context()); !errors.Is(err, gone) {
			n.Errorf("the collection answers %v", err)
		}
		n.log.set(func() { n.log.down = nil })
		time.Sleep(eventstore.Staleness)
		n.without("the feed caught up", func() { n.must("1", true) })
	})
}

// pulse is longer than a feed waits before it looks again.
const pulse = 300 * time.Millisecond

func TestAStaleFeedDoesNotMakeEveryRequestReadTheLog(t *testing.T) {
	withNode(t, func(n *node) {
		n.log.breakOff(errors.New("the server is gone"))
		time.Sleep(time.Minute)
		before := n.log.readings()
		var asking sync.WaitGroup
		for range 1000 {
			asking.Go(func() {
				if _, err := n.doors.All(n.Context()); err != nil {
					n.Error(err)
				}
			})
		}
		asking.Wait()
		if read := n.log.readings() - before; read > 2 {
			n.Errorf("1000 requests read the log %d times", read)
		}
	})
}

func TestANodeKnowsItsOwnWrites(t *testing.T) {
	withNode(t, func(n *node) {
		n.log.set(func() { n.log.lag = 900 * time.Millisecond })
		for i := range 20 {
			id := fmt.Sprint(i % 3)
			n.must(id, i >= 3 && i/3%2 == 1)
			cmd := doorCommand(openDoor{opened{"ann"}})
			if i/3%2 == 1 {
				cmd = closeDoor{}
			}
			if _, err := n.cache.Execute(n.Context(), meta, id, cmd); err != nil {
				n.Fatal(err)
			}
			n.must(id, i/3%2 == 0)
		}
	})
}

func TestAnExactCacheIsNotFed(t *testing.T) {
	withNode(t, func(n *node) {
		exact := eventstore.NewExactCache(n.cache.Streams)
		n.elsewhere("1", openDoor{opened{"ann"}})
		n.log.set(func() { n.log.lag = 900 * time.Millisecond })
		for i := range 10 {
			if state, _, err := exact.Get(n.Context(), "1"); err != nil || state.open != (i%2 == 0) {
				n.Errorf("got %+v, %v", state, err)
			}
			if i%2 == 0 {
				n.elsewhere("1", closeDoor{})
			} else {
				n.elsewhere("1", openDoor{opened{"ann"}})
			}
		}
	})
}
