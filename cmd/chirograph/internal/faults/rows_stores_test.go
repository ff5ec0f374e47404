package faults

import (
	"crypto/rand"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
)

func killPostgres(t *testing.T, d *drill) {
	d.postgres.Kill(t)
	d.endure(t, dwell)
	d.postgres.Run(t)
}

// killLeader kills the leader of the cluster, and starts it again when another
// leads.
func killLeader(t *testing.T, d *drill) {
	dead := d.events.Leader()
	d.events.Node(dead).Kill()
	eventually(t, "another leads", func() bool { return d.events.Leader() >= 0 })
	d.endure(t, dwell)
	if err := d.events.Node(dead).Start(); err != nil {
		t.Fatal(err)
	}
}

func cutOne(howLong time.Duration) func(*testing.T, *drill) {
	return func(t *testing.T, d *drill) { d.broken(t, severed, howLong, d.following(t)) }
}

func cutAll(howLong time.Duration) func(*testing.T, *drill) {
	return func(t *testing.T, d *drill) { d.broken(t, severed, howLong, d.nodes...) }
}

func muteOne(howLong time.Duration) func(*testing.T, *drill) {
	return func(t *testing.T, d *drill) { d.broken(t, mute, howLong, d.following(t)) }
}

// broken leaves links in a state for a while, which requests must notice, or
// the fault was none.
func (d *drill) broken(t *testing.T, state int32, howLong time.Duration, some ...*node) {
	t.Helper()
	began := d.now()
	d.link(state, some...)
	d.endure(t, howLong)
	d.link(whole, some...)
	eventually(t, "a request has noticed", func() bool {
		return slices.ContainsFunc(d.operations(), func(o operation) bool {
			return o.End >= began && (o.Outcome == unknown || o.End-o.Begin > howLong/3)
		})
	})
}

func late(t *testing.T, d *drill) {
	set := func(by time.Duration) {
		for _, n := range d.nodes {
			for _, l := range n.links {
				l.delay.Store(int64(by))
			}
		}
	}
	set(30 * time.Millisecond)
	d.endure(t, 10*time.Second)
	set(0)
}

// loseEach plays journeys, and lets the acknowledgement of the first commit be
// lost in the first, that of the second in the second, and so on until a
// journey has no more commits.
func loseEach(t *testing.T, d *drill) {
	defer d.silence()()
	alone := &load{players: d.players} // whose gate is open
	const fewest, most = 6, 60         // commits of a journey, and of what goes on beside it
	for n := int64(1); n <= most; n++ {
		disarm := d.armed(n)
		w := alone.worker(*seed, int(n))
		w.person, w.races = d.person(int(n)), 0
		w.journey(t.Context())
		if disarm() {
			continue
		}
		if n <= fewest {
			t.Errorf("a journey has only %d commits", n-1)
		}
		return
	}
	t.Errorf("journeys have more than %d commits", most)
}

// armed lets the answer to the nth commit be lost, in the store of the events.
func (d *drill) armed(n int64) (disarm func() bool) {
	d.losses.arm(n)
	if d.events == nil {
		return d.losses.disarm
	}
	var events loss
	events.arm(n)
	heal := d.events.Inject(func(at standin.Point, _ string, _ int) error {
		if at == standin.AfterCommit && events.strikes() {
			return standin.Drop
		}
		return nil
	})
	return func() bool {
		heal()
		tables := d.losses.disarm()
		return events.disarm() || tables
	}
}

// fillPostgres leaves no room for the log to grow, and fills what there is with
// large requests.
func fillPostgres(t *testing.T, d *drill) {
	const room = 17 << 20 // what a segment of the write-ahead log needs, and little more
	d.postgres.Stop(t)
	d.postgres.FileSize = room
	d.postgres.Run(t)
	d.settle(t)
	var full atomic.Bool
	var fillers sync.WaitGroup
	began := time.Now()
	for range 8 {
		fillers.Go(func() {
			large := url.Values{"filler": {random(54 << 10)}}
			for !full.Load() && time.Since(began) < patience {
				at := d.over.next()
				if o, _ := d.push(t.Context(), at, operation{Attempt: 1}, large); o.Outcome == unknown {
					full.CompareAndSwap(false, strings.Contains(d.nodes[at].said.tail(keptOutput), "File too large"))
				}
			}
		})
	}
	if fillers.Wait(); !full.Load() {
		t.Error("the disk does not get full")
	}
	d.endure(t, dwell)
	d.postgres.Stop(t)
	d.postgres.FileSize = 0
	d.postgres.Run(t)
}

// random is text that no compression makes shorter.
func random(n int) string {
	raw := make([]byte, n*3/4)
	rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// fillEventStoreDB lets every leader end because it cannot write, until none is
// left, and then gives them room.
func fillEventStoreDB(t *testing.T, d *drill) {
	heal := d.events.Inject(standin.At(standin.BeforeCommit, standin.DiskFull))
	eventually(t, "no node can lead", func() bool {
		down := 0
		for i := range d.events.Nodes() {
			if d.events.Node(i).Connections() == 0 {
				down++
			}
		}
		return down >= 2 && d.events.Leader() < 0
	})
	d.endure(t, dwell)
	heal()
	for i := range d.events.Nodes() {
		if err := d.events.Node(i).Start(); err != nil {
			t.Fatal(err)
		}
	}
}
