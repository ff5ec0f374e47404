package eventstoredb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb"
	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
	"github.com/chirograph/chirograph/eventstore/storetest"

	"github.com/google/uuid"
)

// world is a server, and what the nodes on it share beside it.
type world struct {
	*standin.Cluster
	options eventstoredb.Options
}

func newWorld(t testing.TB, nodes int) *world {
	t.Helper()
	c := standin.New(t, standin.Options{Nodes: nodes, ElectionDelay: 50 * time.Millisecond, StatsEvery: 7, CaughtUp: true})
	return &world{c, eventstoredb.Options{
		URL: c.URL() + "&discoveryInterval=20", Table: &memory.Table{},
		Patience: 5 * time.Second, Watch: 100 * time.Millisecond,
	}}
}

// open opens the log of a world as a node does.
func (w *world) open(t testing.TB) *eventstoredb.Log {
	t.Helper()
	return opened(t, w.options)
}

func opened(t testing.TB, o eventstoredb.Options) *eventstoredb.Log {
	t.Helper()
	log, err := eventstoredb.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

// settle follows a log until all that it has acknowledged is in the table.
func settle(t testing.TB, log eventstore.Log) {
	t.Helper()
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := log.(*eventstoredb.Log)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- l.Follow(ctx) }()
	for {
		if size, err := l.Size(t.Context()); err != nil {
			t.Fatal(err)
		} else if size >= int64(head) {
			break
		}
		select {
		case err := <-done:
			t.Fatalf("follow: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("follow: %v", err)
	}
}

// suite runs the contract of the port against a server. Each log has names of
// its own there.
func suite(t *testing.T, url string, prepare func(*eventstoredb.Log)) {
	var logs atomic.Int64
	run := uuid.NewString()[:8]
	options := map[eventstore.Log]eventstoredb.Options{}
	fresh := func(now func() time.Time) eventstoredb.Options {
		return eventstoredb.Options{
			URL: url, Prefix: fmt.Sprintf("%s-%d.", run, logs.Add(1)), Now: now, Table: &memory.Table{},
			Patience: 5 * time.Second, Watch: 100 * time.Millisecond,
		}
	}
	open := func(t *testing.T, o eventstoredb.Options) eventstore.Log {
		log := opened(t, o)
		prepare(log)
		options[log] = o
		return log
	}
	storetest.Run(t, storetest.Engine{
		Open: func(t *testing.T, now func() time.Time) (eventstore.Log, func() eventstore.Log) {
			o := fresh(now)
			log := open(t, o)
			return log, func() eventstore.Log {
				log.Close()
				log = open(t, o)
				return log
			}
		},
		Settle: func(t *testing.T, log eventstore.Log) { settle(t, log) },
		Second: func(t *testing.T, first eventstore.Log) eventstore.Log { return open(t, options[first]) },
		Copy: func(t *testing.T, id uuid.UUID, now func() time.Time) eventstore.Log {
			o := fresh(now)
			o.ID = id
			return open(t, o)
		},
		AppendBytes: eventstoredb.MaxAppendBytes - 4<<10,
	})
}

func asItIs(*eventstoredb.Log) {}

func TestLogOnOneNode(t *testing.T) { suite(t, newWorld(t, 1).options.URL, asItIs) }

func TestLogOnThreeNodes(t *testing.T) { suite(t, newWorld(t, 3).options.URL, asItIs) }

// Categories are sifted in short logs too.
func TestLogThroughASieve(t *testing.T) {
	suite(t, newWorld(t, 1).options.URL, func(l *eventstoredb.Log) { l.ReadNear(2) })
}

// TestLogOnARealServer runs against the server that CHIROGRAPH_ESDB names, a
// connection string. What it writes there stays, under prefixes of its own.
func TestLogOnARealServer(t *testing.T) {
	if url := os.Getenv("CHIROGRAPH_ESDB"); url != "" {
		suite(t, url, asItIs)
	}
}

// metrics count what a test asks for.
type metrics struct{ replaced, abandoned, repeated, restarted, masked atomic.Int64 }

func (m *metrics) ClientReplaced()        { m.replaced.Add(1) }
func (m *metrics) CallAbandoned()         { m.abandoned.Add(1) }
func (m *metrics) AmbiguousRepeated()     { m.repeated.Add(1) }
func (m *metrics) SubscriptionRestarted() { m.restarted.Add(1) }
func (m *metrics) RefusalMasked()         { m.masked.Add(1) }

// event is a new one with a body of some bytes.
func event(n, bytes int) eventstore.Proposed {
	id, _ := uuid.NewV7()
	return eventstore.Proposed{ID: id, Type: "test.happened", Version: 1, Data: fmt.Appendf(nil, `{"n":%d,"filler":"%0*d"}`, n, bytes, 0), Meta: []byte(`{"actor":"test"}`)}
}

func add(s string, e eventstore.Expect, events ...eventstore.Proposed) eventstore.Append {
	return eventstore.Append{Stream: eventstore.Stream(s), Expect: e, Events: events}
}

// ids reads the ids of a stream.
func ids(t testing.TB, log eventstore.Log, s string) (ids []uuid.UUID) {
	t.Helper()
	for e, err := range log.ReadStream(t.Context(), eventstore.Stream(s), 0) {
		if err != nil {
			t.Fatalf("read %s: %v", s, err)
		}
		ids = append(ids, e.ID)
	}
	return ids
}
