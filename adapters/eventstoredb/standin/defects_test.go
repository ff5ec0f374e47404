package standin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// These tests pass while EventStore-Client-Go v4.2.0 has the defect that each
// names. They are why the adapter does what it does; when one fails, a newer
// client may need less of it.

// hangs reports whether a call does not return, given time enough. A call that
// hangs for ever leaves its goroutine behind.
func hangs(call func()) (bool, <-chan struct{}) {
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		call()
	}()
	select {
	case <-returned:
		return false, returned
	case <-time.After(200 * time.Millisecond):
		return true, returned
	}
}

// impatient makes discovery fail at once.
const impatient = "&maxDiscoverAttempts=1&discoveryInterval=1"

// die calls until the client has given up for good.
func (c client) die() {
	c.t.Helper()
	for range 10 {
		if _, err := c.append("s", esdb.Any{}, event("x")); code(err) == esdb.ErrorCodeConnectionClosed {
			return
		}
	}
	c.t.Fatal("the client lives")
}

// Defect 1: after one failed discovery a client is dead, however well its node
// may be.
func TestAClientDiesOfOneFailedDiscovery(t *testing.T) {
	cluster := standin.New(t, standin.Options{})
	c := connect(t, cluster.URL()+impatient)
	c.must("s", esdb.NoStream{}, event("0"))
	cluster.Node(0).Kill()
	c.die()
	if err := cluster.Node(0).Start(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, err := c.append("s", esdb.Any{}, event("1"))
		refused(t, err, esdb.ErrorCodeConnectionClosed)
	}
	connect(t, cluster.URL()).must("s", esdb.Revision(0), event("1"))
}

// Defect 2: a call that fails after that hangs for ever, whatever its context
// says.
func TestACallHangsForEver(t *testing.T) {
	cluster := standin.New(t, standin.Options{})
	c := leaky(t, cluster.URL()+impatient)
	c.must("s", esdb.NoStream{}, event("0"))
	cluster.Inject(standin.At(standin.ReadMessage, standin.Silent))
	ctx, cancel := context.WithCancel(context.Background())
	r, err := c.ReadStream(ctx, "s", esdb.ReadStreamOptions{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	cluster.Node(0).Kill()
	c.die()
	cancel()
	if hung, _ := hangs(func() { r.Recv() }); !hung {
		t.Error("it returned")
	}
}

// Defect 3: a Recv that fails after Close panics.
func TestRecvPanicsAfterClose(t *testing.T) {
	cluster := standin.New(t, standin.Options{})
	c := leaky(t, cluster.URL()+impatient)
	c.must("s", esdb.NoStream{}, event("0"))
	cluster.Inject(standin.At(standin.ReadMessage, standin.Silent))
	r, err := c.ReadStream(context.Background(), "s", esdb.ReadStreamOptions{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	cluster.Node(0).Kill()
	c.append("s", esdb.Any{}, event("1")) // fails: the read has failed as well, unseen
	c.Close()
	defer func() {
		if p := recover(); !strings.Contains(fmt.Sprint(p), "send on closed channel") {
			t.Errorf("it panicked with %v", p)
		}
	}()
	_, err = r.Recv()
	t.Errorf("it returned %v", err)
}

// Defect 4: each refusal with Unavailable costs a connection that is never
// closed, not even by Close.
func TestConnectionsLeak(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	heal := cluster.Inject(standin.At(standin.BeforeCommit, standin.Busy))
	const refusals = 40
	for range refusals {
		_, err := c.append("s", esdb.Any{}, event("0"))
		refused(t, err, esdb.ErrorUnavailable)
	}
	if n := cluster.Connections(); n != refusals {
		t.Errorf("%d connections are open", n)
	}
	heal()
	c.must("s", esdb.NoStream{}, event("0"))
	c.Close()
	soon(t, "the last connection is closed", func() bool { return cluster.Connections() == refusals })
}

// Defect 5: the reason of a refusal is lost when it comes before the caller
// has sent everything.
func TestARefusalIsMaskedByEOF(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	cluster.Inject(standin.At(standin.AppendHeader, standin.Denied))
	var large []esdb.EventData
	for range 200 {
		e := event("0")
		e.Data = make([]byte, 4096)
		large = append(large, e)
	}
	for range 100 {
		if _, err := c.append("s", esdb.Any{}, large...); errors.Is(err, io.EOF) {
			refused(t, err, esdb.ErrorCodeUnknown)
			return
		}
	}
	t.Error("the reason was always told")
}

// Defect 6: the wish for the leader is never sent.
func TestTheLeaderIsNotAskedFor(t *testing.T) {
	cluster, _ := start(t, standin.Options{Nodes: 3})
	c := connect(t, cluster.Node(1).URL()+"&nodePreference=leader")
	c.must("s", esdb.NoStream{}, event("0"))
	cluster.Node(1).Lag()
	c.must("s", esdb.Revision(0), event("1"))
	r, err := c.ReadStream(context.Background(), "s", esdb.ReadStreamOptions{RequiresLeader: true}, 9)
	got, err := drained(r, err)
	if err != nil || len(got) != 1 {
		t.Errorf("a read that requires the leader got %d events, %v", len(got), err)
	}
	if h := cluster.Node(1).Header(); len(h) == 0 || len(h.Get("requires-leader")) > 0 {
		t.Errorf("the header was %v", h)
	}
}

// Defect 7: while one call looks for a node, all others wait, even those that
// were given up.
func TestDiscoveryBlocksEverybody(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	looking, found := make(chan struct{}, 1), make(chan struct{})
	cluster.Inject(func(at standin.Point, _ string, _ int) error {
		if at == standin.Discovery {
			looking <- struct{}{}
			<-found
		}
		return nil
	})
	first := make(chan error, 1)
	go func() {
		_, err := c.append("s", esdb.NoStream{}, event("0"))
		first <- err
	}()
	<-looking
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	hung, returned := hangs(func() { c.AppendToStream(ctx, "s", esdb.AppendToStreamOptions{}, event("1")) })
	if !hung {
		t.Error("a call that was given up returned")
	}
	close(found)
	<-returned
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// The server's own: a node that shuts down says nothing to its subscribers,
// and the client cannot tell.
func TestASubscriptionDiesInSilence(t *testing.T) {
	cluster, c := start(t, standin.Options{Nodes: 3})
	c.must("s", esdb.NoStream{}, event("0"))
	s := c.subscribe(esdb.SubscribeToAllOptions{From: esdb.Start{}})
	until(t, s, "0")
	cluster.Node(0).Shutdown()
	connect(t, cluster.URL()+patient).must("s", esdb.Revision(0), event("1"))
	hung, returned := hangs(func() { s.Recv() })
	if !hung {
		t.Error("the subscriber was told")
	}
	s.Close()
	<-returned
}

// Two smaller ones: errors that are wrapped are not recognised, and what was
// canceled does not say so.
func TestErrorsAreHardToRead(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	c.must("s", esdb.NoStream{}, event("0"))
	if err := c.tombstone("s", esdb.Any{}); err != nil {
		t.Fatal(err)
	}
	err := c.tombstone("s", esdb.Any{})
	if e, _ := esdb.FromError(err); e.Code() != esdb.ErrorCodeUnknown || code(err) != esdb.ErrorCodeStreamDeleted {
		t.Errorf("FromError recognises %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cluster.Inject(func(at standin.Point, _ string, _ int) error {
		if at == standin.BeforeCommit {
			cancel()
			return standin.Silent
		}
		return nil
	})
	_, err = c.AppendToStream(ctx, "t", esdb.AppendToStreamOptions{}, event("0"))
	refused(t, err, esdb.ErrorCodeUnknown)
	if errors.Is(err, context.Canceled) {
		t.Error("it says that it was canceled")
	}
}
