package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"
)

// userinfo serves the userinfo endpoint (OIDC-Core, Section 5.3).
func (s *Server) userinfo(v *visit) error {
	return s.challenged(v, "openid", s.serveUserinfo(v))
}

func (s *Server) serveUserinfo(v *visit) error {
	ctx := v.Request().Context()
	presented, err := s.presented(v, "/userinfo")
	if err != nil {
		return err
	}
	pass, err := s.admitToken(ctx, v, presented)
	if err != nil {
		return err
	}
	e := pass.live.token.Issued()
	if e.Subject == "" || !slices.Contains(strings.Fields(e.Scope), "openid") {
		return oauth.Refuse(oauth.InsufficientScope, "OIDC-Core §5.3.1", "the access token does not have the scope openid")
	}
	if err := s.rememberKeys(ctx, e.Client, pass.once); err != nil {
		return proofReplayed(err)
	}
	if len(pass.once) > 0 {
		s.offerNonce(v)
	}
	known, err := s.Directory.Claims(ctx, e.Subject)
	if err != nil {
		return err
	}
	requested, err := s.requestedClaims(ctx, e.Authorization, e.Refresh)
	if err != nil {
		return err
	}
	claims := map[string]any{"sub": s.subjectFor(pass.live.holder, e.Subject)}
	for _, name := range oauth.UserinfoClaims(e.Scope, requested) {
		if value, found := known[name]; found {
			claims[name] = value
		}
	}
	return v.JSON(http.StatusOK, claims)
}
