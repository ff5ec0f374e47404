// Package eventstore keeps streams of events in one order and runs decisions
// against them. [Log] is the port that engines implement; package storetest
// holds what every engine must pass.
package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

type (
	// A Stream is the name of a consistency boundary: its category, a dash
	// and an id, as in "consent-0198…". At most 256 printable ASCII characters.
	Stream string

	// A Revision counts the events of one stream from 0.
	Revision int64

	// A Position orders all events of one log in commit order, from 1 and
	// without gaps, so that it is the same in a copy of the log.
	Position uint64
)

// Unnumbered is the position of an event that an engine has not numbered yet.
// It is later than every other. [Log.Head] returns when everything that was
// acknowledged before is numbered.
const Unnumbered Position = 1 << 62

// NoRevision is the revision of a stream that has no event.
const NoRevision Revision = -1

// Category is the part of a stream's name before the first dash.
func (s Stream) Category() string {
	category, _, _ := strings.Cut(string(s), "-")
	return category
}

// ID is the part of a stream's name after the first dash.
func (s Stream) ID() string {
	_, id, _ := strings.Cut(string(s), "-")
	return id
}

// Expect is what must hold for a stream at commit. The zero Expect is invalid
// on purpose: there is no default expectation.
type Expect struct {
	kind     expectation
	revision Revision
}

type expectation uint8

const (
	unset expectation = iota
	absent
	at
	unchecked
)

func Absent() Expect       { return Expect{kind: absent} }          // the stream has never had an event
func Unchecked() Expect    { return Expect{kind: unchecked} }       // facts that no decision depends on
func At(r Revision) Expect { return Expect{kind: at, revision: r} } // the last revision is exactly r

// After expects the stream as it was read: absent, or at its last revision.
func After(r Revision) Expect {
	if r == NoRevision {
		return Absent()
	}
	return At(r)
}

// Valid reports whether e was made by one of the constructors.
func (e Expect) Valid() bool { return e.kind != unset }

// Holds reports whether a stream whose last revision is have satisfies e.
func (e Expect) Holds(have Revision) bool {
	switch e.kind {
	case absent:
		return have == NoRevision
	case at:
		return have == e.revision
	}
	return e.kind == unchecked
}

// Revision returns the revision that e demands, if it demands one; an absent
// stream is at [NoRevision].
func (e Expect) Revision() (r Revision, demanded bool) {
	switch e.kind {
	case absent:
		return NoRevision, true
	case at:
		return e.revision, true
	}
	return 0, false
}

// Proposed is an event before its commit.
type Proposed struct {
	ID      uuid.UUID // random, and kept when the same append is repeated
	Type    string    // stored name, never a Go type name
	Version int       // schema version of Data
	Data    []byte    // exactly what is stored and hashed, sealed fields as ciphertext
	Meta    []byte    // likewise
}

// An Event is a fact with its place in the history.
type Event struct {
	Proposed
	Stream   Stream
	Revision Revision
	Position Position  // [Unnumbered] while it is not yet numbered
	Leaf     int64     // index in the tree, -1 while it is not yet numbered
	Recorded time.Time // by the writer, UTC, never earlier than the event before once numbered
}

// Append adds events to one stream. An Append without events only checks.
type Append struct {
	Stream Stream
	Expect Expect
	Events []Proposed
	Once   []Once // keys that must be new, kept in the same commit
}

// Once guards against replay: the first use of a key wins until it expires.
type Once struct {
	Key     [32]byte  // hash of scope and value, see [OnceKey]
	Issued  time.Time // selects the bucket on engines without a key table
	Expires time.Time
}

// A Receipt says where an append ended up.
type Receipt struct {
	Revision Revision // of the last event written
	Position Position // likewise; [Unnumbered] while it is not yet numbered
	Leaf     int64    // likewise; -1 while it is not yet numbered
}

// Why an append is refused. Callers match with errors.Is.
var (
	ErrConflict       = errors.New("eventstore: stream is not where it was expected")
	ErrReplay         = errors.New("eventstore: key was used before")
	ErrUnknownOutcome = errors.New("eventstore: outcome unknown") // repeat with the same ids, or refuse
	ErrHalted         = errors.New("eventstore: writer halted after a storage error")
	ErrUnavailable    = errors.New("eventstore: not reachable now") // nothing was written; also of reads, and of what is kept beside a log
	ErrTooLarge       = errors.New("eventstore: append too large")
	ErrClosed         = errors.New("eventstore: closed")
	ErrInvalid        = errors.New("eventstore: invalid append") // a bug of the caller: no expectation, bad name
)

// A Conflict tells which expectation failed; it is an [ErrConflict].
type Conflict struct {
	Stream Stream
	Want   Expect
	Have   Revision
}

func (c *Conflict) Error() string {
	return fmt.Sprintf("eventstore: conflict on %s: have revision %d", c.Stream, c.Have)
}

func (c *Conflict) Is(target error) bool { return target == ErrConflict }

// Replayed tells which key was used before; it is an [ErrReplay].
type Replayed struct{ Key [32]byte }

func (*Replayed) Error() string        { return ErrReplay.Error() }
func (*Replayed) Is(target error) bool { return target == ErrReplay }

// Filter selects events by category and type. Empty lists select all.
type Filter struct {
	Categories []string
	Types      []string
}

// Selects reports whether an event of stream s and type typ passes f.
func (f Filter) Selects(s Stream, typ string) bool {
	return (len(f.Categories) == 0 || slices.Contains(f.Categories, s.Category())) &&
		(len(f.Types) == 0 || slices.Contains(f.Types, typ))
}

// An Item is one step of a subscription: an event, or without one a mark that
// moves the checkpoint over a filtered range. To go on after an item, subscribe
// after its Mark. Live is true from the item on that reached the head.
type Item struct {
	Event *Event
	Mark  Position
	Live  bool
}

// A Log is an append-only store of streams in one order.
type Log interface {
	// ID is chosen once, when the log is made, and kept by copies of it.
	ID() uuid.UUID

	// Append writes appends in order. An engine may make them all or nothing;
	// every caller must be safe if only the first ones happen. When it
	// returns nil the events survive power loss and every later read sees
	// them. A repeat of events that are already there under the same ids at
	// the expected revision returns the first receipts. An engine that writes
	// one append after the other stops at the first that is refused; stopped
	// by anything else after it has written, it reports [ErrUnknownOutcome],
	// and a repeat of the call goes on where it stopped.
	Append(ctx context.Context, appends ...Append) ([]Receipt, error)

	// ReadStream yields the events of a stream from a revision on. A stream
	// that does not exist is empty. Of what was appended a moment ago the
	// events may be [Unnumbered].
	ReadStream(ctx context.Context, s Stream, from Revision) iter.Seq2[Event, error]

	// ReadAll yields the events after a position in commit order and ends at
	// the head seen when it was called.
	ReadAll(ctx context.Context, after Position, f Filter) iter.Seq2[Event, error]

	// Subscribe is ReadAll that does not end until ctx does, which it reports
	// as the last error, or the log closes ([ErrClosed]).
	Subscribe(ctx context.Context, after Position, f Filter) iter.Seq2[Item, error]

	// Head is the position of the last event, 0 in an empty log. Whatever was
	// acknowledged before the call is at or before it.
	Head(ctx context.Context) (Position, error)

	Close() error
}

// An Importer takes over the history of another log, of which it has the id.
type Importer interface {
	// Import appends events as another log has them: places, ids, bytes and
	// recorded times. The first must be the one after the last that is here.
	// Not for a log that anybody else writes.
	Import(ctx context.Context, events []Event) error
}

// An Observable log calls f with the events of each commit, in commit order,
// before the append that wrote them returns, when the log has them and its head
// is theirs. So a model fed by it is exact: it never lags behind an acknowledged
// append. f must be quick and must not append. Engines that share their log
// between nodes do not offer it.
type Observable interface {
	Observe(f func([]Event)) (stop func())
}
