package faults

import (
	"context"
	"sync"
	"testing"
	"time"
)

// A drill is one site under load, to which one fault after the other happens.
type drill struct {
	*site
	*load
}

// A fault is one row of the table.
type fault struct {
	name   string
	engine string // "" for both
	long   bool   // only in the long set
	short  bool   // only in the short set

	// happen breaks something and mends it, and returns when that is done.
	happen func(*testing.T, *drill)
}

// suffer lets a fault happen under load, and demands that all nodes then answer
// again.
func (d *drill) suffer(t *testing.T, f fault) {
	w := window{Name: f.name, Begin: d.now()}
	f.happen(t, d)
	w.Healed = d.now()
	d.settle(t)
	w.Settled = d.now()
	if took := w.Settled - w.Healed; took > recovery {
		t.Errorf("all nodes answer again only %v after the fault", took)
	}
	d.history.fault(w)
	t.Log(d.figures(w))
}

// settle waits until every node writes and reads.
func (d *drill) settle(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	var all sync.WaitGroup
	for at := range d.nodes {
		all.Go(func() {
			for !d.answers(ctx, at) {
				if !pause(ctx, 100*time.Millisecond) {
					t.Errorf("%s does not answer again:\n%s", d.nodes[at].name, d.nodes[at].said.tail(3000))
					return
				}
			}
		})
	}
	all.Wait()
}

// answers reports whether a node writes and reads.
func (d *drill) answers(ctx context.Context, at int) bool {
	o, token := d.credentials(ctx, at, operation{Attempt: 1})
	if o.Outcome != accepted {
		return false
	}
	return d.introspect(ctx, at, operation{Attempt: 1}, token).Outcome == accepted
}

// endure lets the load go on for a while.
func (d *drill) endure(t *testing.T, howLong time.Duration) {
	t.Helper()
	pause(t.Context(), howLong)
}

// silence returns when no request is under way, and lets none begin until the
// caller ends it.
func (d *drill) silence() (end func()) {
	d.gate.Lock()
	return d.gate.Unlock
}
