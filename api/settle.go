package api

import (
	"context"
	"errors"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
)

// settlements bounds how often something is decided afresh. A journey moves
// fewer times than that, whoever races.
const settlements = 8

// settle appends what decide makes of a stream as it stands, a journey or a
// backchannel request, and decides afresh if that or what else is appended to
// moves meanwhile. A log that is not atomic may have written the first drafts by
// then: the next decision meets its own. No drafts mean that there is nothing to
// do.
func settle[S eventstore.Decider[S, C, E], C, E any](
	ctx context.Context, ss eventstore.Streams[S, C, E], m event.Meta, id string,
	decide func(S, eventstore.Revision) ([]eventstore.Draft, error),
) error {
	state, revision, err := ss.Load(ctx, id)
	for range settlements {
		if err != nil {
			return err
		}
		drafts, refusal := decide(state, revision)
		if refusal != nil || len(drafts) == 0 {
			return refusal
		}
		_, failure := ss.Journal.Commit(ctx, m, drafts...)
		unknown := errors.Is(failure, eventstore.ErrUnknownOutcome)
		if !unknown && !errors.Is(failure, eventstore.ErrConflict) {
			return failure
		}
		before := revision
		state, revision, err = ss.Load(ctx, id)
		if unknown && (err != nil || revision == before) {
			return failure
		}
	}
	return eventstore.ErrConflict
}

// execute is [eventstore.Streams.Execute] as one of several steps that the same
// replay keys guard: the first that appends uses them up. It returns those that
// are left.
func execute[S eventstore.Decider[S, C, E], C, E any](
	ctx context.Context, ss eventstore.Streams[S, C, E], m event.Meta, id string, cmd C, keys []eventstore.Once,
) ([]eventstore.Once, error) {
	for range settlements {
		state, revision, err := ss.Load(ctx, id)
		if err != nil {
			return keys, err
		}
		draft, err := ss.Draft(id, state, revision, cmd)
		if err != nil || len(draft.Events) == 0 {
			return keys, err
		}
		draft.Once = keys
		if _, err = ss.Journal.Commit(ctx, m, draft); !errors.Is(err, eventstore.ErrConflict) {
			return nil, err
		}
	}
	return keys, &eventstore.Conflict{Stream: ss.Stream(id)}
}
