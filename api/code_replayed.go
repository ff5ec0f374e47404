package api

import (
	"context"
	"slices"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// endReplayed revokes what a replayed code was redeemed for and then notes the
// replay, so that where a replay is in the log its tokens have ended; what is
// not issued yet never will be. The presenter was the genuine client, so
// somebody has copied the code from it or to it. The consent is left alone.
// Whether the presenter waits for the end makes no difference.
func (s *Server) endReplayed(ctx context.Context, m event.Meta, id string, presented authorization.Redeem, once []eventstore.Once) error {
	ctx = context.WithoutCancel(ctx)
	err := s.settle(ctx, m, id, func(now authorization.State, at eventstore.Revision) ([]eventstore.Draft, error) {
		ends, err := s.ends(ctx, now.Redeemed())
		if err != nil {
			return nil, err
		}
		note, err := s.Authorizations.Draft(id, now, at, presented)
		return guarded(append(ends, note), once), err
	})
	if err != nil {
		return err
	}
	return errSpent
}

// ends revokes token and refresh token, in this order: while only the first is
// revoked the other can still be seen to be named.
func (s *Server) ends(ctx context.Context, spent authorization.CodeRedeemed) ([]eventstore.Draft, error) {
	const by, reason = "system", "the authorization code was presented twice"
	access, at, err := s.Tokens.Load(ctx, spent.Token)
	if err != nil {
		return nil, err
	}
	end, err := s.Tokens.Draft(spent.Token, access, at, token.Revoke{Revoked: token.Revoked{By: by, Reason: reason}})
	if err != nil || spent.Refresh == "" {
		return []eventstore.Draft{end}, err
	}
	refresh, at, err := s.Refreshes.Load(ctx, spent.Refresh)
	if err != nil {
		return nil, err
	}
	last, err := s.Refreshes.Draft(spent.Refresh, refresh, at, token.RevokeRefresh{RefreshRevoked: token.RefreshRevoked{By: by, Reason: reason}})
	return []eventstore.Draft{end, last}, err
}

// guarded gives replay keys to the first draft that has events.
func guarded(drafts []eventstore.Draft, keys []eventstore.Once) []eventstore.Draft {
	if i := slices.IndexFunc(drafts, func(d eventstore.Draft) bool { return len(d.Events) > 0 }); i >= 0 {
		drafts[i].Once = keys
	}
	return drafts
}
