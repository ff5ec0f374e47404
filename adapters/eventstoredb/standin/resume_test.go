package standin_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// A subscriber that resumes at the last position it has seen, of an event or
// a checkpoint, misses nothing and sees nothing twice, whatever drops it.
func TestResuming(t *testing.T) {
	const total = 240
	cluster := standin.New(t, standin.Options{CaughtUp: true})
	var messages, checkpoints atomic.Int64
	cluster.Inject(func(at standin.Point, _ string, n int) error {
		if at != standin.SubscriptionMessage || n == 0 || messages.Add(1)%5 != 0 {
			return nil
		}
		if messages.Load()%2 == 0 {
			return standin.Drop
		}
		return standin.Busy
	})
	written := make(chan struct{})
	go func() {
		defer close(written)
		w := connect(t, cluster.URL()+"&maxDiscoverAttempts=1000&discoveryInterval=5")
		for i := range total {
			if i == total/2 {
				cluster.Node(0).Kill()
				if err := cluster.Node(0).Start(); err != nil {
					t.Error(err)
				}
			}
			name, e := []string{"keep", "skip", "skip"}[i%3], event(fmt.Sprint(i))
			for try := 0; ; try++ {
				if _, err := w.append(name, esdb.Any{}, e); err == nil {
					break
				} else if try > 100 {
					t.Error(err)
					return
				}
			}
		}
	}()
	r := connect(t, cluster.URL()+"&maxDiscoverAttempts=1000&discoveryInterval=5")
	got, drops := resumed(t, r, total/3, &checkpoints)
	<-written
	var want []string
	for i := 0; i < total; i += 3 {
		want = append(want, fmt.Sprint(i))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if drops == 0 || checkpoints.Load() == 0 {
		t.Errorf("%d drops and %d checkpoints: nothing was tried", drops, checkpoints.Load())
	}
}

// resumed follows until it has seen enough, and says how often it was dropped.
func resumed(t *testing.T, c client, enough int, checkpoints *atomic.Int64) (got []string, drops int) {
	from := esdb.AllPosition(esdb.Start{})
	for len(got) < enough {
		s, err := c.SubscribeToAll(context.Background(), esdb.SubscribeToAllOptions{
			From: from, Filter: prefixed("keep"), MaxSearchWindow: 4, CheckpointInterval: 1,
		})
		if err != nil {
			if code(err) == esdb.ErrorCodeConnectionClosed {
				t.Fatal(err)
			}
			continue
		}
		for dropped := false; !dropped && len(got) < enough; {
			switch e := s.Recv(); {
			case e.EventAppeared != nil:
				got = append(got, e.EventAppeared.Event.EventType)
				from = e.EventAppeared.Event.Position
			case e.CheckPointReached != nil:
				checkpoints.Add(1)
				from = *e.CheckPointReached
			case e.SubscriptionDropped != nil:
				drops++
				dropped = true
			}
		}
		s.Close()
	}
	return got, drops
}
