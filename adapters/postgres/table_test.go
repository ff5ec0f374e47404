package postgres_test

import (
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

func openedTable(t testing.TB, o postgres.TableOptions) *postgres.Table {
	t.Helper()
	table, err := postgres.OpenTable(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { table.Close() })
	return table
}

// leaves are rows from one index to another, with the nodes that they
// complete.
func leaves(f *ledger.Frontier, n int) (rows []ledger.Row, nodes []ledger.Node) {
	for range n {
		leaf := f.Size()
		r := ledger.Row{Leaf: leaf, Place: uint64(leaf)*1000 + 7, Recorded: noon.Add(time.Duration(leaf)), Hash: sha256.Sum256([]byte{byte(leaf), byte(leaf >> 8)})}
		f.Append(r.Hash, func(level int, n int64, h tlog.Hash) {
			if level > 0 && level%8 == 0 {
				nodes = append(nodes, ledger.Node{Level: level, N: n, Hash: h})
			}
		})
		rows = append(rows, r)
	}
	return rows, nodes
}

var noon = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

func TestTableIsLikeTheOneInMemory(t *testing.T) {
	ours := openedTable(t, postgres.TableOptions{URL: pgtest.New(t)})
	if _, found, err := ours.Tail(t.Context()); found || err != nil {
		t.Errorf("an empty table has a tail: %v", err)
	}
	var theirs memory.Table
	var f ledger.Frontier
	for _, n := range []int{1, 254, 1, 1, 300, 700} {
		rows, nodes := leaves(&f, n)
		if err := errors.Join(ours.Extend(t.Context(), rows, nodes), theirs.Extend(t.Context(), rows, nodes)); err != nil {
			t.Fatal(err)
		}
	}
	var indexes []int64
	for level := range 11 {
		for n := int64(0); (n+1)<<level <= f.Size(); n += 1 + 5<<max(0, 6-level) {
			indexes = append(indexes, tlog.StoredHashIndex(level, n))
		}
	}
	got, err := ours.Hashes(t.Context(), indexes)
	want, _ := theirs.Hashes(t.Context(), indexes)
	if err != nil || !equal(got, want) {
		t.Errorf("the trees differ: %v", err)
	}
	got1, err := ours.Rows(t.Context(), 250, 260)
	want1, _ := theirs.Rows(t.Context(), 250, 260)
	if err != nil || !equal(got1, want1) {
		t.Errorf("got %v, %v; want %v", got1, err, want1)
	}
	got2, err := ours.Placed(t.Context(), []uint64{7, 8, 256_007})
	if err != nil || len(got2) != 2 || got2[0].Leaf+got2[1].Leaf != 256 {
		t.Errorf("got %v, %v", got2, err)
	}
	if tail, found, err := ours.Tail(t.Context()); !found || err != nil || tail.Leaf != f.Size()-1 {
		t.Errorf("tail %v, %v", tail, err)
	}
}

func equal[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestOfManyFollowersOneExtends(t *testing.T) {
	url := pgtest.New(t)
	nodes := []*postgres.Table{openedTable(t, postgres.TableOptions{URL: url}), openedTable(t, postgres.TableOptions{URL: url})}
	if nodes[0].ID() != nodes[1].ID() {
		t.Errorf("ids %s and %s", nodes[0].ID(), nodes[1].ID())
	}
	var f ledger.Frontier
	for range 5 {
		rows, _ := leaves(&f, 3)
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				switch err := nodes[i%2].Extend(t.Context(), rows, nil); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, ledger.ErrDeposed):
					t.Errorf("racer %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d winners", won.Load())
		}
	}
}

func TestWhatDoesNotFollowIsNoRow(t *testing.T) {
	table := openedTable(t, postgres.TableOptions{URL: pgtest.New(t)})
	var f ledger.Frontier
	first, _ := leaves(&f, 2)
	if err := table.Extend(t.Context(), first, nil); err != nil {
		t.Fatal(err)
	}
	next, _ := leaves(&f, 2)
	for name, change := range map[string]func([]ledger.Row){
		"a gap between rows":      func(r []ledger.Row) { r[1].Leaf++ },
		"a place before the last": func(r []ledger.Row) { r[0].Place = 1 },
		"a place twice":           func(r []ledger.Row) { r[1].Place = r[0].Place },
		"a time before the last":  func(r []ledger.Row) { r[0].Recorded = noon.Add(-1) },
		"a leaf that is there":    func(r []ledger.Row) { r[0].Leaf--; r[1].Leaf-- },
		"a leaf after the next":   func(r []ledger.Row) { r[0].Leaf++; r[1].Leaf++ },
	} {
		rows := []ledger.Row{next[0], next[1]}
		change(rows)
		if err := table.Extend(t.Context(), rows, nil); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if err := table.Extend(t.Context(), next, nil); err != nil {
		t.Error(err)
	}
}

func TestTheLogOfATable(t *testing.T) {
	url, id := pgtest.New(t), uuid.New()
	if _, err := postgres.OpenTable(t.Context(), postgres.TableOptions{URL: url, ReadOnly: true}); err == nil {
		t.Error("a table that is not there was opened for reading")
	}
	openedTable(t, postgres.TableOptions{URL: url, ID: id})
	if got := openedTable(t, postgres.TableOptions{URL: url, ReadOnly: true}).ID(); got != id {
		t.Errorf("is of %s, want %s", got, id)
	}
	if _, err := postgres.OpenTable(t.Context(), postgres.TableOptions{URL: url, ID: uuid.New()}); err == nil {
		t.Error("the table of another log was opened")
	}
}

// Both engines' claims are the same code.
func TestClaims(t *testing.T) {
	url := pgtest.New(t)
	a, b := openedTable(t, postgres.TableOptions{URL: url}), openedTable(t, postgres.TableOptions{URL: url})
	none, err := a.Claimed(t.Context())
	if err != nil || none != (ledger.Claim{}) {
		t.Errorf("first claim %v, %v", none, err)
	}
	one, two, other := ledger.Claim{Epoch: 1, Size: 5, Root: tlog.Hash{1}}, ledger.Claim{Epoch: 1, Size: 9, Root: tlog.Hash{2}}, ledger.Claim{Epoch: 1, Size: 9, Root: tlog.Hash{3}}
	for _, step := range []struct {
		name     string
		node     *postgres.Table
		from, to ledger.Claim
		want     error
	}{
		{"the first", a, none, one, nil},
		{"who does not know of it is deposed", b, none, two, ledger.ErrDeposed},
		{"who knows of it goes on", b, one, two, nil},
		{"who is as far, with another root, is deposed", a, one, other, ledger.ErrDeposed},
		{"whose claim it is already has it", a, one, two, nil},
	} {
		if err := step.node.Claim(t.Context(), step.from, step.to); !errors.Is(err, step.want) {
			t.Errorf("%s: got %v, want %v", step.name, err, step.want)
		}
	}
	if last, err := a.Claimed(t.Context()); last != two || err != nil {
		t.Errorf("last claim %v, %v", last, err)
	}
}
