package sqlite

import (
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/admission"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"golang.org/x/mod/sumdb/tlog"
	"zombiezen.com/go/sqlite"
)

// commit writes a batch in one transaction. A request that is refused does
// not touch its neighbours: it has written nothing when that is known.
func (w *writer) commit(batch []*request) {
	events, err := w.write(batch)
	if err != nil {
		w.halt(err)
		refuse(batch, w.unknown(err))
		return
	}
	if len(events) > 0 {
		w.log.head.Store(uint64(events[len(events)-1].Position)) // whoever is told may ask for it
		w.log.observers.tell(events)
		w.log.grown.wake()
	}
	for _, r := range batch {
		r.Answer()
	}
}

// errCommit marks a failure from which on the outcome is unknown.
var errCommit = errors.New("commit")

func (w *writer) unknown(err error) error {
	if errors.Is(err, errCommit) {
		return fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, err)
	}
	return w.halted // nothing was written
}

func (w *writer) write(batch []*request) (events []eventstore.Event, err error) {
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	t := transaction{writer: w, now: w.time(), clock: w.log.now()}
	for _, r := range batch {
		r.Receipts, r.Err = nil, nil
		if r.history != nil {
			if r.Err, err = t.adopt(r.history); err != nil {
				return nil, err
			}
			continue
		}
		steps, err := admission.Decide(t.view(), r.appends)
		switch {
		case errors.Is(err, eventstore.ErrConflict), errors.Is(err, eventstore.ErrReplay):
			r.Err = err
		case err != nil:
			return nil, err
		default:
			if r.Receipts, err = t.write(r.appends, steps); err != nil {
				return nil, err
			}
		}
	}
	if len(t.events) == 0 && t.keys == 0 {
		return nil, w.exec("ROLLBACK")
	}
	if err := t.finish(); err != nil {
		return nil, err
	}
	if err := w.exec("COMMIT"); err != nil {
		return nil, fmt.Errorf("%w: %w", errCommit, err)
	}
	w.last = t.now
	for _, e := range t.events {
		w.recent.add(e.ID, e.Position)
	}
	return t.events, nil
}

// time is never earlier than that of the last event.
func (w *writer) time() time.Time {
	if now := time.Unix(0, w.log.now().UnixNano()).UTC(); now.After(w.last) {
		return now
	}
	return w.last
}

// A transaction is a batch on its way into the file.
type transaction struct {
	*writer
	now    time.Time // recorded
	clock  time.Time // earlier than now if the clock was set back: replay keys expire by it
	events []eventstore.Event
	nodes  []node
	keys   int
	sids   map[eventstore.Stream]int64 // of streams that this batch has looked up
}

// A node is the root of a complete subtree.
type node struct {
	level int
	n     int64
	hash  tlog.Hash
}

func (t *transaction) write(appends []eventstore.Append, steps []admission.Step) ([]eventstore.Receipt, error) {
	receipts := make([]eventstore.Receipt, len(steps))
	for i, step := range steps {
		receipts[i] = step.Receipt
		if !step.Write {
			continue
		}
		a := &appends[i]
		for _, o := range a.Once {
			if err := t.use(o); err != nil {
				return nil, err
			}
		}
		if len(a.Events) == 0 {
			continue
		}
		var err error
		if receipts[i], err = t.add(a, step.Last); err != nil {
			return nil, err
		}
	}
	return receipts, nil
}

func (t *transaction) add(a *eventstore.Append, last eventstore.Revision) (r eventstore.Receipt, err error) {
	sid, err := t.sid(a.Stream)
	if err != nil {
		return r, err
	}
	if sid == 0 {
		if sid, err = t.open(a.Stream); err != nil {
			return r, err
		}
	}
	for i, p := range a.Events {
		e := eventstore.Event{
			Proposed: p,
			Stream:   a.Stream,
			Revision: last + 1 + eventstore.Revision(i),
			Position: eventstore.Position(t.tree.Size() + 1),
			Leaf:     t.tree.Size(),
			Recorded: t.now,
		}
		if err := t.insert(sid, e); err != nil {
			return r, err
		}
		t.events = append(t.events, e)
		r = eventstore.Receipt{Revision: e.Revision, Position: e.Position, Leaf: e.Leaf}
	}
	return r, nil
}

// open names a new stream.
func (t *transaction) open(s eventstore.Stream) (sid int64, err error) {
	sid = t.tree.Size() + 1
	t.sids[s] = sid
	return sid, run(t.conn, "INSERT INTO stream(sid, name) VALUES (?, ?)", func(q *sqlite.Stmt) {
		q.BindInt64(1, sid)
		q.BindText(2, string(s))
	})
}

func (t *transaction) insert(sid int64, e eventstore.Event) error {
	t.record = ledger.AppendRecord(t.record[:0], t.log.id, e)
	leaf := ledger.LeafHash(t.record)
	t.tree.Append(leaf, func(level int, n int64, h tlog.Hash) {
		if level > 0 && level%8 == 0 {
			t.nodes = append(t.nodes, node{level / 8, n, h})
		}
	})
	return run(t.conn, "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", func(q *sqlite.Stmt) {
		q.BindInt64(1, int64(e.Position))
		q.BindInt64(2, sid)
		q.BindInt64(3, int64(e.Revision))
		q.BindBytes(4, e.ID[:])
		q.BindText(5, e.Type)
		q.BindInt64(6, int64(e.Version))
		q.BindInt64(7, e.Recorded.UnixNano())
		q.BindBytes(8, leaf[:])
		q.BindBytes(9, e.Meta)
		q.BindBytes(10, e.Data)
	})
}

func (t *transaction) use(o eventstore.Once) error {
	t.keys++
	return run(t.conn, "INSERT OR REPLACE INTO once(key, expires) VALUES (?, ?)", func(q *sqlite.Stmt) {
		q.BindBytes(1, o.Key[:])
		q.BindInt64(2, o.Expires.UnixNano())
	})
}

// finish adds the nodes that were completed, and forgets twice as many
// expired keys as were added, so that they never pile up.
func (t *transaction) finish() error {
	for _, n := range t.nodes {
		err := run(t.conn, "INSERT INTO node(level, n, hash) VALUES (?, ?, ?)", func(q *sqlite.Stmt) {
			q.BindInt64(1, int64(n.level))
			q.BindInt64(2, n.n)
			q.BindBytes(3, n.hash[:])
		})
		if err != nil {
			return err
		}
	}
	if t.keys == 0 {
		return nil
	}
	const sweep = "DELETE FROM once WHERE key IN (SELECT key FROM once WHERE expires <= ? LIMIT ?)"
	return run(t.conn, sweep, func(q *sqlite.Stmt) {
		q.BindInt64(1, t.clock.UnixNano())
		q.BindInt64(2, int64(2*t.keys))
	})
}

// run executes a cached statement that returns no rows.
func run(c *sqlite.Conn, sql string, bind func(*sqlite.Stmt)) error {
	q, err := c.Prepare(sql)
	if err != nil {
		return err
	}
	bind(q)
	_, err = q.Step()
	return errors.Join(err, q.Reset())
}
