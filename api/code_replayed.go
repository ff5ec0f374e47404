package api

import (
	"context"

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
func (s *Server) endReplayed(ctx context.Context, m event.Meta, p authorization.Redeem, spent authorization.CodeRedeemed, keys []eventstore.Once) error {
	ctx = context.WithoutCancel(ctx)
	const by, reason = "system", "the authorization code was presented twice"
	system := m
	system.Actor = event.ActorSystem
	var end token.Command = token.Revoke{Revoked: token.Revoked{By: by, Reason: reason}}
	keys, err := execute(ctx, s.Tokens, system, spent.Token, end, keys)
	if err == nil && spent.Refresh != "" {
		var end token.RefreshCommand = token.RevokeRefresh{RefreshRevoked: token.RefreshRevoked{By: by, Reason: reason}}
		keys, err = execute(ctx, s.Refreshes, system, spent.Refresh, end, keys)
	}
	if err == nil {
		_, err = execute(ctx, s.Authorizations, m, p.Code.ID, authorization.Command(p), keys)
	}
	if err != nil {
		return err
	}
	return errSpent
}
