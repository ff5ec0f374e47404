// Package memory is an event log in memory, for tests. It keeps every promise
// of the port but durability, tree and checkpoints included.
package memory

import (
	"bytes"
	"context"
	"iter"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/admission"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// A Log is an event log in memory. Every call of Append is all or nothing.
type Log struct {
	kept

	id  uuid.UUID
	now func() time.Time

	writing   sync.Mutex // held over a commit and its observers, so that they see commit order
	mu        sync.RWMutex
	events    []eventstore.Event // position p at p-1
	streams   map[eventstore.Stream][]eventstore.Position
	ids       map[uuid.UUID]eventstore.Position
	keys      map[[32]byte]time.Time
	tree      []tlog.Hash // by stored index
	observers map[int]func([]eventstore.Event)
	observed  int
	grown     chan struct{} // closed at the next commit
	closed    bool
}

// New returns an empty log that takes the time from now.
func New(now func() time.Time) *Log {
	return &Log{
		id:        uuid.New(),
		now:       now,
		streams:   map[eventstore.Stream][]eventstore.Position{},
		ids:       map[uuid.UUID]eventstore.Position{},
		keys:      map[[32]byte]time.Time{},
		observers: map[int]func([]eventstore.Event){},
		grown:     make(chan struct{}),
	}
}

var (
	_ eventstore.Log        = (*Log)(nil)
	_ eventstore.Observable = (*Log)(nil)
	_ admission.View        = view{}
)

// ID is random, chosen by [New].
func (l *Log) ID() uuid.UUID { return l.id }

// Append writes all appends or none.
func (l *Log) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	if err := eventstore.Check(appends...); err != nil {
		return nil, err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	receipts, events, observers, err := l.commit(appends)
	if err != nil {
		return nil, err
	}
	for _, observe := range observers {
		observe(events)
	}
	return receipts, nil
}

func (l *Log) commit(appends []eventstore.Append) (receipts []eventstore.Receipt, events []eventstore.Event, observers []func([]eventstore.Event), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, nil, nil, eventstore.ErrClosed
	}
	now := l.time()
	steps, err := admission.Decide(view{l, l.now()}, appends)
	if err != nil {
		return nil, nil, nil, err
	}
	before := len(l.events)
	for i, step := range steps {
		receipt := step.Receipt
		if step.Write {
			receipt = l.write(appends[i], step, now)
		}
		receipts = append(receipts, receipt)
	}
	events, observers = l.announce(before)
	return receipts, events, observers, nil
}

// announce wakes subscriptions if the log has grown, and returns what is to be
// told to whom.
func (l *Log) announce(before int) (events []eventstore.Event, observers []func([]eventstore.Event)) {
	events = l.events[before:len(l.events):len(l.events)]
	if len(events) == 0 {
		return nil, nil
	}
	close(l.grown)
	l.grown = make(chan struct{})
	for i := range l.observed {
		if observe, there := l.observers[i]; there {
			observers = append(observers, observe)
		}
	}
	return events, observers
}

// time is never earlier than that of the last event.
func (l *Log) time() time.Time {
	now := time.Unix(0, l.now().UnixNano()).UTC()
	if n := len(l.events); n > 0 && now.Before(l.events[n-1].Recorded) {
		return l.events[n-1].Recorded
	}
	return now
}

func (l *Log) write(a eventstore.Append, step admission.Step, now time.Time) eventstore.Receipt {
	for _, o := range a.Once {
		l.keys[o.Key] = o.Expires
	}
	receipt := step.Receipt
	for i, p := range a.Events {
		p.Data, p.Meta = bytes.Clone(p.Data), bytes.Clone(p.Meta)
		e := eventstore.Event{
			Proposed: p,
			Stream:   a.Stream,
			Revision: step.Last + 1 + eventstore.Revision(i),
			Position: eventstore.Position(len(l.events) + 1),
			Leaf:     int64(len(l.events)),
			Recorded: now,
		}
		l.add(e)
		receipt = receiptOf(e)
	}
	return receipt
}

func (l *Log) add(e eventstore.Event) {
	l.grow(e)
	l.events = append(l.events, e)
	l.streams[e.Stream] = append(l.streams[e.Stream], e.Position)
	l.ids[e.ID] = e.Position
}

func receiptOf(e eventstore.Event) eventstore.Receipt {
	return eventstore.Receipt{Revision: e.Revision, Position: e.Position, Leaf: e.Leaf}
}

// Observe calls f with the events of each commit from now on.
func (l *Log) Observe(f func([]eventstore.Event)) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.observed
	l.observed++
	l.observers[n] = f
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.observers, n)
	}
}

// Close ends every subscription with [eventstore.ErrClosed].
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.grown)
	}
	return nil
}

// Head is the position of the last event.
func (l *Log) Head(context.Context) (eventstore.Position, error) {
	head, _, err := l.head()
	return head, err
}

func (l *Log) head() (eventstore.Position, <-chan struct{}, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return 0, nil, eventstore.ErrClosed
	}
	return eventstore.Position(len(l.events)), l.grown, nil
}

// ReadStream yields the events of a stream from a revision on.
func (l *Log) ReadStream(ctx context.Context, s eventstore.Stream, from eventstore.Revision) iter.Seq2[eventstore.Event, error] {
	return func(yield func(eventstore.Event, error) bool) {
		l.mu.RLock()
		events, positions, closed := l.events, l.streams[s], l.closed
		l.mu.RUnlock()
		if closed {
			yield(eventstore.Event{}, eventstore.ErrClosed)
			return
		}
		for _, p := range positions[min(int(max(from, 0)), len(positions)):] {
			if err := ctx.Err(); err != nil {
				yield(eventstore.Event{}, err)
				return
			}
			if !yield(events[p-1], nil) {
				return
			}
		}
	}
}
