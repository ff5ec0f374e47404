package api

import (
	"context"
	"errors"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// An undecided request is as much of one as authorization_pending is answered
// from, again and again until somebody decides.
type undecided struct{ backchannel.State }

// Decide decides nothing: this is not the state that decisions are made on.
func (u undecided) Decide(backchannel.Command) ([]backchannel.Event, error) { return nil, nil }

// Evolve keeps what a poll is checked against, and that there is an answer, but
// not which.
func (u undecided) Evolve(e backchannel.Event) undecided {
	switch e := e.(type) {
	case backchannel.Requested:
		u.State = u.State.Evolve(backchannel.Requested{Client: e.Client, Digest: e.Digest, Expires: e.Expires, Interval: e.Interval, Mode: e.Mode})
	case backchannel.Approved:
		u.State = u.State.Evolve(backchannel.Approved{})
	case backchannel.Denied:
		u.State = u.State.Evolve(backchannel.Denied{})
	case backchannel.Redeemed:
		u.State = u.State.Evolve(backchannel.Redeemed{})
	case backchannel.Failed:
		u.State = u.State.Evolve(backchannel.Failed{})
	}
	return u
}

func newUndecided(j *eventstore.Journal) *eventstore.Cache[undecided, backchannel.Command, backchannel.Event] {
	return eventstore.NewExactCache(eventstore.Streams[undecided, backchannel.Command, backchannel.Event]{Journal: j, Kind: backchannels})
}

// polled returns the state that answers a poll. Memory answers only that
// nobody has decided yet, and only where the commit of a decision takes that
// back before it is acknowledged, so that it is never said too late. Everything
// else is read from the log.
func (s *Server) polled(ctx context.Context, cmd backchannel.Redeem) (backchannel.State, error) {
	if s.alone() {
		known, _, err := s.undecided.Get(ctx, cmd.AuthReqID.ID)
		if err != nil || errors.Is(known.Redeemable(cmd), oauth.AuthorizationPending) {
			return known.State, err
		}
	}
	state, _, err := s.Backchannels.Load(ctx, cmd.AuthReqID.ID)
	return state, err
}
