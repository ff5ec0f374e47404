package standin_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/metadata"
)

// patient lets a client look for a node until there is one.
const patient = "&maxDiscoverAttempts=1000&discoveryInterval=5"

// retried repeats an append until it succeeds, and says how often it did not.
func (c client) retried(stream string, expected esdb.ExpectedRevision, e esdb.EventData) (failed int) {
	c.t.Helper()
	for {
		_, err := c.append(stream, expected, e)
		if err == nil {
			return failed
		}
		if failed++; failed > 1000 || code(err) == esdb.ErrorCodeConnectionClosed {
			c.t.Fatal(err)
		}
	}
}

func TestALeaderIsKilled(t *testing.T) {
	cluster := standin.New(t, standin.Options{Nodes: 3, ElectionDelay: 50 * time.Millisecond})
	c := connect(t, cluster.URL()+patient)
	s := c.subscribe(esdb.SubscribeToAllOptions{From: esdb.Start{}})
	c.must("s", esdb.NoStream{}, event("0"))
	until(t, s, "0")
	cluster.Node(0).Kill()
	if d := s.Recv().SubscriptionDropped; d == nil {
		t.Error("the subscription lives on")
	}
	c.retried("s", esdb.Revision(0), event("1"))
	if l := cluster.Leader(); l != 1 {
		t.Errorf("%d leads", l)
	}
	if err := cluster.Node(0).Start(); err != nil {
		t.Fatal(err)
	}
	if got, err := connect(t, cluster.Node(0).URL()).read("s", esdb.ReadStreamOptions{}, 9); err != nil || len(got) != 2 {
		t.Errorf("the one that came back shows %d events, %v", len(got), err)
	}
}

func TestWithoutALeader(t *testing.T) {
	cluster := standin.New(t, standin.Options{Nodes: 3, ElectionDelay: -1})
	follower := connect(t, cluster.Node(1).URL()+patient)
	follower.must("s", esdb.NoStream{}, event("0"))
	cluster.Node(0).Kill()
	_, err := follower.append("s", esdb.Any{}, event("x"))
	refused(t, err, esdb.ErrorUnavailable)
	if !strings.Contains(err.Error(), "Server Is Not Ready") {
		t.Error(err)
	}
	if got, err := follower.read("s", esdb.ReadStreamOptions{}, 9); err != nil || len(got) != 1 {
		t.Errorf("reads: %d events, %v", len(got), err)
	}
	_, err = connect(t, cluster.URL()+"&maxDiscoverAttempts=2&discoveryInterval=1").append("s", esdb.Any{}, event("x"))
	if err == nil || !strings.Contains(err.Error(), "maximum discovery attempt count reached") {
		t.Errorf("a node was found: %v", err)
	}
	cluster.Elect(0)
	if cluster.Leader() != -1 {
		t.Error("a dead node leads")
	}
	cluster.Elect(2)
	follower.must("s", esdb.Revision(0), event("1"))
}

func TestMostNodesMustRun(t *testing.T) {
	cluster := standin.New(t, standin.Options{Nodes: 3})
	cluster.Node(0).Kill()
	cluster.Node(1).Kill()
	if l := cluster.Leader(); l != -1 {
		t.Fatalf("%d leads alone", l)
	}
	if err := cluster.Node(0).Start(); err != nil {
		t.Fatal(err)
	}
	if l := cluster.Leader(); l != 0 {
		t.Fatalf("%d leads", l)
	}
}

func TestFollowersHandWritesOn(t *testing.T) {
	cluster, _ := start(t, standin.Options{Nodes: 3})
	connect(t, cluster.Node(2).URL()).must("s", esdb.NoStream{}, event("0"))
}

func TestARedirectedClientFollows(t *testing.T) {
	cluster, _ := start(t, standin.Options{Nodes: 3})
	cluster.Node(1).Inject(standin.At(standin.BeforeCommit, standin.ToLeader))
	c := connect(t, cluster.Node(1).URL())
	_, err := c.append("s", esdb.Any{}, event("0"))
	refused(t, err, esdb.ErrorCodeNotLeader)
	c.must("s", esdb.NoStream{}, event("0")) // by the leader
	cluster.Elect(2)
	cluster.Node(0).Inject(standin.At(standin.AnyCall, standin.NotLeader("127.0.0.1", 1)))
	_, err = c.append("s", esdb.Any{}, event("1"))
	if code(err) != esdb.ErrorCodeNotLeader && code(err) != esdb.ErrorCodeUnknown { // refused before the end: see TestARefusalIsMaskedByEOF
		t.Fatal(err)
	}
}

// A call that asks for the leader, as this client never does, is refused by
// others.
func TestTheLeaderMayBeAskedFor(t *testing.T) {
	cluster, _ := start(t, standin.Options{Nodes: 3})
	ctx := metadata.AppendToOutgoingContext(context.Background(), "requires-leader", "true")
	c := connect(t, cluster.Node(1).URL())
	_, err := c.AppendToStream(ctx, "s", esdb.AppendToStreamOptions{}, event("0"))
	refused(t, err, esdb.ErrorCodeNotLeader)
	c = connect(t, cluster.Node(1).URL())
	r, err := c.ReadStream(ctx, "s", esdb.ReadStreamOptions{}, 1)
	_, err = drained(r, err)
	refused(t, err, esdb.ErrorCodeNotLeader)
	if _, err = c.AppendToStream(ctx, "s", esdb.AppendToStreamOptions{}, event("0")); err != nil {
		t.Errorf("the leader: %v", err)
	}
}

func TestGossipLeadsToTheLeader(t *testing.T) {
	for leader := range 3 {
		cluster := standin.New(t, standin.Options{Nodes: 3})
		cluster.Elect(leader)
		connect(t, cluster.URL()).must("s", esdb.Any{}, event("0"))
		for i := range 3 {
			if called := cluster.Node(i).Header() != nil; called != (i == leader) {
				t.Errorf("with the leader %d, node %d: called %t", leader, i, called)
			}
		}
	}
}

func TestALaggingFollowerShowsThePast(t *testing.T) {
	cluster, c := start(t, standin.Options{Nodes: 3})
	follower := connect(t, cluster.Node(1).URL())
	c.must("s", esdb.NoStream{}, event("0"))
	s := follower.subscribe(esdb.SubscribeToAllOptions{From: esdb.Start{}})
	until(t, s, "0")
	cluster.Node(1).Lag()
	follower.must("s", esdb.Revision(0), event("1")) // the leader writes it
	c.describe("s", func(m *esdb.StreamMetadata) { m.SetTruncateBefore(2) })
	if got, err := follower.read("s", esdb.ReadStreamOptions{}, 9); err != nil || strings.Join(kinds(got), "") != "0" {
		t.Errorf("the stream: %v, %v", kinds(got), err)
	}
	if got, err := follower.readAll(esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}, 1); err != nil || got[0].EventType != "0" {
		t.Errorf("the end of $all: %v, %v", kinds(got), err)
	}
	cluster.Elect(1)
	until(t, s, "1")
	if got, err := follower.read("s", esdb.ReadStreamOptions{}, 9); err != nil || len(got) != 0 {
		t.Errorf("the stream, later: %v, %v", kinds(got), err)
	}
}

func TestAShutdownIsSilent(t *testing.T) {
	cluster, c := start(t, standin.Options{Nodes: 3})
	c.must("s", esdb.NoStream{}, event("0"))
	s := c.subscribe(esdb.SubscribeToAllOptions{From: esdb.Start{}})
	until(t, s, "0")
	heard := make(chan *esdb.SubscriptionEvent, 1)
	go func() { heard <- s.Recv() }()
	cluster.Node(0).Shutdown()
	_, err := c.append("s", esdb.Any{}, event("x"))
	refused(t, err, esdb.ErrorUnavailable)
	w := connect(t, cluster.URL()+patient)
	w.must("s", esdb.Revision(0), event("1"))
	if _, err := w.readAll(esdb.ReadAllOptions{From: esdb.Start{}}, 100); err != nil {
		t.Fatal(err)
	}
	select {
	case e := <-heard:
		t.Fatalf("heard %+v", e)
	default:
	}
	s.Close() // the only lever that there is
	if d := (<-heard).SubscriptionDropped; d == nil {
		t.Error("closed, it still lives")
	}
	if err := cluster.Node(0).Start(); err != nil {
		t.Fatal(err)
	}
	connect(t, cluster.Node(0).URL()).must("s", esdb.Revision(1), event("2"))
}

func TestMutedSubscriptionsStayOpen(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	old := c.subscribe(esdb.SubscribeToAllOptions{From: esdb.End{}})
	cluster.Node(0).Mute()
	young := c.subscribe(esdb.SubscribeToAllOptions{From: esdb.End{}})
	heard := make(chan *esdb.SubscriptionEvent, 1)
	go func() { heard <- old.Recv() }()
	c.must("s", esdb.NoStream{}, event("0"))
	until(t, young, "0")
	select {
	case e := <-heard:
		t.Errorf("heard %+v", e)
	default:
	}
	old.Close()
	<-heard
}

func TestAFullDiskEndsTheLeader(t *testing.T) {
	cluster := standin.New(t, standin.Options{Nodes: 3})
	c := connect(t, cluster.URL()+patient)
	cluster.Node(0).Inject(standin.At(standin.BeforeCommit, standin.DiskFull))
	_, err := c.append("s", esdb.NoStream{}, event("0"))
	refused(t, err, esdb.ErrorUnavailable)
	soon(t, "another leads", func() bool { return cluster.Leader() == 1 })
	c.retried("s", esdb.NoStream{}, event("0"))
}

func TestServerVersion(t *testing.T) {
	_, c := start(t, standin.Options{Version: "22.10.3"})
	v, err := c.GetServerVersion()
	if err != nil || v.Major != 22 || v.Minor != 10 || v.Patch != 3 {
		t.Fatal(v, err)
	}
	_, err = c.ReadStream(context.Background(), "s", esdb.ReadStreamOptions{}, 1)
	if err != nil {
		t.Fatal(err)
	}
}
