package eventstoredb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// An index numbers events as they come, from the last leaf of the table on. It
// remembers the places of the newest, so that events read from their streams
// can be given their numbers, and the newest events themselves, for those who
// subscribe.
type index struct {
	mu     sync.RWMutex
	first  int64  // leaf of rows[0]
	before row    // of the leaf before it; zero if there is none
	rows   []row  // all leaves beyond the table, and some within
	last   uint64 // place of the last leaf, 0 without one
	recent []placed
	bytes  int           // of recent
	grown  chan struct{} // closed when there is more
	nudged chan uint64   // places that somebody waits for in vain
}

// A row is what the index knows of a leaf.
type row struct {
	place    uint64
	recorded int64
}

// A placed event is numbered, and known by its place.
type placed struct {
	eventstore.Event
	place uint64
}

const (
	keptRows   = 1 << 16 // beyond the table as many as it takes
	keptEvents = 4096
	keptBytes  = 8 << 20
)

func newIndex(tail ledger.Row, found bool) *index {
	x := &index{grown: make(chan struct{}), nudged: make(chan uint64, 1)}
	if found {
		x.first, x.last = tail.Leaf+1, tail.Place
		x.before = row{tail.Place, tail.Recorded.UnixNano()}
	}
	return x
}

// head is the number of the last event, its place, and a channel that is
// closed when there are more.
func (x *index) head() (eventstore.Position, uint64, <-chan struct{}) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.size(), x.last, x.grown
}

func (x *index) size() eventstore.Position { return eventstore.Position(x.first + int64(len(x.rows))) }

// lastRecorded is the time of the last event, 0 without one.
func (x *index) lastRecorded() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.end().recorded
}

func (x *index) end() row {
	if n := len(x.rows); n > 0 {
		return x.rows[n-1]
	}
	return x.before
}

// add numbers events that come after all others.
func (x *index) add(events []placed) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range events {
		if e.place <= x.last {
			return &ledger.AlteredError{What: fmt.Sprintf("an event at place %d after one at place %d", e.place, x.last)}
		}
		x.last = e.place
		e.Position, e.Leaf = x.size()+1, int64(x.size())
		r := row{e.place, max(e.Recorded.UnixNano(), x.end().recorded)}
		e.Recorded = timeOf(r.recorded)
		x.rows = append(x.rows, r)
		x.recent = append(x.recent, e)
		x.bytes += len(e.Data) + len(e.Meta)
	}
	x.forget()
	close(x.grown)
	x.grown = make(chan struct{})
	return nil
}

// forget drops the oldest events. Who reads them meanwhile keeps them.
func (x *index) forget() {
	if len(x.recent) < 2*keptEvents && x.bytes < 2*keptBytes {
		return
	}
	drop := max(0, len(x.recent)-keptEvents)
	for _, e := range x.recent[:drop] {
		x.bytes -= len(e.Data) + len(e.Meta)
	}
	for ; x.bytes > keptBytes && drop < len(x.recent)-1; drop++ {
		x.bytes -= len(x.recent[drop].Data) + len(x.recent[drop].Meta)
	}
	x.recent = slices.Clone(x.recent[drop:])
}

// trim drops rows that the table has up to a leaf.
func (x *index) trim(tabled int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	drop := min(tabled+1-x.first, int64(len(x.rows)-keptRows))
	if drop <= 0 {
		return
	}
	x.before = x.rows[drop-1]
	x.rows, x.first = slices.Clone(x.rows[drop:]), x.first+drop
}

// crowded reports whether there are many more rows than needed.
func (x *index) crowded() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.rows) > 2*keptRows
}

// at returns the row of a leaf, if it is still there.
func (x *index) at(leaf int64) (row, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	switch i := leaf - x.first; {
	case i == -1 && leaf >= 0:
		return x.before, true
	case i >= 0 && i < int64(len(x.rows)):
		return x.rows[i], true
	}
	return row{}, false
}

// A whereabouts says what the index knows of a place.
type whereabouts int

const (
	known   whereabouts = iota
	older               // than all rows: the table has it
	newer               // than all rows: it has not been seen
	nowhere             // between two rows, where no event of the log is
)

// find returns the leaf at a place.
func (x *index) find(place uint64) (leaf int64, r row, where whereabouts) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if place > x.last {
		return -1, row{}, newer
	}
	if place <= x.before.place {
		return -1, row{}, older
	}
	i, there := slices.BinarySearchFunc(x.rows, place, func(r row, place uint64) int { return cmp.Compare(r.place, place) })
	if !there {
		return -1, row{}, nowhere
	}
	return x.first + int64(i), x.rows[i], known
}

// after returns events after a position up to another, as many as are at hand;
// none if the first of them is not.
func (x *index) after(after, to eventstore.Position) []placed {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if len(x.recent) == 0 || after+1 < x.recent[0].Position || after >= min(to, x.size()) {
		return nil
	}
	from := int(after + 1 - x.recent[0].Position)
	return x.recent[from : from+int(min(to, x.size())-after) : from+int(min(to, x.size())-after)]
}

// impatience is how long somebody waits before the subscription is suspected.
const impatience = time.Second

// nudge tells that an event at a place is overdue.
func (x *index) nudge(place uint64) {
	select {
	case x.nudged <- place:
	default:
	}
}

// await returns the position of the last event once the event at a place has
// been numbered.
func (l *Log) await(ctx context.Context, place uint64) (eventstore.Position, error) {
	for {
		head, last, grown := l.index.head()
		if last >= place {
			return head, nil
		}
		timer := time.NewTimer(impatience)
		select {
		case <-grown:
		case <-timer.C:
			l.index.nudge(place)
		case <-ctx.Done():
			timer.Stop()
			return 0, ctx.Err()
		case <-l.ctx.Done():
			timer.Stop()
			return 0, eventstore.ErrClosed
		case <-l.halted:
			timer.Stop()
			return 0, l.Halted()
		}
		timer.Stop()
	}
}
