package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
)

// faults are what happens, in this order, to each engine.
var faults = []fault{
	{name: "a node that leads is killed", happen: func(t *testing.T, d *drill) { d.lose(t, d.leading(t)) }},
	{name: "a node that follows is killed", happen: func(t *testing.T, d *drill) { d.lose(t, d.following(t)) }},
	{name: "all nodes are killed at once", long: true, happen: loseAll},
	{name: "PostgreSQL is killed", happen: killPostgres},
	{name: "the leader of EventStoreDB is killed and another elected", engine: config.EventStoreDB, happen: killLeader},
	{name: "one node is cut off from its databases for 1 s", happen: cutOne(time.Second)},
	{name: "all nodes are cut off from their databases for 1 s", happen: cutAll(time.Second)},
	{name: "all nodes are cut off from their databases for 10 s", long: true, happen: cutAll(10 * time.Second)},
	{name: "all nodes are cut off from their databases for 60 s", long: true, happen: cutAll(time.Minute)},
	{name: "the network of one node swallows everything for 3 s", happen: muteOne(3 * time.Second)},
	{name: "the network of one node swallows everything for 30 s", long: true, happen: muteOne(30 * time.Second)},
	{name: "everything that goes to a database is 30 ms late", long: true, happen: late},
	{name: "acknowledgements are lost at each write of a journey", happen: loseEach},
	{name: "one clock is 60 s fast", happen: clock(ahead, 30*time.Second)},
	{name: "one clock is 60 s slow", happen: clock(behind, 0)},
	{name: "two versions serve beside each other", happen: mixed},
	{name: "nodes are replaced one by one, and nobody asks in vain twice", happen: replace},
	{name: "the node that leads pauses for 8 s and returns", short: true, happen: pauseLeader(8 * time.Second)},
	{name: "the node that leads pauses for 30 s and returns", long: true, happen: pauseLeader(30 * time.Second)},
	{name: "the disk of PostgreSQL is full", engine: config.PostgreSQL, happen: fillPostgres},
	{name: "the disks of EventStoreDB are full", engine: config.EventStoreDB, happen: fillEventStoreDB},
}

func TestFaults(t *testing.T) {
	for _, name := range []string{config.PostgreSQL, config.EventStoreDB} {
		if *engine != "" && *engine != name {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drilled(t, name)
		})
	}
}

func drilled(t *testing.T, engine string) {
	began := time.Now()
	s := newSite(t, engine)
	t.Logf("seed %d; built and begun in %.1fs", *seed, time.Since(began).Seconds())
	p := newPlayers(s.bank, balanced(s.nodes))
	d := &drill{s, p.load(*seed)}
	defer d.load.end()
	d.settle(t)
	for _, f := range faults {
		if !strings.Contains(f.name, *chosen) || f.engine != "" && f.engine != engine || f.long && !*long || f.short && *long {
			continue
		}
		t.Run(f.name, func(t *testing.T) { d.suffer(t, f) })
		if t.Failed() {
			break // tell what there is
		}
	}
	pause(t.Context(), recovery+2*time.Second) // from here on nothing is excused
	d.load.end()
	ended := time.Now()
	s.converged(t)
	t.Logf("projections converged %.1fs after the load", time.Since(ended).Seconds())
	for _, n := range s.nodes {
		n.stop(t)
	}
	r := record{operations: p.operations(), windows: p.windows, log: s.examine(t)}
	tell(t, s, check(r))
	t.Logf("%s: %s; %.1fs in all", engine, summary(r), time.Since(began).Seconds())
}

// tell reports violations with what the nodes have said.
func tell(t *testing.T, s *site, found []violation) {
	const most = 10
	for _, v := range found[:min(most, len(found))] {
		t.Error(v)
	}
	if len(found) == 0 && !t.Failed() {
		return
	}
	t.Errorf("%d violations; -seed %d repeats the choices", len(found), *seed)
	for _, n := range s.nodes {
		t.Logf("%s said:\n%s", n.name, n.said.tail(6000))
	}
}

// summary counts what a record is made of.
func summary(r record) string {
	counts, failed, kinds := map[outcome]int{}, map[int]int{}, map[kind]int{}
	for _, o := range r.operations {
		counts[o.Outcome]++
		kinds[o.Kind]++
		if o.Outcome == unknown {
			failed[o.Status]++
		}
	}
	return fmt.Sprintf("%d operations %v, outcomes %v, of those unknown by status %v; %d events; %d faults",
		len(r.operations), kinds, counts, failed, len(r.log), len(r.windows))
}
