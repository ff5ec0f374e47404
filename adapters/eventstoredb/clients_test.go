package eventstoredb

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// counted are metrics that a test reads.
type counted struct{ replaced, abandoned, repeated, restarted, masked atomic.Int64 }

func (c *counted) ClientReplaced()        { c.replaced.Add(1) }
func (c *counted) CallAbandoned()         { c.abandoned.Add(1) }
func (c *counted) AmbiguousRepeated()     { c.repeated.Add(1) }
func (c *counted) SubscriptionRestarted() { c.restarted.Add(1) }
func (c *counted) RefusalMasked()         { c.masked.Add(1) }

// supervised are clients of a cluster whose discovery fails as soon as it can.
func supervised(t *testing.T, url string) (*clients, *counted) {
	t.Helper()
	config, err := configuration(url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxDiscoverAttempts, config.DiscoveryInterval = 1, 1
	m := &counted{}
	cs := newClients(*config, slog.New(slog.DiscardHandler), m)
	t.Cleanup(cs.close)
	return cs, m
}

// write appends an event to a stream of its own.
func write(ctx context.Context, cs *clients) error {
	stream := uuid.NewString()
	_, err := call(ctx, cs, func(ctx context.Context, c *esdb.Client) (*esdb.WriteResult, error) {
		return c.AppendToStream(ctx, stream, esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, esdb.EventData{EventID: uuid.New(), EventType: "x", Data: []byte("{}")})
	})
	return err
}

// eventually repeats until there is no error, or the test has no time left.
func eventually(t *testing.T, try func(context.Context) error) {
	t.Helper()
	ctx, done := context.WithTimeout(t.Context(), 20*time.Second)
	defer done()
	for pause := time.Millisecond; ; pause *= 2 {
		err := try(ctx)
		if err == nil {
			return
		}
		if !sleep(ctx, pause) {
			t.Fatal(err)
		}
	}
}

// The client alone would be dead for good: see TestAClientDiesOfOneFailedDiscovery.
func TestAFailedDiscoveryIsSurvived(t *testing.T) {
	cluster := standin.New(t, standin.Options{})
	cs, m := supervised(t, cluster.URL())
	eventually(t, func(ctx context.Context) error { return write(ctx, cs) })
	cluster.Node(0).Kill()
	for range 5 {
		if err := write(t.Context(), cs); classify(err) != again && classify(err) != ambiguous {
			t.Fatalf("a node that is down answers %v", err)
		}
	}
	if err := cluster.Node(0).Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func(ctx context.Context) error { return write(ctx, cs) })
	if m.replaced.Load() == 0 {
		t.Error("no client was replaced")
	}
}

// The client alone would hang: see TestACallHangsForEver.
func TestACallEndsWithItsContext(t *testing.T) {
	cluster := standin.New(t, standin.Options{})
	cs, m := supervised(t, cluster.URL())
	ctx, cancel := context.WithCancel(t.Context())
	hanging, stuck := make(chan struct{}), make(chan struct{})
	defer close(stuck)
	returned := make(chan error, 1)
	go func() {
		_, err := call(ctx, cs, func(context.Context, *esdb.Client) (int, error) {
			close(hanging)
			<-stuck
			return 0, nil
		})
		returned <- err
	}()
	<-hanging
	cancel()
	if err := <-returned; !errors.Is(err, context.Canceled) || classify(err) != ambiguous {
		t.Errorf("got %v", err)
	}
	eventually(t, func(ctx context.Context) error {
		if m.abandoned.Load() == 0 {
			return errors.New("the call was not abandoned")
		}
		return write(ctx, cs)
	})
}

// See TestRecvPanicsAfterClose.
func TestAPanicOfTheClientIsAnError(t *testing.T) {
	cluster := standin.New(t, standin.Options{})
	cs, m := supervised(t, cluster.URL())
	_, err := call(t.Context(), cs, func(context.Context, *esdb.Client) (int, error) { panic("send on closed channel") })
	if !errors.Is(err, errPanicked) || classify(err) != ambiguous || m.replaced.Load() != 1 {
		t.Errorf("got %v, %d clients replaced", err, m.replaced.Load())
	}
	eventually(t, func(ctx context.Context) error { return write(ctx, cs) })
}

// The client alone would have 40 open, and leave 39 behind: see
// TestConnectionsLeak.
func TestConnectionsDoNotLeak(t *testing.T) {
	cluster := standin.New(t, standin.Options{})
	cs, m := supervised(t, cluster.URL())
	heal := cluster.Inject(standin.Next(40, standin.At(standin.BeforeCommit, standin.Busy)))
	defer heal()
	for range 40 {
		cs.mu.Lock()
		cs.earliest = time.Time{} // the test has no time for this
		cs.mu.Unlock()
		if err := write(t.Context(), cs); classify(err) != ambiguous {
			t.Fatalf("got %v", err)
		}
	}
	if n := m.replaced.Load(); n != 40 {
		t.Errorf("%d clients were replaced", n)
	}
	eventually(t, func(context.Context) error { return atMost(cluster, 1) })
	eventually(t, func(ctx context.Context) error { return write(ctx, cs) })
	cs.close()
	eventually(t, func(context.Context) error { return atMost(cluster, 0) })
}

func atMost(cluster *standin.Cluster, n int) error {
	if cluster.Connections() > n {
		return errors.New("connections leak")
	}
	return nil
}

// The subscription leaves a client that was replaced, so that it can close.
func TestTheSubscriptionMovesToTheNextClient(t *testing.T) {
	cluster := standin.New(t, standin.Options{})
	l, err := Open(t.Context(), Options{URL: cluster.URL(), Table: &memory.Table{}, Watch: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 5 {
		c, err := l.clients.lease(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l.clients.release(c, nil)
		l.clients.replace(c, errMute)
		p := eventstore.Proposed{ID: uuid.New(), Type: "x", Version: 1}
		if _, err := l.Append(t.Context(), eventstore.Append{Stream: "test-1", Expect: eventstore.Unchecked(), Events: []eventstore.Proposed{p}}); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Head(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func(context.Context) error { return atMost(cluster, 1) })
}

func TestClientsThatFailAreMadeLaterAndLater(t *testing.T) {
	for failures := range 20 {
		most := min(firstDelay<<min(failures, 10), lastDelay)
		if d := delay(failures); d < most/2 || d > most {
			t.Errorf("after %d failures %v", failures, d)
		}
	}
}

// However many calls hang, there are only so many clients, and always one to
// use: the oldest is given up.
func TestClientsWithHangingCallsAreBounded(t *testing.T) {
	cluster := standin.New(t, standin.Options{})
	cs, _ := supervised(t, cluster.URL())
	var held []*client
	for range 3 * maxRetired {
		cs.mu.Lock()
		cs.earliest = time.Time{}
		cs.mu.Unlock()
		c, wait, err := cs.take(time.Now())
		if c == nil || err != nil {
			t.Fatalf("after %d clients a wait of %v, %v", len(held), wait, err)
		}
		held = append(held, c)
		cs.replace(c, errAbandoned)
		if len(cs.retired) > maxRetired {
			t.Fatalf("%d clients are kept", len(cs.retired))
		}
	}
	for _, c := range held {
		cs.release(c, nil)
	}
}

// The client alone never says so: see TestTheLeaderIsNotAskedFor.
func TestTheLeaderIsAskedFor(t *testing.T) {
	cluster := standin.New(t, standin.Options{Nodes: 3})
	cs, _ := supervised(t, cluster.Node(1).URL()) // which follows, and is asked first
	eventually(t, func(ctx context.Context) error { return write(ctx, cs) })
	if h := cluster.Node(1).Header(); len(h.Get("requires-leader")) == 0 {
		t.Errorf("the follower was asked with %v", h)
	}
	if cluster.Node(0).Header() == nil {
		t.Error("the leader was not asked")
	}
}

// The client alone lets nobody go: see TestDiscoveryBlocksEverybody.
func TestDiscoveryBlocksNobody(t *testing.T) {
	cluster := standin.New(t, standin.Options{})
	cs, _ := supervised(t, cluster.URL())
	looking, found := make(chan struct{}), make(chan struct{})
	defer close(found)
	cluster.Inject(standin.Next(1, func(at standin.Point, _ string, _ int) error {
		if at == standin.Discovery {
			close(looking)
			<-found
		}
		return nil
	}))
	first, cancel := context.WithCancel(t.Context())
	defer cancel()
	go write(first, cs)
	<-looking
	ctx, done := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer done()
	if err := write(ctx, cs); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
