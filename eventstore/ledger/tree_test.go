package ledger_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// The trees that Certificate Transparency implementations test with.
var (
	knownLeaves = []string{
		"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
	}
	knownRoots = []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", // SHA-256("")
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
)

func TestFrontierOfKnownTrees(t *testing.T) {
	var f ledger.Frontier
	for n, want := range knownRoots {
		root := f.Root()
		if got := hex.EncodeToString(root[:]); got != want || f.Size() != int64(n) {
			t.Errorf("root of %d leaves: got %s, want %s", n, got, want)
		}
		if n == len(knownLeaves) {
			break
		}
		leaf, _ := hex.DecodeString(knownLeaves[n])
		f.Append(ledger.LeafHash(leaf), func(int, int64, tlog.Hash) {})
	}
}

func TestFrontierReportsEveryStoredNode(t *testing.T) {
	var f ledger.Frontier
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for n := range int64(600) {
		leaf := ledger.LeafHash(fmt.Append(nil, n))
		want, _ := tlog.StoredHashesForRecordHash(n, leaf, read)
		var got []tlog.Hash
		f.Append(leaf, func(level int, m int64, h tlog.Hash) {
			if tlog.StoredHashIndex(level, m) != int64(len(stored)+len(got)) {
				t.Fatalf("leaf %d: node %d at level %d out of turn", n, m, level)
			}
			got = append(got, h)
		})
		if !slices.Equal(got, want) {
			t.Fatalf("leaf %d completes other nodes", n)
		}
		stored = append(stored, want...)
	}
}

// grown returns a log with n events.
func grown(t testing.TB, n int) *memory.Log {
	t.Helper()
	log := memory.New(func() time.Time { return time.Unix(1e9, 0) })
	grow(t, log, n)
	return log
}

func grow(t testing.TB, log eventstore.Log, n int) {
	t.Helper()
	for i := 0; i < n; i += 100 {
		a := eventstore.Append{Stream: "test-1", Expect: eventstore.Unchecked()}
		for k := i; k < min(i+100, n); k++ {
			a.Events = append(a.Events, eventstore.Proposed{ID: uuid.New(), Type: "t", Version: 1, Data: fmt.Append(nil, k)})
		}
		if _, err := log.Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
}

// sizes are the small ones and where trees change shape, and some at random.
func sizes(most int64) []int64 {
	all := []int64{0, 1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 4095, 4096, 4097, most - 1, most}
	for range 40 {
		all = append(all, rand.Int64N(most+1))
	}
	return all
}

func TestInclusionAtAnySize(t *testing.T) {
	ctx, log := t.Context(), grown(t, 10000)
	for _, size := range sizes(10000) {
		root, err := ledger.Root(ctx, log, size)
		if err != nil {
			t.Fatal(err)
		}
		for range min(size, 5) {
			index := rand.Int64N(size)
			proof, err := ledger.Inclusion(ctx, log, index, size)
			if err != nil {
				t.Fatal(err)
			}
			leaf := leafHash(t, log, index)
			if err := tlog.CheckRecord(proof, size, root, index, leaf); err != nil {
				t.Fatalf("leaf %d of %d: %v", index, size, err)
			}
			flipEach(proof, func(what string) {
				if tlog.CheckRecord(proof, size, root, index, leaf) == nil {
					t.Errorf("leaf %d of %d is proved with a flipped bit in %s", index, size, what)
				}
			})
			if tlog.CheckRecord(proof, size, root, index, flipped(leaf)) == nil || tlog.CheckRecord(proof, size, flipped(root), index, leaf) == nil {
				t.Errorf("leaf %d of %d is proved with a flipped bit in leaf or root", index, size)
			}
		}
	}
}

func TestConsistencyOfAnyTwoSizes(t *testing.T) {
	ctx, log := t.Context(), grown(t, 10000)
	for _, to := range sizes(10000) {
		toRoot, err := ledger.Root(ctx, log, to)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			from := rand.Int64N(to + 1)
			fromRoot, err := ledger.Root(ctx, log, from)
			if err != nil {
				t.Fatal(err)
			}
			proof, err := ledger.Consistency(ctx, log, from, to)
			if err != nil {
				t.Fatal(err)
			}
			if err := ledger.CheckConsistency(proof, from, fromRoot, to, toRoot); err != nil {
				t.Fatalf("%d to %d: %v", from, to, err)
			}
			flipEach(proof, func(what string) {
				if ledger.CheckConsistency(proof, from, fromRoot, to, toRoot) == nil {
					t.Errorf("%d to %d holds with a flipped bit in %s", from, to, what)
				}
			})
			if ledger.CheckConsistency(proof, from, flipped(fromRoot), to, toRoot) == nil {
				t.Errorf("%d to %d holds with another old root", from, to)
			}
			if from > 0 && ledger.CheckConsistency(proof, from, fromRoot, to, flipped(toRoot)) == nil {
				t.Errorf("%d to %d holds with another new root", from, to)
			}
		}
	}
}

func leafHash(t *testing.T, log *memory.Log, index int64) tlog.Hash {
	t.Helper()
	for leaf, err := range log.Leaves(t.Context(), index, index+1) {
		if err != nil {
			t.Fatal(err)
		}
		return leaf.Hash
	}
	t.Fatalf("no leaf %d", index)
	return tlog.Hash{}
}

// flipEach calls f with one random bit of each hash flipped, one at a time.
func flipEach(proof []tlog.Hash, f func(what string)) {
	for i := range proof {
		whole := proof[i]
		proof[i] = flipped(whole)
		f(fmt.Sprintf("hash %d", i))
		proof[i] = whole
	}
}

func flipped(h tlog.Hash) tlog.Hash {
	bit := rand.IntN(256)
	h[bit/8] ^= 1 << (bit % 8)
	return h
}

func TestProofsBeyondTheTreeAreRefused(t *testing.T) {
	ctx, log := t.Context(), grown(t, 10)
	_, root := ledger.Root(ctx, log, 11)
	_, inclusion := ledger.Inclusion(ctx, log, 3, 11)
	_, outside := ledger.Inclusion(ctx, log, 5, 5)
	_, consistency := ledger.Consistency(ctx, log, 3, 11)
	_, backwards := ledger.Consistency(ctx, log, 6, 5)
	for i, err := range []error{root, inclusion, outside, consistency, backwards} {
		if err == nil {
			t.Errorf("question %d has an answer", i)
		}
	}
}
