package projections

import (
	"context"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// A State is what a stream said of itself at a past moment.
type State struct {
	Stream   eventstore.Stream   `json:"stream"`
	At       eventstore.Position `json:"at"`            // the position asked for
	Time     time.Time           `json:"time,omitzero"` // the instant it is judged by
	Revision eventstore.Revision `json:"revision"`      // -1 before the first event
	State    map[string]any      `json:"state,omitempty"`
	Erased   []string            `json:"erased,omitempty"` // fields whose key was destroyed
	Events   []Entry             `json:"events"`           // up to then, the oldest first
}

// Exists reports whether the stream had begun.
func (s State) Exists() bool { return s.Revision != eventstore.NoRevision }

// evolver is the state of an aggregate.
type evolver[S, E any] interface{ Evolve(E) S }

// foldUntil returns the state of a stream as of a position, with its last
// revision by then.
func foldUntil[S evolver[S, E], E any](ctx context.Context, j *eventstore.Journal, stream eventstore.Stream, upTo eventstore.Position) (S, eventstore.Revision, error) {
	var state S
	revision := eventstore.NoRevision
	for e, err := range numbered(ctx, j.Log, stream, 0) {
		if err != nil {
			return state, revision, err
		}
		if e.Position > upTo {
			break
		}
		body, err := j.Codec.Body(ctx, e)
		if err != nil {
			return state, revision, err
		}
		if own, ok := body.(E); ok {
			state = state.Evolve(own)
		}
		revision = e.Revision
	}
	return state, revision, nil
}

// StateAt folds a stream up to a moment with the rules of today and tells its
// state. Streams without an aggregate, such as accesses, have events only.
func (a *Audit) StateAt(ctx context.Context, stream eventstore.Stream, m Moment) (State, error) {
	p, err := m.Resolve(ctx, a.journal.Log)
	if err != nil {
		return State{}, err
	}
	s := State{Stream: stream, At: p, Revision: eventstore.NoRevision, Events: []Entry{}}
	decoded, err := a.readUntil(ctx, stream, p)
	if err != nil {
		return s, err
	}
	if s.Time, err = a.judged(ctx, m, p); err != nil {
		return s, err
	}
	n := a.Names(ctx)
	bodies := make([]any, len(decoded))
	erased := map[string]bool{}
	for i, d := range decoded {
		bodies[i], s.Revision = d.Body, d.Revision
		s.Events = append(s.Events, entry(d, about(d), a.journal.Codec.Registry, n))
		for _, field := range d.Erased {
			if !erased[field] {
				erased[field] = true
				s.Erased = append(s.Erased, field)
			}
		}
	}
	if len(bodies) > 0 {
		s.State, err = describe(stream.Category(), bodies, s.Time)
	}
	return s, err
}

func (a *Audit) readUntil(ctx context.Context, stream eventstore.Stream, p eventstore.Position) ([]eventstore.Decoded, error) {
	var all []eventstore.Decoded
	for e, err := range numbered(ctx, a.journal.Log, stream, 0) {
		if err != nil {
			return nil, err
		}
		if e.Position > p {
			break
		}
		d, err := a.journal.Codec.Decode(ctx, e)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// judged returns the instant by which expiry is judged: the one asked for, or
// that at which the position was recorded.
func (a *Audit) judged(ctx context.Context, m Moment, p eventstore.Position) (time.Time, error) {
	if m.Position == 0 && !m.Time.IsZero() {
		return m.Time, nil
	}
	if p == 0 {
		return time.Time{}, nil
	}
	for e, err := range a.journal.Log.ReadAll(ctx, p-1, eventstore.Filter{}) {
		return e.Recorded, err
	}
	return time.Time{}, nil
}

// Diff tells what changed in a stream from one moment to another.
func (a *Audit) Diff(ctx context.Context, stream eventstore.Stream, from, to Moment) (Diff, error) {
	before, err := a.StateAt(ctx, stream, from)
	if err != nil {
		return Diff{}, err
	}
	after, err := a.StateAt(ctx, stream, to)
	if err != nil {
		return Diff{}, err
	}
	d := Diff{Stream: stream, From: before.At, To: after.At, Changes: changes("", before.State, after.State)}
	for _, e := range after.Events {
		if e.Position > before.At {
			d.Events = append(d.Events, e)
		}
	}
	return d, nil
}
