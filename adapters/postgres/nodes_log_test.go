package postgres_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"golang.org/x/mod/sumdb/tlog"
)

// cluster opens a log on several nodes.
func cluster(t *testing.T, url string, n int) (nodes []*postgres.Log) {
	t.Helper()
	for range n {
		nodes = append(nodes, opened(t, postgres.Options{URL: url}))
	}
	return nodes
}

func TestRacersOnSeveralNodes(t *testing.T) {
	for _, n := range []int{2, 3} {
		nodes := cluster(t, pgtest.New(t), n)
		for round := range 5 {
			var won atomic.Int64
			var wg sync.WaitGroup
			for i := range 64 {
				wg.Go(func() {
					a := add(eventstore.Stream(fmt.Sprintf("test-%d", round)), eventstore.Absent(), i, 10)
					switch _, err := nodes[i%n].Append(t.Context(), a); {
					case err == nil:
						won.Add(1)
					case !errors.Is(err, eventstore.ErrConflict):
						t.Errorf("racer %d: %v", i, err)
					}
				})
			}
			wg.Wait()
			if won.Load() != 1 {
				t.Errorf("%d winners on %d nodes", won.Load(), n)
			}
		}
	}
}

func TestOneKeyOnSeveralNodes(t *testing.T) {
	nodes := cluster(t, pgtest.New(t), 2)
	key := eventstore.Once{Key: [32]byte{1}, Expires: time.Now().Add(time.Hour)}
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			a := add(eventstore.Stream(fmt.Sprintf("test-%d", i)), eventstore.Absent(), i, 10)
			a.Once = []eventstore.Once{key}
			switch _, err := nodes[i%2].Append(t.Context(), a); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, eventstore.ErrReplay):
				t.Errorf("racer %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d used the key", won.Load())
	}
}

// Positions are dense and in the order of receipts, whoever writes; another
// node sees all of them in that order; and the tree is that of the events.
func TestSeveralNodesWriteOneLog(t *testing.T) {
	const writers, each = 24, 10
	nodes := cluster(t, pgtest.New(t), 3)
	seen := make(chan []eventstore.Event)
	go func() {
		var events []eventstore.Event
		for item, err := range nodes[2].Subscribe(t.Context(), 0, eventstore.Filter{}) {
			if err != nil {
				t.Error(err)
				break
			}
			if item.Event != nil {
				events = append(events, *item.Event)
			}
			if len(events) == writers*each {
				break
			}
		}
		seen <- events
	}()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			last := eventstore.Position(0)
			for n := range each {
				a := add(eventstore.Stream(fmt.Sprintf("test-%d", w)), eventstore.After(eventstore.Revision(n-1)), n, 10)
				r, err := nodes[(w+n)%2].Append(t.Context(), a)
				if err != nil || r[0].Position <= last {
					t.Errorf("writer %d, event %d: %v, %v after %d", w, n, r, err, last)
					return
				}
				last = r[0].Position
				if head, err := nodes[2].Head(t.Context()); err != nil || head < last {
					t.Errorf("another node's head is %d, %v, though %d was acknowledged", head, err, last)
				}
			}
		})
	}
	wg.Wait()
	events, followed := all(t, nodes[0]), <-seen
	for i, e := range events {
		if followed[i].ID != e.ID {
			t.Fatalf("item %d is not the event at %d", i, e.Position)
		}
		if i > 0 && e.Recorded.Before(events[i-1].Recorded) {
			t.Errorf("recorded time decreases at %d", e.Position)
		}
	}
	var f ledger.Frontier
	for _, e := range events {
		f.Append(ledger.LeafHash(ledger.Record(nodes[0].ID(), e)), func(int, int64, tlog.Hash) {})
	}
	for i, node := range nodes {
		if root, err := ledger.Root(t.Context(), node, writers*each); err != nil || root != f.Root() {
			t.Errorf("node %d has root %v, %v", i, root, err)
		}
	}
}

// A notification is only a hint: what is not heard is found all the same, and
// what is untrue is not believed.
func TestNotificationsAreLostAndForged(t *testing.T) {
	url := pgtest.New(t)
	p := proxied(t, url)
	p.drop.Store(notification)
	a, b := opened(t, postgres.Options{URL: url}), opened(t, postgres.Options{URL: p.url})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got := 0
	for item, err := range b.Subscribe(ctx, 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatalf("after %d events: %v", got, err)
		}
		if item.Event != nil {
			got++
		}
		if got == 3 {
			break
		}
		if item.Live {
			must(t, a, add("test-a", eventstore.Unchecked(), got, 10))
		}
	}
	if p.lost.Load() == 0 {
		t.Error("no notification was lost")
	}
	p.drop.Store(0)
	forge(t, url)
	must(t, a, add("test-a", eventstore.Unchecked(), 4, 10))
	for item, err := range b.Subscribe(ctx, 3, eventstore.Filter{Categories: []string{"other"}}) {
		if err != nil || item.Mark > 4 {
			t.Fatalf("got %+v, %v", item, err)
		}
		if item.Mark == 4 {
			break
		}
	}
}

// forge notifies every listener of the log of a head far away.
func forge(t *testing.T, url string) {
	t.Helper()
	sum := sha256.Sum256([]byte("chirograph " + postgres.DefaultSchema))
	execute(t, url, fmt.Sprintf("NOTIFY chirograph_%x, '1000000'", sum[:8]))
}
