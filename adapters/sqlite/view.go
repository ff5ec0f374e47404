package sqlite

import (
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/admission"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"
)

// view is the log as [admission.Decide] asks about it: inside the
// transaction, so that it sees what the batch has written so far.
type view struct{ *transaction }

func (t *transaction) view() admission.View {
	if t.sids == nil {
		t.sids = map[eventstore.Stream]int64{}
	}
	return view{t}
}

// sid is 0 for a stream that does not exist.
func (t *transaction) sid(s eventstore.Stream) (sid int64, err error) {
	if sid, known := t.sids[s]; known {
		return sid, nil
	}
	err = t.one("SELECT sid FROM stream WHERE name = ?",
		func(q *sqlite.Stmt) { q.BindText(1, string(s)) },
		func(q *sqlite.Stmt) { sid = q.ColumnInt64(0) })
	if err == nil {
		t.sids[s] = sid
	}
	return sid, err
}

func (v view) Last(s eventstore.Stream) (eventstore.Revision, error) {
	last := eventstore.NoRevision
	sid, err := v.sid(s)
	if err != nil || sid == 0 {
		return last, err
	}
	err = v.one("SELECT max(revision) FROM event WHERE sid = ?",
		func(q *sqlite.Stmt) { q.BindInt64(1, sid) },
		func(q *sqlite.Stmt) { last = eventstore.Revision(q.ColumnInt64(0)) })
	return last, err
}

func (v view) Written(s eventstore.Stream, r eventstore.Revision) (id uuid.UUID, receipt eventstore.Receipt, err error) {
	sid, err := v.sid(s)
	if err != nil {
		return id, receipt, err
	}
	err = v.one("SELECT id, position FROM event WHERE sid = ? AND revision = ?",
		func(q *sqlite.Stmt) { q.BindInt64(1, sid); q.BindInt64(2, int64(r)) },
		func(q *sqlite.Stmt) {
			q.ColumnBytes(0, id[:])
			receipt = eventstore.Receipt{Revision: r, Position: eventstore.Position(q.ColumnInt64(1)), Leaf: q.ColumnInt64(1) - 1}
		})
	return id, receipt, err
}

func (v view) Recent(s eventstore.Stream, id uuid.UUID) (receipt eventstore.Receipt, found bool, err error) {
	position, known := v.lately(id)
	sid, err := v.sid(s)
	if err != nil || !known {
		return receipt, false, err
	}
	err = v.one("SELECT revision FROM event WHERE position = ? AND sid = ?",
		func(q *sqlite.Stmt) { q.BindInt64(1, int64(position)); q.BindInt64(2, sid) },
		func(q *sqlite.Stmt) {
			found = true
			receipt = eventstore.Receipt{Revision: eventstore.Revision(q.ColumnInt64(0)), Position: position, Leaf: int64(position) - 1}
		})
	return receipt, found, err
}

// lately finds an event of this batch, or a recent one.
func (v view) lately(id uuid.UUID) (eventstore.Position, bool) {
	for _, e := range v.events {
		if e.ID == id {
			return e.Position, true
		}
	}
	return v.recent.find(id)
}

func (v view) Used(key [32]byte) (used bool, err error) {
	err = v.one("SELECT expires FROM once WHERE key = ?",
		func(q *sqlite.Stmt) { q.BindBytes(1, key[:]) },
		func(q *sqlite.Stmt) { used = v.clock.UnixNano() < q.ColumnInt64(0) })
	return used, err
}

// one runs a cached query that returns at most one row.
func (w *writer) one(sql string, bind, row func(*sqlite.Stmt)) error {
	q, err := w.conn.Prepare(sql)
	if err != nil {
		return err
	}
	bind(q)
	there, err := q.Step()
	if err != nil {
		return err
	}
	if there {
		row(q)
	}
	return q.Reset()
}

// recentEvents is how far back an append without a demanded revision is
// known again: far more than can be in doubt at any moment.
const recentEvents = 8192

// recent remembers the ids of the last events.
type recent struct {
	at   map[uuid.UUID]eventstore.Position
	ring []uuid.UUID
	next int
}

func (r *recent) add(id uuid.UUID, p eventstore.Position) {
	if r.at == nil {
		r.at = make(map[uuid.UUID]eventstore.Position, recentEvents)
		r.ring = make([]uuid.UUID, recentEvents)
	}
	delete(r.at, r.ring[r.next])
	r.at[id], r.ring[r.next] = p, id
	r.next = (r.next + 1) % recentEvents
}

func (r *recent) find(id uuid.UUID) (eventstore.Position, bool) {
	p, known := r.at[id]
	return p, known
}
