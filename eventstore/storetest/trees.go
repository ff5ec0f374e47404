package storetest

import (
	"crypto/sha256"
	"math/bits"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"golang.org/x/mod/sumdb/tlog"
)

type source = ledger.Source

// rootOf computes the root of a tree as RFC 6962, Section 2.1, defines it,
// without the library that the engines use.
func rootOf(leaves [][]byte) [32]byte {
	switch n := len(leaves); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	default:
		k := 1 << (bits.Len(uint(n-1)) - 1)
		left, right := rootOf(leaves[:k]), rootOf(leaves[k:])
		return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
	}
}

// records returns the canonical record of every event in the log.
func (f *fixture) records() (records [][]byte) {
	f.Helper()
	f.settle()
	for _, e := range f.all(0, eventstore.Filter{}) {
		records = append(records, ledger.Record(f.ID(), e))
	}
	return records
}

// rooted demands that the tree of a size has the root that its events give.
func (f *fixture) rooted(records [][]byte, size int) {
	f.Helper()
	got, err := ledger.Root(f.Context(), f.Log.(source), int64(size))
	if want := rootOf(records[:size]); err != nil || got != want {
		f.Fatalf("root of %d: got %v, %v; want %v", size, got, err, tlog.Hash(want))
	}
}

var treeTests = []test{
	{name: "every event is a leaf, numbered in commit order", tree: true, run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), facts(3)...), add("test-2", eventstore.Absent(), facts(2)...))
		f.settle()
		for i, e := range f.all(0, eventstore.Filter{}) {
			if e.Leaf != int64(i) {
				f.Errorf("event %d is leaf %d", i, e.Leaf)
			}
		}
		if size, err := f.Log.(source).Size(f.Context()); size != 5 || err != nil {
			f.Errorf("size %d, %v", size, err)
		}
	}},
	{name: "the root is that of RFC 6962 at every size", tree: true, run: func(f *fixture) {
		f.rooted(nil, 0)
		for range 40 {
			f.must(add("test-1", eventstore.Unchecked(), facts(20)...))
		}
		records := f.records()
		for size := range len(records) + 1 {
			f.rooted(records, size)
		}
	}},
	{name: "it goes on after reopening, wherever the tree was", tree: true, reopens: true, run: func(f *fixture) {
		for _, n := range []int{1, 2, 4, 248, 1, 1, 254, 1, 10} {
			f.must(add("test-1", eventstore.Unchecked(), facts(n)...))
			f.settle()
			f.Log = f.reopen()
		}
		records := f.records()
		for _, size := range []int{0, 1, 7, 255, 256, 257, 511, 512, len(records)} {
			f.rooted(records, size)
		}
	}},
	{name: "every leaf is proved and every proof holds", tree: true, run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), facts(300)...))
		f.settle()
		s := f.Log.(source)
		root, err := ledger.Root(f.Context(), s, 300)
		if err != nil {
			f.Fatal(err)
		}
		for i, record := range f.records() {
			proof, err := ledger.Inclusion(f.Context(), s, int64(i), 300)
			if err == nil {
				err = tlog.CheckRecord(proof, 300, root, int64(i), ledger.LeafHash(record))
			}
			if err != nil {
				f.Fatalf("leaf %d: %v", i, err)
			}
		}
	}},
	{name: "leaves come with their stored hashes", tree: true, run: func(f *fixture) {
		f.must(add("test-1", eventstore.Absent(), facts(300)...))
		f.settle()
		next := int64(10)
		for leaf, err := range f.Log.(source).Leaves(f.Context(), 10, 290) {
			if err != nil {
				f.Fatal(err)
			}
			if leaf.Leaf != next || leaf.Hash != ledger.LeafHash(ledger.Record(f.ID(), leaf.Event)) {
				f.Fatalf("leaf %d has number %d, hash %v", next, leaf.Leaf, leaf.Hash)
			}
			next++
		}
		if next != 290 {
			f.Errorf("ended before %d", next)
		}
	}},
	{name: "checkpoints are kept", tree: true, run: func(f *fixture) {
		vault, ok := f.Log.(ledger.Vault)
		if !ok {
			return
		}
		for _, size := range []int64{3, 5, 9} {
			if err := vault.KeepCheckpoint(f.Context(), 1, size, []byte{byte(size)}); err != nil {
				f.Fatal(err)
			}
		}
		if f.reopen != nil {
			f.Log = f.reopen()
			vault = f.Log.(ledger.Vault)
		}
		var got []byte
		for note, err := range vault.Checkpoints(f.Context()) {
			if err != nil {
				f.Fatal(err)
			}
			got = append(got, note...)
		}
		if string(got) != "\x03\x05\x09" {
			f.Errorf("got %v", got)
		}
	}},
}
