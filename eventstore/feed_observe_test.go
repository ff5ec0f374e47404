package eventstore_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// listener is an observer that writes down what it is told.
type listener struct {
	told    []eventstore.Stream
	forgets int
	touched []eventstore.Stream
}

func (l *listener) observer(categories ...string) eventstore.Observer {
	return eventstore.Observer{
		Categories: categories,
		See: func(events []eventstore.Event) {
			for _, e := range events {
				l.told = append(l.told, e.Stream)
			}
		},
		Forget:  func() { l.forgets++ },
		Touched: func(s eventstore.Stream) { l.touched = append(l.touched, s) },
	}
}

func TestObserversHearOfTheirCategories(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newDistant()
		first(t, log, "a-0")
		feed := eventstore.NewFeed(log, func(err error) { t.Error(err) })
		var a, ab, all, late listener
		feed.Observe(a.observer("a"))
		feed.Observe(ab.observer("a", "b"))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go feed.Run(ctx)
		synctest.Wait()
		if !slices.Equal(log.filter.Categories, []string{"a", "b"}) || a.forgets != 1 {
			t.Errorf("subscribed to %v, told to forget %d times", log.filter.Categories, a.forgets)
		}
		first(t, log, "a-1")
		first(t, log, "b-1")
		first(t, log, "c-1")
		synctest.Wait()
		stop := feed.Observe(late.observer("b"))
		synctest.Wait()
		if log.subs != 1 {
			t.Error("subscribed anew for what is told already")
		}
		feed.Observe(all.observer())
		synctest.Wait()
		first(t, log, "b-2")
		first(t, log, "c-2")
		synctest.Wait()
		stop()
		first(t, log, "b-3")
		synctest.Wait()
		for _, tt := range []struct {
			name string
			got  listener
			want []eventstore.Stream
		}{
			{"of one category", a, []eventstore.Stream{"a-1"}},
			{"of two", ab, []eventstore.Stream{"a-1", "b-1", "b-2", "b-3"}},
			{"that was stopped", late, []eventstore.Stream{"b-2"}},
			{"of all", all, []eventstore.Stream{"b-2", "c-2", "b-3"}},
		} {
			if !slices.Equal(tt.got.told, tt.want) {
				t.Errorf("the observer %s heard of %v, want %v", tt.name, tt.got.told, tt.want)
			}
		}
		if log.subs != 2 || !feed.Fresh() {
			t.Errorf("%d subscriptions, fresh %t", log.subs, feed.Fresh())
		}
	})
}

func TestObserversForgetWhenTheyMayHaveMissedSomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newDistant()
		feed := eventstore.NewFeed(log, nil)
		var l listener
		feed.Observe(l.observer("a"))
		feed.Observe(eventstore.Observer{}) // hears of nothing
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go feed.Run(ctx)
		synctest.Wait()
		before := l.forgets
		log.breakOff(errors.New("the server is gone"))
		synctest.Wait()
		atOnce := l.forgets
		first(t, log, "a-1") // this is missed
		log.set(func() { log.broken = nil })
		time.Sleep(time.Second)
		synctest.Wait()
		if atOnce == before || l.forgets == atOnce || len(l.told) > 0 {
			t.Errorf("told to forget %d times before, %d at the failure, %d after it; told of %v", before, atOnce, l.forgets, l.told)
		}
	})
}

func TestTheFeedEndsWithItsContextOrItsLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, end := range []func(*distant, context.CancelFunc){
			func(_ *distant, cancel context.CancelFunc) { cancel() },
			func(log *distant, _ context.CancelFunc) { log.Close() },
		} {
			log := newDistant()
			feed := eventstore.NewFeed(log, func(err error) { t.Error(err) })
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { feed.Run(ctx); close(ended) }()
			synctest.Wait()
			end(log, cancel)
			<-ended
			if feed.Fresh() {
				t.Error("a feed that has ended claims to be fresh")
			}
			cancel()
		}
	})
}

func TestACommitTouchesItsStreams(t *testing.T) {
	log := newDistant()
	j := journal(log)
	j.Feed = eventstore.NewFeed(log, nil)
	var l listener
	j.Feed.Observe(l.observer("test"))
	drafts := append(three(), eventstore.Draft{Stream: "other-1", Expect: eventstore.Absent(), Events: []any{opened{"ann"}}})
	if _, err := j.Commit(t.Context(), meta, drafts...); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(l.touched, []eventstore.Stream{"test-1", "test-2", "test-3"}) {
		t.Errorf("touched %v", l.touched)
	}
}

// Whatever the network does, nobody is told what was no longer so a second
// before the question.
func TestNoModelIsEverTooOld(t *testing.T) {
	withNode(t, func(n *node) {
		var mu sync.Mutex
		var begun int
		var acknowledged []time.Time // of each event of the door
		ctx, cancel := context.WithCancel(n.Context())
		var all sync.WaitGroup
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				cmd := doorCommand(openDoor{opened{"ann"}})
				if i%2 == 1 {
					cmd = closeDoor{}
				}
				mu.Lock()
				begun++
				mu.Unlock()
				n.other.Execute(context.WithoutCancel(ctx), meta, "1", cmd)
				mu.Lock()
				acknowledged = append(acknowledged, time.Now())
				mu.Unlock()
				time.Sleep(rand.N(700 * time.Millisecond))
			}
		})
		all.Go(func() { n.weather(ctx) })
		known := func(asked time.Time) (times int) {
			mu.Lock()
			defer mu.Unlock()
			for _, at := range acknowledged {
				if asked.Sub(at) > eventstore.Staleness {
					times++
				}
			}
			return times
		}
		atMost := func() int {
			mu.Lock()
			defer mu.Unlock()
			return begun
		}
		for range 4 {
			all.Go(func() {
				for ctx.Err() == nil {
					want := known(time.Now())
					cached, _, err := n.cache.Get(n.Context(), "1")
					collected, err2 := n.doors.All(n.Context())
					if err != nil || err2 != nil || min(cached.times, collected["1"].times) < want || max(cached.times, collected["1"].times) > atMost() {
						cancel()
						n.Errorf("after %d events the cache has %d, the collection %d, %v, %v", want, cached.times, collected["1"].times, err, err2)
					}
					time.Sleep(rand.N(100 * time.Millisecond))
				}
			})
		}
		time.Sleep(time.Minute)
		cancel()
		all.Wait()
	})
}

// weather changes how the log is reached.
func (n *node) weather(ctx context.Context) {
	for ctx.Err() == nil {
		switch rand.N(5) {
		case 0:
			n.log.set(func() { n.log.lag = rand.N(200 * time.Millisecond) })
		case 1:
			n.log.set(func() { n.log.lag = rand.N(2 * time.Second) })
		case 2:
			n.log.set(func() { n.log.mute = true })
			time.Sleep(rand.N(2 * time.Second))
			n.log.set(func() { n.log.mute = false })
		case 3:
			n.log.breakOff(errors.New("the server is gone"))
			time.Sleep(rand.N(2 * time.Second))
			n.log.set(func() { n.log.broken = nil })
		case 4:
			n.log.set(func() { n.log.slow = rand.N(500 * time.Millisecond) })
		}
		time.Sleep(rand.N(3 * time.Second))
	}
}
