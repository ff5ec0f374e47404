package postgres

import (
	"context"
	"errors"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/admission"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"
)

// A sight is what the decisions of a batch can ask for, looked up at once
// under the lock and kept up with what the batch itself writes.
type sight struct {
	size     int64
	recorded int64
	edge     []tlog.Hash
	clock    int64 // by which replay keys expire

	streams map[eventstore.Stream]stream
	written map[place]known
	recent  map[mark]eventstore.Receipt
	used    map[[32]byte]int64 // when they expire
}

type (
	stream struct {
		sid  int64 // 0 if it does not exist
		last eventstore.Revision
	}
	place struct {
		stream   eventstore.Stream
		revision eventstore.Revision
	}
	known struct {
		id      uuid.UUID
		receipt eventstore.Receipt
	}
	mark struct {
		stream eventstore.Stream
		id     uuid.UUID
	}
)

var _ admission.View = (*sight)(nil)

func (s *sight) Last(name eventstore.Stream) (eventstore.Revision, error) {
	if found, there := s.streams[name]; there {
		return found.last, nil
	}
	return eventstore.NoRevision, nil
}

var errNotLookedUp = errors.New("postgres: an event was not looked up")

func (s *sight) Written(name eventstore.Stream, r eventstore.Revision) (uuid.UUID, eventstore.Receipt, error) {
	found, there := s.written[place{name, r}]
	if !there {
		return uuid.Nil, eventstore.Receipt{}, errNotLookedUp
	}
	return found.id, found.receipt, nil
}

func (s *sight) Recent(name eventstore.Stream, id uuid.UUID) (eventstore.Receipt, bool, error) {
	receipt, found := s.recent[mark{name, id}]
	return receipt, found, nil
}

func (s *sight) Used(key [32]byte) (bool, error) {
	expires, there := s.used[key]
	return there && s.clock < expires, nil
}

// add counts an event in that the batch writes.
func (s *sight) add(e eventstore.Event) {
	r := eventstore.Receipt{Revision: e.Revision, Position: e.Position, Leaf: e.Leaf}
	s.written[place{e.Stream, e.Revision}] = known{e.ID, r}
	s.recent[mark{e.Stream, e.ID}] = r
}

// questions are what a batch needs to know.
type questions struct {
	names      []string
	wanted     []string // streams at demanded revisions, with their bounds
	from, to   []int64
	ids        []uuid.UUID // of events at no demanded revision
	keys       [][]byte
	duplicates map[eventstore.Stream]bool
}

func asked(batch []*request) *questions {
	q := &questions{duplicates: map[eventstore.Stream]bool{}}
	for _, r := range batch {
		for _, a := range r.appends {
			q.ask(a)
		}
		for _, e := range r.history {
			q.name(e.Stream)
		}
	}
	return q
}

func (q *questions) name(s eventstore.Stream) {
	if !q.duplicates[s] {
		q.duplicates[s] = true
		q.names = append(q.names, string(s))
	}
}

func (q *questions) ask(a eventstore.Append) {
	q.name(a.Stream)
	for i := range a.Once {
		q.keys = append(q.keys, a.Once[i].Key[:])
	}
	base, demanded := a.Expect.Revision()
	switch {
	case len(a.Events) == 0:
	case demanded:
		q.wanted = append(q.wanted, string(a.Stream))
		q.from = append(q.from, int64(base)+1)
		q.to = append(q.to, int64(base)+int64(len(a.Events)))
	default:
		for _, e := range a.Events {
			q.ids = append(q.ids, e.ID)
		}
	}
}

const (
	takeLock    = "SELECT pg_advisory_xact_lock($1)"
	tryLock     = "SELECT pg_try_advisory_xact_lock($1)"
	lookHead    = "SELECT size, recorded, edge FROM head"
	lookStreams = `SELECT name, sid, (SELECT max(revision) FROM event e WHERE e.sid = s.sid)
		FROM stream s WHERE name = ANY($1)`
	lookWritten = `SELECT w.name, e.revision, e.id, e.position
		FROM unnest($1::text[], $2::bigint[], $3::bigint[]) w(name, low, high)
		JOIN stream s ON s.name = w.name JOIN event e ON e.sid = s.sid AND e.revision BETWEEN w.low AND w.high`
	lookRecent = "SELECT s.name, e.revision, e.id, e.position FROM event e JOIN stream s USING (sid) WHERE e.id = ANY($1)"
	lookKeys   = "SELECT key, expires FROM once WHERE key = ANY($1)"
)

// look begins a transaction, takes the lock and answers all questions of a
// batch, in one round trip. If another node has the lock at that moment, what
// comes in while this one waits joins the batch, and the questions come after
// the wait: nodes that wait for one another make fewer and larger commits.
func (w *writer) look(ctx context.Context, batch []*request) (*sight, []*request, error) {
	b, crowded, free, s := &pgx.Batch{}, w.crowded, false, (*sight)(nil)
	b.Queue("BEGIN")
	b.Queue(tryLock, w.log.lock).QueryRow(func(row pgx.Row) error { return row.Scan(&free) })
	if crowded {
		b.Queue(takeLock, w.log.lock)
	} else {
		s = w.ask(b, batch)
	}
	err := w.conn.SendBatch(ctx, b).Close()
	w.crowded = err == nil && !free
	if err != nil || free && !crowded {
		return s, batch, err
	}
	if !crowded {
		if _, err := w.conn.Exec(ctx, takeLock, w.log.lock); err != nil {
			return nil, batch, err
		}
	}
	if batch[0].history == nil {
		batch = w.fill(batch)
	}
	b = &pgx.Batch{}
	s = w.ask(b, batch)
	return s, batch, w.conn.SendBatch(ctx, b).Close()
}

// ask adds the questions of a batch to what is sent, and returns where the
// answers will be.
func (w *writer) ask(b *pgx.Batch, batch []*request) *sight {
	q := asked(batch)
	s := &sight{
		clock:   w.log.now().UnixNano(),
		streams: make(map[eventstore.Stream]stream, len(q.names)),
		written: make(map[place]known, len(q.names)),
		recent:  make(map[mark]eventstore.Receipt, len(q.names)),
		used:    make(map[[32]byte]int64, len(q.keys)),
	}
	b.Queue(lookHead).QueryRow(s.scanHead)
	b.Queue(lookStreams, q.names).Query(s.scanStreams)
	if len(q.wanted) > 0 {
		b.Queue(lookWritten, q.wanted, q.from, q.to).Query(s.scanWritten)
	}
	if len(q.ids) > 0 {
		b.Queue(lookRecent, q.ids).Query(s.scanRecent)
	}
	if len(q.keys) > 0 {
		b.Queue(lookKeys, q.keys).Query(s.scanKeys)
	}
	return s
}
