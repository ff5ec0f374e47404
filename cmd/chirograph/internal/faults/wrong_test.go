package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// projected is a log whose appends are admitted by a copy that is now and then
// brought up to date, as a projection is, instead of by the log.
type projected struct {
	eventstore.Log
	mu   sync.Mutex
	seen map[eventstore.Stream]copied
}

type copied struct {
	last eventstore.Revision
	at   time.Time
}

// stale is how old the copy may be.
const stale = 300 * time.Millisecond

// known is the revision of a stream as the copy has it.
func (l *projected) known(ctx context.Context, s eventstore.Stream) (eventstore.Revision, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, found := l.seen[s]; found && time.Since(c.at) < stale {
		return c.last, nil
	}
	last := eventstore.NoRevision
	for e, err := range l.ReadStream(ctx, s, 0) {
		if err != nil {
			return last, err
		}
		last = e.Revision
	}
	if l.seen == nil {
		l.seen = map[eventstore.Stream]copied{}
	}
	l.seen[s] = copied{last, time.Now()}
	return last, nil
}

func (l *projected) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	admitted := slices.Clone(appends)
	for i, a := range appends {
		if a.Stream.Category() != "authorization" {
			continue
		}
		have, err := l.known(ctx, a.Stream)
		if err != nil {
			return nil, err
		}
		if want, demanded := a.Expect.Revision(); demanded && want > have { // the copy is behind who asks: it waits
			have = want
		}
		if !a.Expect.Holds(have) {
			return nil, &eventstore.Conflict{Stream: a.Stream, Want: a.Expect, Have: have}
		}
		admitted[i].Expect = eventstore.Unchecked()
	}
	return l.Log.Append(ctx, admitted...)
}

// forgetful is a log that writes and loses the first answer of each redemption.
type forgetful struct {
	eventstore.Log
	mu   sync.Mutex
	lost map[eventstore.Stream]bool
}

func (l *forgetful) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	receipts, err := l.Log.Append(ctx, appends...)
	if err == nil && l.loses(appends) {
		return nil, fmt.Errorf("%w: the answer was lost", eventstore.ErrUnknownOutcome)
	}
	return receipts, err
}

func (l *forgetful) loses(appends []eventstore.Append) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost == nil {
		l.lost = map[eventstore.Stream]bool{}
	}
	redeems := slices.ContainsFunc(appends[0].Events, func(e eventstore.Proposed) bool { return strings.HasSuffix(e.Type, "code_redeemed") })
	if !redeems || l.lost[appends[0].Stream] {
		return false
	}
	l.lost[appends[0].Stream] = true
	return true
}

// renaming is a log that makes events anew, with new ids, each time that they
// are tried.
type renaming struct {
	eventstore.Log
	codec *eventstore.Codec
}

func (l renaming) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	renamed := slices.Clone(appends)
	for i, a := range renamed {
		renamed[i].Events = nil
		for _, e := range a.Events {
			d, err := l.codec.Decode(ctx, eventstore.Event{Proposed: e, Stream: a.Stream})
			if err == nil {
				e, err = l.codec.Encode(ctx, a.Stream, uuid.New(), d.Body, d.Metadata)
			}
			if err != nil {
				return nil, err
			}
			renamed[i].Events = append(renamed[i].Events, e)
		}
	}
	return l.Log.Append(ctx, renamed...)
}
