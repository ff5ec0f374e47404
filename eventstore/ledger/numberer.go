package ledger

import (
	"context"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// A Numberer gives events their numbers on an engine that has none: fed with
// the same events in the same order it always gives the same ones. The
// follower of an engine hands what it returns to [Table.Extend]; other nodes
// may number what lies beyond the table, for themselves. Numberers that start
// from one table agree with each other.
type Numberer struct {
	log    uuid.UUID
	tree   *Frontier
	last   time.Time
	record []byte
}

// Resume returns a Numberer that goes on after the last row of a table, which
// it returns too: the zero Row, whose Place is 0, if there is none.
func Resume(ctx context.Context, log uuid.UUID, t Table) (*Numberer, Row, error) {
	tail, found, err := t.Tail(ctx)
	if err != nil || !found {
		return &Numberer{log: log, tree: &Frontier{}}, Row{}, err
	}
	tree, err := ReadFrontier(ctx, t, tail.Leaf+1)
	return &Numberer{log: log, tree: tree, last: tail.Recorded}, tail, err
}

// Size is how many events have numbers.
func (n *Numberer) Size() int64 { return n.tree.Size() }

// Number gives e the next leaf and position, and a recorded time that is not
// earlier than that of the event before. It returns the row of e, which is at
// place in the engine, and what e completes of the nodes that a [Table] keeps.
func (n *Numberer) Number(e *eventstore.Event, place uint64) (row Row, completed []Node) {
	e.Leaf = n.tree.Size()
	e.Position = eventstore.Position(e.Leaf + 1)
	if e.Recorded.Before(n.last) {
		e.Recorded = n.last
	}
	n.last = e.Recorded
	n.record = AppendRecord(n.record[:0], n.log, *e)
	hash := LeafHash(n.record)
	n.tree.Append(hash, func(level int, at int64, h tlog.Hash) {
		if level > 0 && level%8 == 0 {
			completed = append(completed, Node{level, at, h})
		}
	})
	return Row{Leaf: e.Leaf, Place: place, Recorded: e.Recorded, Hash: hash}, completed
}
