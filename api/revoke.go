package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
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
	if err := s.remember(c); err != nil { // where nothing is left to revoke, nothing is appended
		return err
	}
	if err := s.revokePresented(v, c, presented); err != nil {
		return replayed(c, err)
	}
	return v.NoContent(http.StatusOK)
}

func (s *Server) revokePresented(v *visit, c *caller, presented string) error {
	ctx := v.Request().Context()
	if artefact, ok := oauth.ParseArtefact(presented); ok {
		if done, err := s.revokeRefresh(ctx, c, artefact); done || err != nil {
			return err
		}
	}
	return s.revokeAccess(ctx, v, c, presented)
}

const byClient = "the client asked for it"

// revokeRefresh ends a refresh token and with it the access tokens it led to.
// The consent is left alone.
func (s *Server) revokeRefresh(ctx context.Context, c *caller, presented oauth.Artefact) (done bool, err error) {
	state, _, err := s.Refreshes.Load(ctx, presented.ID)
	if err != nil || !state.Names(presented) {
		return false, err
	}
	meta := c.Meta
	meta.Subject, meta.Correlation = state.Issued().Subject, string(s.Authorizations.Stream(state.Issued().Authorization))
	end := token.RevokeRefresh{RefreshRevoked: token.RefreshRevoked{By: "client", Reason: byClient}, Client: c.ID}
	_, err = s.Refreshes.Execute(ctx, meta, presented.ID, end, c.Once...)
	return true, unlessForeign(err)
}

func (s *Server) revokeAccess(ctx context.Context, v *visit, c *caller, presented string) error {
	found, err := s.find(ctx, v, presented)
	if inactive(err) {
		return nil
	}
	if err != nil {
		return err
	}
	meta := c.Meta
	meta.Subject = found.token.Issued().Subject
	end := token.Revoke{Revoked: token.Revoked{By: "client", Reason: byClient}, Client: c.ID}
	_, err = s.Tokens.Execute(ctx, meta, found.id, end, c.Once...)
	return unlessForeign(err)
}

// unlessForeign hides that a token belongs to somebody else (RFC 7009,
// Section 2.1).
func unlessForeign(err error) error {
	if errors.Is(err, token.ErrOtherClient) {
		return nil
	}
	return err
}
