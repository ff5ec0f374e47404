package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/jackc/pgx/v5"
)

// Nodes that wait for one another make few commits: what comes in while a node
// waits for its turn is part of its commit.
func TestAWaitingNodeGathersWhatComesIn(t *testing.T) {
	url := pgtest.New(t)
	nodes := cluster(t, url, 2)
	for i, log := range nodes { // they are connected
		must(t, log, add(eventstore.Stream(fmt.Sprintf("test-%d", i)), eventstore.Absent(), i, 10))
	}
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), "BEGIN; LOCK TABLE chirograph_log.head IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	appending := func(node, n int) {
		all.Go(func() {
			a := add(eventstore.Stream(fmt.Sprintf("test-%d-%d", node, n)), eventstore.Absent(), n, 10)
			if _, err := nodes[node].Append(t.Context(), a); err != nil {
				t.Errorf("append %d of node %d: %v", n, node, err)
			}
		})
	}
	for node := range nodes { // the first has its turn, the second waits for it
		appending(node, 0)
		until(t, func() bool {
			var asking int
			query(t, url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT size, recorded%'", &asking)
			return asking == node+1
		})
	}
	const more = 20
	for n := range more {
		appending(1, n+1)
	}
	until(t, func() bool { return nodes[1].Queued() == more })
	if _, err := c.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	var events, commits int
	query(t, url, "SELECT count(*), count(DISTINCT xmin::text) FROM chirograph_log.event WHERE position > 2", &events, &commits)
	if events != more+2 || commits != 2 {
		t.Errorf("%d events in %d commits, want %d in 2", events, commits, more+2)
	}
}

// until waits for something that is to happen soon.
func until(t *testing.T, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		if happened() {
			return
		}
		<-tick.C
	}
	t.Fatal("it does not happen")
}
