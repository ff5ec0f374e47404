package ledger_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"golang.org/x/mod/sumdb/tlog"
)

// tail is a table of which only the end is asked for.
type tail struct {
	ledger.Table
	ledger.Nodes
	row ledger.Row
}

func (t tail) Tail(context.Context) (ledger.Row, bool, error) { return t.row, t.row.Leaf >= 0, nil }
func (t tail) Hashes(ctx context.Context, indexes []int64) ([]tlog.Hash, error) {
	return t.Nodes.Hashes(ctx, indexes)
}

func TestNumberingIsThatOfTheLog(t *testing.T) {
	log := grown(t, 300)
	var events []eventstore.Event
	for e, err := range log.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	for _, from := range []int{0, 1, 255, 256, 299} {
		table := tail{Nodes: log, row: ledger.Row{Leaf: -1}}
		if from > 0 {
			table.row = ledger.Row{Leaf: int64(from - 1), Place: uint64(from * 10), Recorded: events[from-1].Recorded}
		}
		n, last, err := ledger.Resume(t.Context(), log.ID(), table)
		if err != nil || n.Size() != int64(from) || last.Place != uint64(from*10) {
			t.Fatalf("resumed at %d after %+v: %v", n.Size(), last, err)
		}
		for i, want := range events[from:] {
			e := want
			e.Leaf, e.Position = -1, eventstore.Unnumbered
			row, nodes := n.Number(&e, uint64(7*i))
			stored, err := log.Hashes(t.Context(), []int64{tlog.StoredHashIndex(0, want.Leaf)})
			if err != nil || row != (ledger.Row{Leaf: want.Leaf, Place: uint64(7 * i), Recorded: want.Recorded, Hash: stored[0]}) {
				t.Fatalf("leaf %d is %+v, %v", want.Leaf, row, err)
			}
			if e.Leaf != want.Leaf || e.Position != want.Position {
				t.Errorf("the event at %d is told %d", want.Position, e.Position)
			}
			if wanted := completedBy(t, log, want.Leaf); !slices.Equal(nodes, wanted) {
				t.Errorf("leaf %d completes %v, want %v", want.Leaf, nodes, wanted)
			}
		}
	}
}

func completedBy(t *testing.T, log ledger.Nodes, leaf int64) (nodes []ledger.Node) {
	t.Helper()
	if leaf != 255 {
		return nil
	}
	h, err := log.Hashes(t.Context(), []int64{tlog.StoredHashIndex(8, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return []ledger.Node{{Level: 8, N: 0, Hash: h[0]}}
}

func TestNumberedTimeNeverDecreases(t *testing.T) {
	noon := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	n, _, err := ledger.Resume(t.Context(), grown(t, 0).ID(), tail{row: ledger.Row{Leaf: -1}})
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct{ written, want time.Duration }{{0, 0}, {time.Second, time.Second}, {-time.Minute, time.Second}, {2 * time.Second, 2 * time.Second}} {
		e := eventstore.Event{Stream: "test-1", Revision: eventstore.Revision(i), Recorded: noon.Add(tt.written)}
		if row, _ := n.Number(&e, 0); !row.Recorded.Equal(noon.Add(tt.want)) || !e.Recorded.Equal(row.Recorded) {
			t.Errorf("event %d is recorded at %v and %v", i, row.Recorded, e.Recorded)
		}
	}
}
