package standin

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// deleted is the revision of a tombstone, and the truncation of a stream that
// is softly deleted.
const deleted = math.MaxInt64

// A store is the log that all nodes of a cluster serve.
type store struct {
	now        func() time.Time
	statsEvery int

	mu        sync.RWMutex
	log       []*record
	end       uint64 // where the next record begins
	streams   map[string]*stream
	recent    recentIDs
	scavenged map[uint64]bool // beginnings of records that a scavenge removed
	appended  int
	file      *file // nil in memory
	grown     chan struct{}
}

// A stream is what the log says of one stream, and of its metadata.
type stream struct {
	records     []*record
	truncations []truncation // as they came, the last one counts
	rawMeta     []byte       // the last one
}

// last is the revision of the last event, -1 without one.
func (s *stream) last() int64 {
	if s == nil || len(s.records) == 0 {
		return -1
	}
	return s.records[len(s.records)-1].revision
}

// first is where the records of a log begin: what comes before is no event.
const first = 311

func newStore(o Options) *store {
	return &store{
		now: o.Now, statsEvery: o.StatsEvery,
		end: first, streams: map[string]*stream{}, recent: recentIDs{limit: o.RecentIDs}, grown: make(chan struct{}),
	}
}

// stream returns the entry of a name, new or old. The caller holds the lock.
func (s *store) stream(name string) *stream {
	if s.streams[name] == nil {
		s.streams[name] = &stream{}
	}
	return s.streams[name]
}

// commit appends all of the proposals to streams, or none. The caller holds
// the lock and has decided that they may be.
func (s *store) commit(b *batch) error {
	if s.file != nil {
		if err := s.file.write(b.records); err != nil {
			return err
		}
	}
	for i, r := range b.records {
		s.take(r, b.content[i])
	}
	s.wake()
	return nil
}

// take adds a record to the log.
func (s *store) take(r *record, data []byte) {
	s.log = append(s.log, r)
	s.end = r.end
	st := s.stream(r.stream)
	st.records = append(st.records, r)
	if of, ok := strings.CutPrefix(r.stream, "$$"); ok {
		original := s.stream(of)
		original.rawMeta = data
		original.truncations = append(original.truncations, parseTruncation(r.position, data))
	}
}

// wake tells those who wait that a node may have more to show.
func (s *store) wake() {
	close(s.grown)
	s.grown = make(chan struct{})
}

// A batch is what one commit writes.
type batch struct {
	store   *store
	records []*record
	content [][]byte
}

func (b *batch) add(stream string, revision int64, p proposal) *record {
	at := b.store.end
	if n := len(b.records); n > 0 {
		at = b.records[n-1].end
	}
	r := newRecord(stream, revision, at, b.store.now(), p)
	b.records, b.content = append(b.records, r), append(b.content, p.data)
	return r
}

// A view is what a node shows: the log before a position.
type view struct {
	store   *store
	horizon uint64
}

// everything is the horizon of a node that lags behind nobody.
const everything = math.MaxUint64

// log returns the records in view, and a channel that is closed when there may
// be more.
func (v view) log() ([]*record, <-chan struct{}) {
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	log := v.store.log
	if v.horizon != everything {
		log = log[:search(log, v.horizon)]
	}
	return log[:len(log):len(log)], v.store.grown
}

// search returns the index of the first record at or after a position.
func search(log []*record, position uint64) int {
	i, _ := slices.BinarySearchFunc(log, position, func(r *record, p uint64) int { return cmp.Compare(r.position, p) })
	return i
}
