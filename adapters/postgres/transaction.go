package postgres

import (
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/admission"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"golang.org/x/mod/sumdb/tlog"
)

// A transaction is what a batch is about to write.
type transaction struct {
	*writer
	*sight
	now    time.Time // recorded
	clock  int64     // by which expired keys are swept
	events []eventstore.Event
	keys   []eventstore.Once

	repeats bool // something is answered with what is there already

	rows  columns
	nodes []ledger.Node
	begun struct { // streams that did not exist
		sids  []int64
		names []string
	}
}

func (t *transaction) write(appends []eventstore.Append, steps []admission.Step) []eventstore.Receipt {
	receipts := make([]eventstore.Receipt, len(steps))
	for i, step := range steps {
		receipts[i] = step.Receipt
		if !step.Write {
			t.repeats = t.repeats || len(appends[i].Events) > 0
			continue
		}
		a := &appends[i]
		for _, o := range a.Once {
			t.used[o.Key] = o.Expires.UnixNano()
			t.keys = append(t.keys, o)
		}
		for k, p := range a.Events {
			e := eventstore.Event{
				Proposed: p,
				Stream:   a.Stream,
				Revision: step.Last + 1 + eventstore.Revision(k),
				Position: eventstore.Position(t.size + 1),
				Leaf:     t.size,
				Recorded: t.now,
			}
			t.insert(e)
			receipts[i] = eventstore.Receipt{Revision: e.Revision, Position: e.Position, Leaf: e.Leaf}
		}
	}
	return receipts
}

// insert puts an event at the end of the log.
func (t *transaction) insert(e eventstore.Event) {
	at := t.streams[e.Stream]
	if at.sid == 0 {
		at.sid = int64(e.Position)
		t.begun.sids = append(t.begun.sids, at.sid)
		t.begun.names = append(t.begun.names, string(e.Stream))
	}
	at.last = e.Revision
	t.streams[e.Stream] = at
	t.record = ledger.AppendRecord(t.record[:0], t.log.id, e)
	leaf := ledger.LeafHash(t.record)
	t.grow(leaf)
	t.rows.add(at.sid, e, leaf)
	t.events = append(t.events, e)
	t.sight.add(e)
}

// grow adds a leaf to the tree: each complete subtree on its right edge that
// finds one of its size beside it becomes one with it.
func (t *transaction) grow(leaf tlog.Hash) {
	index := t.size
	t.size++
	t.edge = append(t.edge, leaf)
	for level := 1; t.size>>level<<level == t.size; level++ {
		last := len(t.edge) - 1
		t.edge[last-1] = tlog.NodeHash(t.edge[last-1], t.edge[last])
		t.edge = t.edge[:last]
		if level%8 == 0 {
			t.nodes = append(t.nodes, ledger.Node{Level: level, N: index >> level, Hash: t.edge[last-1]})
		}
	}
}

const (
	addStreams = "INSERT INTO stream(sid, name) SELECT * FROM unnest($1::bigint[], $2::text[])"
	addEvents  = `INSERT INTO event(position, sid, revision, recorded, version, id, type, leaf, meta, data)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[], $6::uuid[], $7::text[], $8::bytea[], $9::bytea[], $10::bytea[])`
	addNodes = "INSERT INTO node(level, n, hash) SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bytea[])"
	addKeys  = `INSERT INTO once(key, expires) SELECT * FROM unnest($1::bytea[], $2::bigint[])
		ON CONFLICT (key) DO UPDATE SET expires = excluded.expires`
	sweepKeys = "DELETE FROM once WHERE key IN (SELECT key FROM once WHERE expires <= $1 ORDER BY expires LIMIT $2)"
	moveHead  = "UPDATE head SET size = $1, recorded = $2, edge = $3"
	notify    = "SELECT pg_notify($1, $2::bigint::text)"
)

// clockError bounds how far the clocks of nodes are apart: on the one that is
// ahead a key has expired that still counts on the others, so nobody forgets
// it before none of them can need it.
const clockError = 10 * time.Minute

var writerStatements = []string{
	"BEGIN", tryLock, takeLock, lookHead, lookStreams, lookWritten, lookRecent, lookKeys,
	addStreams, addEvents, addNodes, addKeys, sweepKeys, moveHead, notify, "COMMIT",
}

// statements are all that t does, but for the commit. Twice as many expired
// keys are forgotten as are added, so that they never pile up.
//
// A transaction that only repeats writes too: a COMMIT without anything
// written waits for no standby, and what is repeated may not have reached it.
func (t *transaction) statements() *pgx.Batch {
	b := &pgx.Batch{}
	if len(t.begun.sids) > 0 {
		b.Queue(addStreams, t.begun.sids, t.begun.names)
	}
	if len(t.events) > 0 {
		b.Queue(addEvents, t.rows.arguments()...)
		b.Queue(moveHead, t.size, t.events[len(t.events)-1].Recorded.UnixNano(), joined(t.edge))
		if now := time.Now(); now.Sub(t.told) >= company { // on a busy log others look anyway
			t.told = now
			b.Queue(notify, t.log.channel, t.size)
		}
	}
	if b.Len() == 0 && len(t.keys) == 0 { // the head as it is
		b.Queue(moveHead, t.size, t.recorded, joined(t.edge))
	}
	if len(t.nodes) > 0 {
		queueNodes(b, t.nodes)
	}
	if len(t.keys) > 0 {
		keys, expires := make([][]byte, len(t.keys)), make([]int64, len(t.keys))
		for i := range t.keys {
			keys[i], expires[i] = t.keys[i].Key[:], t.keys[i].Expires.UnixNano()
		}
		b.Queue(addKeys, keys, expires)
		b.Queue(sweepKeys, t.clock-int64(clockError), 2*len(keys))
	}
	return b
}

func queueNodes(b *pgx.Batch, nodes []ledger.Node) {
	levels, numbers, hashes := make([]int32, len(nodes)), make([]int64, len(nodes)), make([][]byte, len(nodes))
	for i := range nodes {
		levels[i], numbers[i], hashes[i] = int32(nodes[i].Level/8), nodes[i].N, nodes[i].Hash[:]
	}
	b.Queue(addNodes, levels, numbers, hashes)
}

func joined(hashes []tlog.Hash) []byte {
	b := make([]byte, 0, len(hashes)*tlog.HashSize)
	for i := range hashes {
		b = append(b, hashes[i][:]...)
	}
	return b
}

// columns are the rows of the event table, as it takes them.
type columns struct {
	position, sid, revision, recorded []int64
	version                           []int32
	id                                []pgtype.UUID
	typ                               []string
	leaf, meta, data                  [][]byte
}

func (c *columns) add(sid int64, e eventstore.Event, leaf tlog.Hash) {
	c.position = append(c.position, int64(e.Position))
	c.sid = append(c.sid, sid)
	c.revision = append(c.revision, int64(e.Revision))
	c.recorded = append(c.recorded, e.Recorded.UnixNano())
	c.version = append(c.version, int32(e.Version))
	c.id = append(c.id, pgtype.UUID{Bytes: e.ID, Valid: true})
	c.typ = append(c.typ, e.Type)
	c.leaf = append(c.leaf, leaf[:])
	c.meta = append(c.meta, present(e.Meta))
	c.data = append(c.data, present(e.Data))
}

func (c *columns) arguments() []any {
	return []any{c.position, c.sid, c.revision, c.recorded, c.version, c.id, c.typ, c.leaf, c.meta, c.data}
}

// present is b as the database takes it, which tells nothing from no value.
func present(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
