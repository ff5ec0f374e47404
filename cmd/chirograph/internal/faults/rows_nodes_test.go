package faults

import (
	"syscall"
	"testing"
	"time"
)

// dwell is how long the load meets what is broken, where nothing else says.
const dwell = 1500 * time.Millisecond

// leading is the node that does what one does for all.
func (d *drill) leading(t *testing.T) (n *node) {
	t.Helper()
	eventually(t, "a node leads", func() bool { n = d.governor(t); return n != nil })
	return n
}

func (d *drill) following(t *testing.T) *node {
	t.Helper()
	leads := d.leading(t)
	for _, n := range d.nodes {
		if n != leads {
			return n
		}
	}
	return nil
}

// lose kills a node under load and starts it again.
func (d *drill) lose(t *testing.T, n *node) {
	t.Helper()
	n.kill()
	d.endure(t, dwell)
	n.start(t, current)
}

func loseAll(t *testing.T, d *drill) {
	for _, n := range d.nodes {
		n.kill()
	}
	for _, n := range d.nodes {
		n.begin(t, current)
	}
	for _, n := range d.nodes {
		n.await(t)
	}
}

// clock gives one node a wrong clock for a while. Clients whose clocks lie
// between those of the nodes are welcome at all of them.
func clock(wrong build, between time.Duration) func(*testing.T, *drill) {
	return func(t *testing.T, d *drill) {
		d.bank.lead.Store(int64(between))
		n := d.following(t)
		n.stop(t)
		n.start(t, wrong)
		d.endure(t, 2*dwell)
		n.stop(t)
		n.start(t, current)
		d.bank.lead.Store(0)
	}
}

// mixed lets a newer binary serve beside two of the older.
func mixed(t *testing.T, d *drill) {
	n := d.following(t)
	n.stop(t)
	n.start(t, next)
	d.endure(t, 2*dwell)
}

// replace replaces all nodes one by one, in order. No step of a client fails
// more than once: the balancer's next node answers.
func replace(t *testing.T, d *drill) {
	began := d.now()
	for _, n := range d.nodes {
		n.stop(t)
		n.start(t, next)
	}
	for _, o := range d.operations() {
		if o.Begin > began && o.Attempt > 1 && o.Outcome == unknown {
			t.Errorf("asked in vain again: %v", o)
		}
	}
}

// pauseLeader stops the node that leads for longer than its lease lasts, and
// until another leads and has claimed a checkpoint; then lets it go on. It must
// not take back what it lost.
func pauseLeader(howLong time.Duration) func(*testing.T, *drill) {
	return func(t *testing.T, d *drill) {
		n := d.leading(t)
		before := d.claimed(t)
		n.signal(t, syscall.SIGSTOP)
		d.endure(t, howLong)
		eventually(t, "another node leads", func() bool { other := d.governor(t); return other != nil && other != n })
		eventually(t, "it has claimed a checkpoint", func() bool { return d.claimed(t) > before })
		successor, at := d.leaseholder(t), d.claimed(t)
		n.signal(t, syscall.SIGCONT)
		eventually(t, "a checkpoint is claimed after the return", func() bool { return d.claimed(t) > at })
		if holder := d.leaseholder(t); holder != successor {
			t.Errorf("%s leads after the return of %s, not %s", holder, n.name, successor)
		}
	}
}
