package eventstore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Staleness is how far a model in memory may be behind the log.
const Staleness = time.Second

const (
	pulseEvery = 250 * time.Millisecond
	silence    = 10 * time.Second // after it a subscription that does not keep up is begun anew
	minRetry   = 100 * time.Millisecond
	maxRetry   = 5 * time.Second
)

// An Observer is a model in memory, or whoever else must hear of what any node
// writes. Its functions must be quick and must not call the feed or append. Any
// of them may be nil.
type Observer struct {
	// Categories are those whose events it hears of; none means all.
	Categories []string

	// See is told events in commit order.
	See func([]Event)

	// Forget is told that events may have been missed: nothing that the
	// observer knows from before may be used any more.
	Forget func()

	// Touched is told that this node has written to a stream, before
	// the commit returns; See hears of its events later.
	Touched func(Stream)
}

// A Feed tells observers what is written to a log that other nodes write too,
// and knows how old their knowledge is. It says that it is fresh only if all
// that was acknowledged up to some moment of the last second has been told:
// it asks for the head of the log again and again, and waits until the
// subscription has got there. A subscription that fails, or is silent, is
// begun anew, and every observer forgets what it knew.
//
// An observer that needs to know what is true asks [Feed.Fresh] before it uses
// what it holds, and else reads the log. What it has read from the log it may
// hold if nothing was told since it began to read: an event that the log had
// already is told again and costs one more reading, and one that it had not is
// told in time.
type Feed struct {
	log    Log
	failed func(error)

	mu        sync.Mutex
	observers []*Observer // replaced, never changed
	following bool        // everything after mark will be told
	mark      Position    // everything up to here has been told
	asOf      time.Time   // everything acknowledged before has been told
	began     time.Time
	pending   []pulse // in order of time
	filter    Filter  // of the subscription
	cancel    context.CancelCauseFunc
}

// A pulse is a moment and the head of the log not before it.
type pulse struct {
	at   time.Time
	head Position
}

var (
	errWider  = errors.New("an observer of more has come")
	errSilent = errors.New("eventstore: the subscription does not keep up with the log")
)

// NewFeed returns a feed that is fresh as long as [Feed.Run] runs. It tells
// failed, if that is not nil, why a subscription has ended.
func NewFeed(log Log, failed func(error)) *Feed {
	if failed == nil {
		failed = func(error) {}
	}
	return &Feed{log: log, failed: failed}
}

// Observe adds an observer, which has not missed anything that is appended
// from now on.
func (f *Feed) Observe(o Observer) (stop func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	own := &o
	f.observers = append(slices.Clone(f.observers), own)
	if f.following && !covers(f.filter, o.Categories) {
		f.stopFollowing(errWider)
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.observers = slices.DeleteFunc(slices.Clone(f.observers), func(other *Observer) bool { return other == own })
	}
}

// covers reports whether a filter lets all of some categories through.
func covers(f Filter, categories []string) bool {
	if len(f.Categories) == 0 || len(categories) == 0 {
		return len(f.Categories) == 0
	}
	return !slices.ContainsFunc(categories, func(c string) bool { return !slices.Contains(f.Categories, c) })
}

// Fresh reports whether observers know all that was acknowledged a second ago.
func (f *Feed) Fresh() bool { return time.Since(f.AsOf()) <= Staleness }

// AsOf is the moment up to which observers know all that was acknowledged; the
// zero Time if they know nothing.
func (f *Feed) AsOf() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asOf
}

// touched tells observers what this node has written itself.
func (f *Feed) touched(appends []Append) {
	for _, o := range f.present() {
		for _, a := range appends {
			if o.Touched != nil && len(a.Events) > 0 && o.hears(a.Stream) {
				o.Touched(a.Stream)
			}
		}
	}
}

func (f *Feed) present() []*Observer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.observers
}

func (o *Observer) hears(s Stream) bool { return Filter{Categories: o.Categories}.Selects(s, "") }
