package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// maxRows is how many leaves are added to the table at once.
const maxRows = 1000

// Follow adds leaves to the table as events come, until ctx ends. One node at
// a time does so, but two do no harm: the one that is late stands aside for a
// moment. Follow also ends with [eventstore.ErrClosed], and with
// [ledger.RollbackError] or [ledger.AlteredError] if the server has not the
// events any more that were numbered. It goes on after every other failure.
func (l *Log) Follow(ctx context.Context) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		extended := false
		err := l.extend(ctx, func() { extended = true })
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case ends(err):
			return err
		case errors.Is(err, ledger.ErrDeposed):
			l.log.Debug("somebody else numbers")
			sleep(ctx, aside/2+rand.N(aside/2))
			continue
		case extended:
			pause = firstPause
		}
		l.log.Warn("numbering pauses", "after", err)
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
	}
}

// aside is how long one that follows leaves the table to another.
const aside = time.Second

func ends(err error) bool {
	altered, rollback := (*ledger.AlteredError)(nil), (*ledger.RollbackError)(nil)
	return errors.Is(err, eventstore.ErrClosed) || errors.Is(err, eventstore.ErrHalted) ||
		errors.As(err, &altered) || errors.As(err, &rollback)
}

// extend adds leaves from where the table ends now. It reports each time that
// it did.
func (l *Log) extend(ctx context.Context, extended func()) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	n, tail, err := ledger.Resume(ctx, l.id, l.table)
	if err != nil {
		return err
	}
	if n.Size() > 0 {
		if err := l.agree(ctx, tail); err != nil {
			return err
		}
	}
	for {
		head, err := l.more(ctx, eventstore.Position(n.Size()))
		if err == nil {
			err = l.extendTo(ctx, n, head, extended)
		}
		if err != nil {
			return err
		}
	}
}

// agree demands that the table ends where this node has that leaf too. The
// leaves before it were compared when the log was opened.
func (l *Log) agree(ctx context.Context, tail ledger.Row) error {
	if missing, err := l.missing(ctx, tail); err != nil || missing {
		if err == nil {
			err = l.rolledBack(ctx, tail.Leaf+1)
		}
		return err
	}
	if _, err := l.more(ctx, eventstore.Position(tail.Leaf)); err != nil {
		return err
	}
	if r, found := l.index.at(tail.Leaf); found && r != (row{tail.Place, tail.Recorded.UnixNano()}) {
		return &ledger.AlteredError{Position: eventstore.Position(tail.Leaf + 1), What: "the table ends with another event than this node has there"}
	}
	return nil
}

// extendTo adds the leaves up to head.
func (l *Log) extendTo(ctx context.Context, n *ledger.Numberer, head eventstore.Position, extended func()) error {
	var failure error
	err := l.span(ctx, eventstore.Position(n.Size()), head, func(events []placed) bool {
		for len(events) > 0 && failure == nil {
			some := events[:min(maxRows, len(events))]
			events = events[len(some):]
			if failure = l.tabulate(ctx, n, some); failure == nil {
				extended()
			}
		}
		return failure == nil
	})
	if failure != nil {
		return failure
	}
	return err
}

// tabulate adds a leaf for each event.
func (l *Log) tabulate(ctx context.Context, n *ledger.Numberer, events []placed) error {
	rows := make([]ledger.Row, len(events))
	var nodes []ledger.Node
	for i, e := range events {
		again := e.Event
		row, completed := n.Number(&again, e.place)
		if again.Position != e.Position || !again.Recorded.Equal(e.Recorded) {
			return &ledger.AlteredError{Position: again.Position, What: fmt.Sprintf("the table goes on at %d, this node at %d", again.Position, e.Position)}
		}
		rows[i], nodes = row, append(nodes, completed...)
	}
	return l.table.Extend(ctx, rows, nodes)
}
