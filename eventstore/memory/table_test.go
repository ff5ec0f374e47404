package memory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// numbered extends a table by n events whose places are ten apart.
func numbered(t *testing.T, table *memory.Table, n int) (rows []ledger.Row, nodes []ledger.Node) {
	t.Helper()
	numberer, tail, err := ledger.Resume(t.Context(), uuid.Nil, table)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		e := eventstore.Event{Stream: "test-1", Recorded: time.Unix(100, 0)}
		row, completed := numberer.Number(&e, tail.Place+uint64(10*(i+1)))
		rows, nodes = append(rows, row), append(nodes, completed...)
	}
	return rows, nodes
}

func TestTable(t *testing.T) {
	table := &memory.Table{}
	if _, found, err := table.Tail(t.Context()); found || err != nil {
		t.Fatalf("an empty table has a tail, %v", err)
	}
	for _, n := range []int{1, 254, 1, 300} {
		rows, nodes := numbered(t, table, n)
		if err := table.Extend(t.Context(), rows, nodes); err != nil {
			t.Fatal(err)
		}
		if err := table.Extend(t.Context(), rows, nodes); !errors.Is(err, ledger.ErrDeposed) {
			t.Errorf("the same again: %v", err)
		}
	}
	tail, _, _ := table.Tail(t.Context())
	if tail.Leaf != 555 || tail.Place != 5560 {
		t.Errorf("tail %+v", tail)
	}
	rows, _ := table.Rows(t.Context(), 550, 600)
	if len(rows) != 6 || rows[0].Leaf != 550 {
		t.Errorf("rows %+v", rows)
	}
	placed, _ := table.Placed(t.Context(), []uint64{15, 20, 5560})
	if len(placed) != 2 || placed[0].Leaf != 1 || placed[1].Leaf != 555 {
		t.Errorf("placed %+v", placed)
	}
}

func TestTableRefusesWhatDoesNotFollow(t *testing.T) {
	for name, spoil := range map[string]func([]ledger.Row, []ledger.Node){
		"a gap":                  func(rows []ledger.Row, _ []ledger.Node) { rows[3].Leaf++ },
		"a place before another": func(rows []ledger.Row, _ []ledger.Node) { rows[3].Place = 1 },
		"time that goes back":    func(rows []ledger.Row, _ []ledger.Node) { rows[3].Recorded = time.Unix(1, 0) },
		"another node":           func(_ []ledger.Row, nodes []ledger.Node) { nodes[0].Hash = tlog.Hash{} },
	} {
		table := &memory.Table{}
		rows, nodes := numbered(t, table, 256)
		spoil(rows, nodes)
		if err := table.Extend(t.Context(), rows, nodes); err == nil {
			t.Errorf("%s was taken", name)
		}
		if _, found, _ := table.Tail(t.Context()); found {
			t.Errorf("%s left rows behind", name)
		}
	}
}

func TestClaimsAreMadeOneAfterTheOther(t *testing.T) {
	table := &memory.Table{}
	first, second := ledger.Claim{Epoch: 1, Size: 3}, ledger.Claim{Epoch: 1, Size: 5}
	if err := table.Claim(t.Context(), ledger.Claim{}, first); err != nil {
		t.Fatal(err)
	}
	if err := table.Claim(t.Context(), ledger.Claim{}, second); !errors.Is(err, ledger.ErrDeposed) {
		t.Errorf("who knows nothing of the last: %v", err)
	}
	if c, err := table.Claimed(t.Context()); c != first || err != nil {
		t.Errorf("claimed %+v, %v", c, err)
	}
}
