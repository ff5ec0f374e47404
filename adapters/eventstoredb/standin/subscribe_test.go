package standin_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// prefixed is a filter by the names of streams.
func prefixed(prefixes ...string) *esdb.SubscriptionFilter {
	return &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: prefixes}
}

func (c client) subscribe(o esdb.SubscribeToAllOptions) *esdb.Subscription {
	c.t.Helper()
	s, err := c.SubscribeToAll(context.Background(), o)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { s.Close() })
	return s
}

// until collects what a subscription says, one word a message, up to a word.
// An event is its type, and events of the server are left out.
func until(t *testing.T, s *esdb.Subscription, last string) (words []string) {
	t.Helper()
	for {
		word := ""
		switch e := s.Recv(); {
		case e.EventAppeared != nil:
			if word = e.EventAppeared.OriginalEvent().EventType; word[0] == '$' {
				continue
			}
		case e.CheckPointReached != nil:
			word = "checkpoint"
		case e.CaughtUp != nil:
			word = "caught-up"
		case e.SubscriptionDropped != nil:
			t.Fatalf("dropped after %v: %v", words, e.SubscriptionDropped.Error)
		}
		if words = append(words, word); word == last {
			return words
		}
	}
}

func TestFilters(t *testing.T) {
	_, c := start(t, standin.Options{})
	c.must("order-1", esdb.NoStream{}, event("placed"), event("paid"))
	c.must("user-1", esdb.NoStream{}, event("placed"))
	c.must("user-2", esdb.NoStream{}, event("last"))
	types := esdb.EventFilterType
	tests := []struct {
		name   string
		filter *esdb.SubscriptionFilter
		want   string
	}{
		{"none", nil, "placed paid placed last"},
		{"streams by prefix", prefixed("order-", "user-2"), "placed paid last"},
		{"streams by expression", &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: "-[2]$|^o"}, "placed paid last"},
		{"types by prefix", &esdb.SubscriptionFilter{Type: types, Prefixes: []string{"pla", "l"}}, "placed placed last"},
		{"types by expression", &esdb.SubscriptionFilter{Type: types, Regex: "^(paid|last)$"}, "paid last"},
		{"no events of the server", esdb.ExcludeSystemEventsFilter(), "placed paid placed last"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := c.subscribe(esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: tt.filter})
			if got := strings.Join(until(t, s, "last"), " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A checkpoint comes with every window that was considered, and when the
// subscriber has caught up.
func TestCheckpoints(t *testing.T) {
	_, c := start(t, standin.Options{CaughtUp: true})
	for i := range 10 {
		c.must("skip", esdb.Any{}, event(fmt.Sprint(i)))
	}
	s := c.subscribe(esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: prefixed("keep"), MaxSearchWindow: 4, CheckpointInterval: 1})
	past, err := c.readAll(esdb.ReadAllOptions{From: esdb.Start{}}, 100)
	if err != nil || len(past) != 15 {
		t.Fatal(len(past), err)
	}
	for _, want := range []uint64{0, past[4].Position.Commit, past[8].Position.Commit, past[12].Position.Commit} {
		if p := s.Recv().CheckPointReached; p == nil || p.Commit != want {
			t.Errorf("while catching up: %v, want %d", p, want)
		}
	}
	if s.Recv().CaughtUp == nil {
		t.Error("it has not caught up")
	}
	c.must("keep", esdb.Any{}, event("kept"))
	c.must("skip", esdb.Any{}, event("skipped"), event("skipped"))
	last := c.must("skip", esdb.Any{}, event("skipped"))
	until(t, s, "kept")
	if p := s.Recv().CheckPointReached; p == nil || p.Commit != last.CommitPosition {
		t.Errorf("live: %v, want %d", p, last.CommitPosition)
	}
}

func TestCaughtUpIsSaidByNewServers(t *testing.T) {
	for _, said := range []bool{false, true} {
		_, c := start(t, standin.Options{CaughtUp: said})
		c.must("s", esdb.NoStream{}, event("past"))
		s := c.subscribe(esdb.SubscribeToAllOptions{From: esdb.Start{}})
		until(t, s, "past")
		if said {
			until(t, s, "caught-up")
		}
		c.must("s", esdb.Any{}, event("live"))
		if got := until(t, s, "live"); len(got) != 1 {
			t.Errorf("before the live one: %v", got)
		}
	}
}

func TestWhereASubscriptionBegins(t *testing.T) {
	_, c := start(t, standin.Options{})
	w := c.must("s", esdb.NoStream{}, event("0"), event("1"))
	at := func(d int64) esdb.AllPosition {
		p := uint64(int64(w.CommitPosition) + d)
		return esdb.Position{Commit: p, Prepare: p}
	}
	tests := []struct {
		name string
		from func() esdb.AllPosition
		want string
	}{
		{"after the end", func() esdb.AllPosition { return esdb.End{} }, "2 3"},
		{"after the last event", func() esdb.AllPosition { return at(0) }, "2 3"},
		{"after what nobody has written yet", func() esdb.AllPosition { return at(200) }, "3"},
	}
	for _, tt := range tests {
		s := c.subscribe(esdb.SubscribeToAllOptions{From: tt.from()})
		c.must("s", esdb.Any{}, event("2"))
		w = c.must("s", esdb.Any{}, event("3"))
		if got := strings.Join(until(t, s, "3"), " "); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	s := c.subscribe(esdb.SubscribeToAllOptions{From: at(-7)})
	if d := s.Recv().SubscriptionDropped; d == nil || status.Code(d.Error) != codes.InvalidArgument {
		t.Errorf("a position that is none: %+v", d)
	}
}

func TestSubscribeToAStream(t *testing.T) {
	_, c := start(t, standin.Options{})
	c.must("s", esdb.NoStream{}, event("0"), event("1"), event("2"))
	s, err := c.SubscribeToStream(context.Background(), "s", esdb.SubscribeToStreamOptions{From: esdb.Revision(0)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := strings.Join(until(t, s, "2"), " "); got != "1 2" {
		t.Errorf("the past: %q", got)
	}
	c.must("other", esdb.NoStream{}, event("other"), event("other"))
	c.must("s", esdb.Any{}, event("3"))
	if got := until(t, s, "3"); len(got) != 1 {
		t.Errorf("live: %v", got)
	}
	if err := c.tombstone("s", esdb.Any{}); err != nil {
		t.Fatal(err)
	}
	if e := s.Recv().EventAppeared; e == nil || e.Event.EventType != "$streamDeleted" {
		t.Errorf("the tombstone: %+v", e)
	}
	if d := s.Recv().SubscriptionDropped; d == nil || status.Code(d.Error) != codes.FailedPrecondition {
		t.Errorf("after it: %+v", d)
	}
}
