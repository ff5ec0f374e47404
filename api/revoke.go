package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// revoke serves the revocation endpoint (RFC 7009, Section 2). A token that is
// unknown, ended or another client's gets the same answer as one that was
// revoked just now.
func (s *Server) revoke(v *visit) error {
	params, _, err := form(v.Request())
	if err != nil {
		return err
	}
	c, err := s.authenticate(v, params)
	if err != nil {
		return err
	}
	presented := params.Get("token")
	if presented == "" {
		return oauth.Refuse(oauth.InvalidRequest, "RFC 7009 §2.1", "token is required")
	}
	if err := s.revokeOnce(v, c, presented); err != nil {
		return err
	}
	return v.NoContent(http.StatusOK)
}

// revokeOnce takes the keys of the request also where nothing is left to revoke
// and so nothing is appended: in memory before, or else in the log after.
func (s *Server) revokeOnce(v *visit, c *caller, presented string) error {
	ctx, alone := v.Request().Context(), s.alone()
	if alone {
		if err := s.remember(ctx, c, c.Once); err != nil {
			return err
		}
	}
	left, err := s.revokePresented(v, c, presented)
	if err != nil || alone {
		return replayed(c, err)
	}
	return s.remember(ctx, c, left)
}

// revokePresented returns the replay keys that were not used, because nothing
// was appended.
func (s *Server) revokePresented(v *visit, c *caller, presented string) ([]eventstore.Once, error) {
	ctx := v.Request().Context()
	if artefact, ok := oauth.ParseArtefact(presented); ok {
		if left, found, err := s.revokeRefresh(ctx, c, artefact); found || err != nil {
			return left, err
		}
	}
	return s.revokeAccess(ctx, v, c, presented)
}

const byClient = "the client asked for it"

// revokeRefresh ends a refresh token and with it the access tokens it led to.
// The consent is left alone.
func (s *Server) revokeRefresh(ctx context.Context, c *caller, presented oauth.Artefact) (left []eventstore.Once, found bool, err error) {
	state, _, err := s.Refreshes.Load(ctx, presented.ID)
	if err != nil || !state.Names(presented) {
		return nil, false, err
	}
	meta := c.Meta
	meta.Subject, meta.Correlation = state.Issued().Subject, s.origin(state.Issued().Authorization, state.Issued().Backchannel)
	var end token.RefreshCommand = token.RevokeRefresh{RefreshRevoked: token.RefreshRevoked{By: "client", Reason: byClient}, Client: c.ID}
	left, err = execute(ctx, s.Refreshes, meta, presented.ID, end, c.Once)
	return left, true, unlessForeign(err)
}

func (s *Server) revokeAccess(ctx context.Context, v *visit, c *caller, presented string) ([]eventstore.Once, error) {
	found, err := s.find(ctx, v, presented)
	if inactive(err) {
		return c.Once, nil
	}
	if err != nil {
		return nil, err
	}
	meta := c.Meta
	meta.Subject = found.token.Issued().Subject
	var end token.Command = token.Revoke{Revoked: token.Revoked{By: "client", Reason: byClient}, Client: c.ID}
	left, err := execute(ctx, s.Tokens, meta, found.id, end, c.Once)
	return left, unlessForeign(err)
}

// unlessForeign hides that a token belongs to somebody else (RFC 7009,
// Section 2.1).
func unlessForeign(err error) error {
	if errors.Is(err, token.ErrOtherClient) {
		return nil
	}
	return err
}
