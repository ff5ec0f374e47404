package api

import (
	"context"
	"errors"
	"slices"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
)

// A settlement decides what is appended, given the journey as it stands.
type settlement func(authorization.State, eventstore.Revision) ([]eventstore.Draft, error)

// settlements bounds how often one is decided afresh. A journey and the tokens
// it leads to move fewer times than that, whoever races.
const settlements = 8

// settle appends what decide makes of a journey, and decides afresh if the
// journey or anything else that is appended to moves meanwhile. On a log that
// writes the appends of a call one by one the first of them may be there then,
// so that the next decision meets its own.
func (s *Server) settle(ctx context.Context, m event.Meta, id string, decide settlement) error {
	for range settlements {
		state, revision, err := s.Authorizations.Load(ctx, id)
		if err != nil {
			return err
		}
		drafts, err := decide(state, revision)
		if err != nil {
			return err
		}
		drafts = slices.DeleteFunc(drafts, func(d eventstore.Draft) bool { return len(d.Events) == 0 })
		if len(drafts) == 0 {
			return nil
		}
		_, err = s.Journal.Commit(ctx, m, drafts...)
		if !errors.Is(err, eventstore.ErrConflict) {
			return err
		}
	}
	return eventstore.ErrConflict
}
