// Package admission decides whether a call of Append may be written. Engines
// with one writer share it: memory, SQLite and PostgreSQL ask inside their
// transaction, before they write anything, so a refused call leaves no trace
// and does not touch its neighbours in a batch.
//
// In this order: an append whose events are already there under the same ids
// is a repeat and gets its first receipt, whatever has happened since; then
// every other expectation must hold and every replay key must be new, each
// call's own earlier appends counted.
package admission

import (
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// A View is the log as the writer sees it, everything written before included.
type View interface {
	// Last is the last revision of a stream, [eventstore.NoRevision] if it
	// has no event.
	Last(eventstore.Stream) (eventstore.Revision, error)

	// Written returns the id of the event at a revision that exists, and the
	// receipt that an append ending with it got.
	Written(eventstore.Stream, eventstore.Revision) (uuid.UUID, eventstore.Receipt, error)

	// Recent finds an event of a stream that was written not long ago.
	Recent(eventstore.Stream, uuid.UUID) (eventstore.Receipt, bool, error)

	// Used reports whether a replay key is taken and has not expired.
	Used(key [32]byte) (bool, error)
}

// A Step says what becomes of one append: it is written after the revision
// Last, or it only checks and gets Receipt, or it is a repeat and gets the
// Receipt that it got before.
type Step struct {
	Write   bool
	Last    eventstore.Revision
	Receipt eventstore.Receipt
}

// Decide returns a step for each append, or why the call is refused.
func Decide(v View, appends []eventstore.Append) ([]Step, error) {
	c := call{View: v, last: make(map[eventstore.Stream]eventstore.Revision, len(appends))}
	steps := make([]Step, len(appends))
	repeats, writes := make([]bool, len(appends)), 0
	for i, a := range appends {
		receipt, repeated, err := c.repeated(a)
		if err != nil {
			return nil, err
		}
		if repeated {
			steps[i], repeats[i] = Step{Receipt: receipt}, true
		} else if len(a.Events) > 0 || len(a.Once) > 0 {
			writes++
		}
	}
	done := writes == 0 && anyOf(repeats) // then its checks held when it was written
	for i, a := range appends {
		var err error
		switch {
		case repeats[i]:
		case done:
			steps[i].Receipt, err = c.unchanged(a)
		default:
			steps[i], err = c.admit(a)
		}
		if err != nil {
			return nil, err
		}
	}
	return steps, nil
}

func anyOf(flags []bool) bool {
	for _, f := range flags {
		if f {
			return true
		}
	}
	return false
}

// A call is a View that counts what the call at hand is about to write.
type call struct {
	View
	last map[eventstore.Stream]eventstore.Revision
	keys map[[32]byte]bool
}

func (c *call) lastOf(s eventstore.Stream) (eventstore.Revision, error) {
	if r, known := c.last[s]; known {
		return r, nil
	}
	r, err := c.Last(s)
	if err == nil {
		c.last[s] = r
	}
	return r, err
}

// repeated reports whether the events of a are already there, under the same
// ids, where a would have put them.
func (c *call) repeated(a eventstore.Append) (r eventstore.Receipt, repeated bool, err error) {
	if len(a.Events) == 0 {
		return r, false, nil
	}
	base, demanded := a.Expect.Revision()
	if !demanded {
		return c.recent(a)
	}
	have, err := c.lastOf(a.Stream)
	if err != nil || have < base+eventstore.Revision(len(a.Events)) {
		return r, false, err
	}
	for i, e := range a.Events {
		id, receipt, err := c.Written(a.Stream, base+1+eventstore.Revision(i))
		if err != nil || id != e.ID {
			return r, false, err
		}
		r = receipt
	}
	return r, true, nil
}

func (c *call) recent(a eventstore.Append) (r eventstore.Receipt, repeated bool, err error) {
	for _, e := range a.Events {
		r, repeated, err = c.Recent(a.Stream, e.ID)
		if err != nil || !repeated {
			return r, false, err
		}
	}
	return r, true, nil
}

func (c *call) unchanged(a eventstore.Append) (eventstore.Receipt, error) {
	have, err := c.lastOf(a.Stream)
	return eventstore.Receipt{Revision: have, Leaf: -1}, err
}

func (c *call) admit(a eventstore.Append) (Step, error) {
	have, err := c.lastOf(a.Stream)
	if err != nil {
		return Step{}, err
	}
	if !a.Expect.Holds(have) {
		return Step{}, &eventstore.Conflict{Stream: a.Stream, Want: a.Expect, Have: have}
	}
	for _, o := range a.Once {
		if err := c.use(o.Key); err != nil {
			return Step{}, err
		}
	}
	c.last[a.Stream] = have + eventstore.Revision(len(a.Events))
	return Step{
		Write:   len(a.Events) > 0 || len(a.Once) > 0,
		Last:    have,
		Receipt: eventstore.Receipt{Revision: have, Leaf: -1},
	}, nil
}

func (c *call) use(key [32]byte) error {
	used, err := c.Used(key)
	if err != nil {
		return err
	}
	if used || c.keys[key] {
		return &eventstore.Replayed{Key: key}
	}
	if c.keys == nil {
		c.keys = map[[32]byte]bool{}
	}
	c.keys[key] = true
	return nil
}
