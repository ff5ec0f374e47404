package eventstore

import (
	"context"
	"errors"

	"github.com/chirograph/chirograph/domain/event"
)

// A Decider is the state of one stream. Its zero value is the state before the
// first event.
type Decider[S, C, E any] interface {
	Decide(C) ([]E, error)
	Evolve(E) S
}

// Streams are the streams of one kind of aggregate. Stream names are
// "<Kind>-<id>".
type Streams[S Decider[S, C, E], C, E any] struct {
	Journal *Journal
	Kind    string
}

// attempts bounds how often a decision is made afresh when others win.
const attempts = 8

// Stream returns the name of the stream of one aggregate.
func (ss Streams[S, C, E]) Stream(id string) Stream { return Stream(ss.Kind + "-" + id) }

// Execute decides cmd against the current state of a stream, records what
// follows from it, and returns the new state. If the stream moves meanwhile it
// decides afresh, with new event ids: a decision is never applied to a state
// it did not see.
func (ss Streams[S, C, E]) Execute(ctx context.Context, m event.Meta, id string, cmd C, once ...Once) (S, error) {
	return ss.ExecuteWith(ctx, m, id, cmd, func(S) []Draft { return nil }, once...)
}

// ExecuteWith is Execute for a decision that also adds to other streams. What
// follow returns, given the new state, is appended after the events of this
// stream and only if they are. If cmd changes nothing, follow is not asked.
func (ss Streams[S, C, E]) ExecuteWith(ctx context.Context, m event.Meta, id string, cmd C, follow func(S) []Draft, once ...Once) (S, error) {
	var zero S
	for range attempts {
		state, revision, err := ss.Load(ctx, id)
		if err != nil {
			return zero, err
		}
		draft, next, err := ss.decide(id, state, revision, cmd)
		if err != nil || len(draft.Events) == 0 {
			return state, err
		}
		draft.Once = once
		_, err = ss.Journal.Commit(ctx, m, append([]Draft{draft}, follow(next)...)...)
		if conflict := (*Conflict)(nil); errors.As(err, &conflict) && conflict.Stream == draft.Stream {
			continue
		}
		if err != nil {
			return zero, err
		}
		return next, nil
	}
	return zero, &Conflict{Stream: ss.Stream(id)}
}

func (ss Streams[S, C, E]) decide(id string, state S, revision Revision, cmd C) (Draft, S, error) {
	events, err := state.Decide(cmd)
	if err != nil {
		return Draft{}, state, err
	}
	draft := Draft{Stream: ss.Stream(id), Expect: After(revision)}
	for _, e := range events {
		draft.Events = append(draft.Events, e)
		state = state.Evolve(e)
	}
	return draft, state, nil
}

// Draft decides cmd against a state that the caller has read at revision, for
// use in [Journal.Commit]. No events means that cmd asks for what is already so.
func (ss Streams[S, C, E]) Draft(id string, state S, revision Revision, cmd C) (Draft, error) {
	draft, _, err := ss.decide(id, state, revision, cmd)
	return draft, err
}

// Load returns the current state of a stream and its last revision,
// [NoRevision] if it has no event.
func (ss Streams[S, C, E]) Load(ctx context.Context, id string) (state S, revision Revision, err error) {
	revision = NoRevision
	for e, err := range ss.Journal.Log.ReadStream(ctx, ss.Stream(id), 0) {
		if err != nil {
			return state, revision, err
		}
		body, err := ss.Journal.Codec.Body(ctx, e)
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
