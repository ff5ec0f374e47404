package ledger_test

import (
	"context"
	"iter"

	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/eventstore/memory"

	"golang.org/x/mod/sumdb/tlog"
)

// doctored is a log that somebody has laid hands on.
type doctored struct {
	*memory.Log
	size  int64                   // an older copy, if not 0
	leaf  func(*ledger.Leaf) bool // false: the leaf is gone
	node  map[int64]tlog.Hash     // other nodes
	notes func([][]byte) [][]byte // other checkpoints
}

func (d *doctored) Size(ctx context.Context) (int64, error) {
	if d.size > 0 {
		return d.size, nil
	}
	return d.Log.Size(ctx)
}

func (d *doctored) Leaves(ctx context.Context, from, to int64) iter.Seq2[ledger.Leaf, error] {
	return func(yield func(ledger.Leaf, error) bool) {
		for l, err := range d.Log.Leaves(ctx, from, to) {
			if d.leaf != nil && !d.leaf(&l) {
				continue
			}
			if !yield(l, err) {
				return
			}
		}
	}
}

func (d *doctored) Hashes(ctx context.Context, indexes []int64) ([]tlog.Hash, error) {
	hashes, err := d.Log.Hashes(ctx, indexes)
	for i, index := range indexes {
		if h, other := d.node[index]; other && err == nil {
			hashes[i] = h
		}
	}
	return hashes, err
}

func (d *doctored) Checkpoints(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, n := range d.all(ctx) {
			if !yield(n, nil) {
				return
			}
		}
	}
}

func (d *doctored) NewestCheckpoint(ctx context.Context) ([]byte, error) {
	all := d.all(ctx)
	if len(all) == 0 {
		return nil, nil
	}
	return all[len(all)-1], nil
}

func (d *doctored) all(ctx context.Context) (all [][]byte) {
	for n := range d.Log.Checkpoints(ctx) {
		all = append(all, n)
	}
	if d.notes != nil {
		all = d.notes(all)
	}
	return all
}
