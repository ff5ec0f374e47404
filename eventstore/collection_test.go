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

// tedious is a log that takes its time for every event, and may break off.
type tedious struct {
	eventstore.Log
	each time.Duration // for one event

	mu     sync.Mutex
	breaks int // after so many events; 0 for never
	yields int // events that were read
}

var errBroken = errors.New("the log breaks off")

// tediousLog is one with some doors. Whoever has it is not told what is written.
func tediousLog(t *testing.T, doorCount int) *tedious {
	t.Helper()
	log := &tedious{Log: memory.New(time.Now)}
	ss := doors(log.Log)
	for i := range doorCount {
		if _, err := ss.Execute(t.Context(), meta, fmt.Sprint(i), openDoor{opened{"ann"}}); err != nil {
			t.Fatal(err)
		}
	}
	return log
}

// read is how many events were read.
func (l *tedious) read() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.yields
}

func (l *tedious) ReadAll(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Event, error] {
	return func(yield func(eventstore.Event, error) bool) {
		n := 0
		for e, err := range l.Log.ReadAll(ctx, after, f) {
			l.mu.Lock()
			breaks := l.breaks
			l.yields++
			l.mu.Unlock()
			if n++; breaks > 0 && n > breaks {
				yield(e, errBroken)
				return
			}
			select {
			case <-time.After(l.each):
			case <-ctx.Done():
				yield(e, ctx.Err())
				return
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func TestACollectionGoesOnWhereItsReadingBrokeOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := tediousLog(t, 50)
		log.breaks = 20
		c := eventstore.NewCollection(doors(log))
		for range 2 {
			if _, err := c.All(t.Context()); !errors.Is(err, errBroken) {
				t.Fatalf("got %v", err)
			}
		}
		if all, err := c.All(t.Context()); len(all) != 50 || err != nil {
			t.Fatalf("%d doors, %v", len(all), err)
		}
		if log.read() > 50+2 {
			t.Errorf("%d events were read", log.read())
		}
	})
}

func TestTheFirstReadingMayTakeLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := tediousLog(t, 600)
		log.each = 100 * time.Millisecond
		c := eventstore.NewCollection(doors(log))
		short, done := context.WithTimeout(t.Context(), 5*time.Second)
		defer done()
		go c.All(short)
		synctest.Wait()
		began := time.Now()
		if all, err := c.All(t.Context()); len(all) != 600 || err != nil {
			t.Fatalf("%d doors, %v", len(all), err)
		}
		if log.read() > 2*600 || time.Since(began) > 2*time.Minute {
			t.Errorf("%d events were read in %v", log.read(), time.Since(began))
		}
	})
}

// Nobody waits for it, and so it ends; what it has read is not lost.
func TestAReadingThatNobodyWaitsForEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := tediousLog(t, 600)
		log.each = 100 * time.Millisecond
		c := eventstore.NewCollection(doors(log))
		ctx, done := context.WithTimeout(t.Context(), time.Second)
		defer done()
		if _, err := c.All(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		time.Sleep(time.Minute)
		if log.read() < 90 || log.read() > 110 {
			t.Errorf("%d events were read", log.read())
		}
		if all, err := c.All(t.Context()); len(all) != 600 || err != nil || log.read() > 1310 {
			t.Errorf("%d doors, %v, after %d events", len(all), err, log.read())
		}
	})
}

// Later readings are bounded, whoever waits.
func TestALaterReadingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := tediousLog(t, 1)
		c := eventstore.NewCollection(doors(log))
		if _, err := c.All(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := doors(log.Log).Execute(t.Context(), meta, "late", openDoor{opened{"ann"}}); err != nil {
			t.Fatal(err)
		}
		log.each = time.Minute
		if _, err := c.All(t.Context()); !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}
