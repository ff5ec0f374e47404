package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/eventstore"

	"golang.org/x/mod/sumdb/tlog"
)

// A walk goes through all leaves once, in order.
type walk struct {
	Audit
	ctx         context.Context
	size        int64
	checkpoints []place // still ahead
	report      *Report

	tree    Frontier
	last    Leaf
	streams streams
	record  []byte
	trusted int64 // leaves that the last checkpoint has confirmed
	failure error
}

const progressEvery = 1024

func (w *walk) run() error {
	if err := w.compare(); err != nil {
		return err
	}
	for leaf, err := range w.Log.Leaves(w.ctx, 0, w.size) {
		if err != nil {
			return w.unreadable(err)
		}
		if err := w.leaf(leaf); err != nil {
			return err
		}
		if w.Progress != nil && w.tree.Size()%progressEvery == 0 {
			if err := w.Progress(w.tree.Size(), w.size); err != nil {
				return err
			}
		}
	}
	return w.end()
}

// unreadable gives a finding of the engine the position where it was made.
func (w *walk) unreadable(err error) error {
	if altered := (*AlteredError)(nil); errors.As(err, &altered) {
		return &AlteredError{Position: w.last.Position + 1, What: altered.What, Err: altered.Err}
	}
	return err
}

func (w *walk) leaf(leaf Leaf) error {
	index := w.tree.Size()
	w.record = AppendRecord(w.record[:0], w.Log.ID(), leaf.Event)
	switch {
	case leaf.Leaf != index:
		return &AlteredError{Position: w.last.Position + 1, What: "event is missing"}
	case LeafHash(w.record) != leaf.Hash:
		return &AlteredError{Position: leaf.Position, What: fmt.Sprintf("event %d of %s does not match its leaf hash", leaf.Revision, leaf.Stream)}
	case leaf.Recorded.Before(w.last.Recorded):
		return &AlteredError{Position: leaf.Position, What: "recorded before the event before it"}
	}
	if err := w.streams.follow(w.ctx, w.Log, leaf.Event); err != nil {
		return err
	}
	w.last = leaf
	w.tree.Append(leaf.Hash, w.node)
	if w.failure != nil {
		return w.failure
	}
	return w.compare()
}

// node compares a subtree with what is stored; smaller ones are part of it.
func (w *walk) node(level int, n int64, h tlog.Hash) {
	if level == 0 || level%8 != 0 || w.failure != nil {
		return
	}
	stored, err := w.Log.Hashes(w.ctx, []int64{tlog.StoredHashIndex(level, n)})
	if err != nil {
		w.failure = w.unreadable(err)
	} else if stored[0] != h {
		w.failure = &AlteredError{Position: w.last.Position, What: fmt.Sprintf("node %d at level %d of the tree, which this event completes", n, level)}
	}
}

// compare checks the checkpoints of the size that was reached.
func (w *walk) compare() error {
	for len(w.checkpoints) > 0 && w.checkpoints[0].Size == w.tree.Size() {
		c := w.checkpoints[0]
		w.checkpoints = w.checkpoints[1:]
		switch root := w.tree.Root(); {
		case root == c.Root:
			w.report.Checkpoints++
			w.trusted = c.Size
			if c.Epoch == w.report.Epoch {
				w.report.Covered = c.Size
			}
		case c.Epoch < w.report.Epoch:
			w.report.Superseded++
		default:
			return &AlteredError{Position: eventstore.Position(w.trusted + 1), What: fmt.Sprintf("the events from here to %d are not those of %s", c.Size, c.where)}
		}
	}
	return nil
}

func (w *walk) end() error {
	for _, c := range w.checkpoints { // larger than the log
		if c.Epoch == w.report.Epoch {
			return &AlteredError{Position: w.last.Position + 1, What: fmt.Sprintf("the log ends here, %s has %d events", c.where, c.Size)}
		}
		w.report.Superseded++
	}
	if w.tree.Size() != w.size {
		return &AlteredError{Position: w.last.Position + 1, What: "event is missing"}
	}
	w.report.Events, w.report.Streams, w.report.Root = w.size, w.streams.count(), w.tree.Root()
	stored, err := Root(w.ctx, w.Log, w.size)
	if err != nil {
		return w.unreadable(err)
	}
	if stored != w.report.Root {
		return &AlteredError{Position: w.last.Position, What: "right edge of the tree"}
	}
	return nil
}
