package standin_test

import (
	"context"
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func TestSubscribeSmoke(t *testing.T) {
	_, c := start(t, standin.Options{CaughtUp: true})
	c.must("s", esdb.NoStream{}, event("a"), event("b"))
	sub, err := c.SubscribeToAll(context.Background(), esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"s"}}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		e := sub.Recv()
		t.Logf("%+v", e)
		if e.CaughtUp != nil {
			c.must("s", esdb.Any{}, event("c"))
		}
		if e.SubscriptionDropped != nil {
			t.Fatal(i)
		}
		if e.EventAppeared != nil && e.EventAppeared.Event.EventType == "c" {
			break
		}
	}
}
