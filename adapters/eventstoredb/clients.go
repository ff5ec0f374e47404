package eventstoredb

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// clients supervises the library's client, which dies when a discovery fails,
// hangs when it is used after that, and leaves a connection behind each time
// that a server is unavailable. So a client is used until the first sign of
// this and then replaced by a new one, later and later while none succeeds. The
// old one is closed when its last call has ended: closed before, it would
// panic. A call that begins on a client in the moment in which another learns
// that it is spent may still cost a connection; gRPC closes it when it has been
// idle for half an hour.
type clients struct {
	config  esdb.Configuration
	log     *slog.Logger
	metrics Metrics

	mu       sync.Mutex
	current  *client
	retired  []*client // that still have calls
	failures int       // clients in a row that were spent before anything succeeded
	earliest time.Time // when the next may be made
	closed   chan struct{}
	closing  sync.Once
}

type client struct {
	*esdb.Client
	uses    int
	retired time.Time     // zero while it is current
	gone    chan struct{} // closed when it is retired
}

const (
	firstDelay = 25 * time.Millisecond // before the client that follows one that failed
	lastDelay  = 2 * time.Second

	maxRetired = 8 // clients that wait for their last calls
)

func newClients(config esdb.Configuration, log *slog.Logger, metrics Metrics) *clients {
	return &clients{config: config, log: log, metrics: metrics, closed: make(chan struct{})}
}

// lease returns the client of the moment, to be given back with release.
func (cs *clients) lease(ctx context.Context) (*client, error) {
	for {
		c, wait, err := cs.take(time.Now())
		if c != nil || err != nil {
			return c, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("%w: %w", errNoClient, ctx.Err())
		case <-cs.closed:
			timer.Stop()
			return nil, eventstore.ErrClosed
		}
	}
}

// take returns a client, or how long to wait for one.
func (cs *clients) take(now time.Time) (*client, time.Duration, error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	select {
	case <-cs.closed:
		return nil, 0, eventstore.ErrClosed
	default:
	}
	if cs.current == nil {
		if wait := cs.earliest.Sub(now); wait > 0 {
			return nil, wait, nil
		}
		cs.forgetLost()
		config := cs.config // the client changes nothing in it, but keeps it
		made, err := esdb.NewClient(&config)
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %w", errNoClient, err)
		}
		cs.current = &client{Client: made, gone: make(chan struct{})}
	}
	cs.current.uses++
	return cs.current, 0, nil
}

// forgetLost gives up the oldest of too many clients whose calls hang, rather
// than let everybody wait for them. It closes if they end nevertheless.
func (cs *clients) forgetLost() {
	for len(cs.retired) >= maxRetired {
		cs.log.Warn("calls of an EventStoreDB client do not return", "calls", cs.retired[0].uses)
		cs.retired = slices.Delete(cs.retired, 0, 1)
	}
}

// release gives a client back, with what its call has come to.
func (cs *clients) release(c *client, err error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.uses--
	switch {
	case spent(err):
		cs.retire(c, err)
	case classify(err) != ambiguous && c == cs.current:
		cs.failures = 0
	}
	cs.closeIdle(c)
}

// replace retires a client that somebody still uses.
func (cs *clients) replace(c *client, why error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.retire(c, why)
}

func (cs *clients) retire(c *client, why error) {
	if !c.retired.IsZero() {
		return
	}
	c.retired = time.Now()
	close(c.gone)
	cs.retired = append(cs.retired, c)
	cs.current = nil
	select {
	case <-cs.closed:
		return
	default:
	}
	cs.metrics.ClientReplaced()
	cs.log.Debug("EventStoreDB client replaced", "after", why)
	cs.earliest = c.retired.Add(delay(cs.failures))
	cs.failures++
}

// delay doubles with every failure, with half of it left to chance so that
// nodes do not come back all at once.
func delay(failures int) time.Duration {
	d := min(firstDelay<<min(failures, 10), lastDelay)
	return d/2 + rand.N(d/2)
}

// closeIdle closes a retired client that has no calls left.
func (cs *clients) closeIdle(c *client) {
	if c.uses > 0 || c.retired.IsZero() {
		return
	}
	for i, other := range cs.retired {
		if other == c {
			cs.retired = append(cs.retired[:i], cs.retired[i+1:]...)
			break
		}
	}
	c.Close() // always nil
}

// close refuses every further call. Clients close with their last calls.
func (cs *clients) close() {
	cs.closing.Do(func() {
		cs.mu.Lock()
		defer cs.mu.Unlock()
		close(cs.closed)
		if c := cs.current; c != nil {
			cs.retire(c, eventstore.ErrClosed)
			cs.closeIdle(c)
		}
	})
}
