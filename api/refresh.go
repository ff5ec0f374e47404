package api

import (
	"net/url"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
)

// refresh issues an access token for a refresh token (RFC 6749, Section 6).
// The refresh token is not rotated, and each use gets a token of its own.
func (s *Server) refresh(v *visit, c *caller, params url.Values, bound token.Confirmation) (tokenResponse, error) {
	ctx := v.Request().Context()
	presented, ok := oauth.ParseArtefact(params.Get("refresh_token"))
	if !ok {
		return tokenResponse{}, oauth.Refuse(oauth.InvalidGrant, "RFC 6749 §6", "the refresh token is not valid")
	}
	state, _, err := s.Refreshes.Load(ctx, presented.ID)
	if err != nil {
		return tokenResponse{}, err
	}
	if err := state.Check(presented, c.ID, v.At); err != nil {
		return tokenResponse{}, err
	}
	from := state.Issued()
	given, _, err := s.Consents.Load(ctx, from.Consent)
	if err != nil {
		return tokenResponse{}, err
	}
	who, _, err := s.Subjects.Get(ctx, from.Subject)
	if err != nil {
		return tokenResponse{}, err
	}
	if !given.Alive(v.At) || who.Erased() {
		return tokenResponse{}, oauth.Refuse(oauth.InvalidGrant, "RFC 6749 §5.2", "the consent has ended")
	}
	scope, err := narrow(params.Get("scope"), from.Scope)
	if err != nil {
		return tokenResponse{}, err
	}
	resources := from.Resources
	if asked := params["resource"]; len(asked) > 0 {
		if err := subset(asked, resources); err != nil {
			return tokenResponse{}, err
		}
		resources = asked
	}
	aud, err := audience(v.Tenant, resources)
	if err != nil {
		return tokenResponse{}, err
	}
	journey, _, err := s.Authorizations.Load(ctx, from.Authorization)
	if err != nil {
		return tokenResponse{}, err
	}
	details, narrowed, err := grantedDetails(params.Get("authorization_details"), journey.Grant())
	if err != nil {
		return tokenResponse{}, err
	}
	e := token.Issued{Subject: from.Subject, Consent: from.Consent, Refresh: presented.ID, Scope: scope, Audience: aud, Confirmation: bound}
	e.ACR, e.AuthTime = given.Authentication()
	if narrowed {
		e.Details = details
	}
	if slices.Contains(strings.Fields(scope), "openid") {
		if e.IDTokenKey, err = s.activeKey(ctx, v.Tenant.ID, c.IDTokenAlg); err != nil {
			return tokenResponse{}, err
		}
	}
	in, err := s.prepare(ctx, v, c, e, details)
	if err != nil {
		return tokenResponse{}, err
	}
	c.Meta.Subject, c.Meta.Correlation = from.Subject, string(s.Authorizations.Stream(from.Authorization))
	draft := s.draft(in)
	draft.Once = c.Once
	if _, err := s.Journal.Commit(ctx, c.Meta, draft); err != nil {
		return tokenResponse{}, err
	}
	return s.respondRefreshed(v, c, in, params.Get("refresh_token"))
}

// respondRefreshed answers with the same refresh token, and a new ID token
// without nonce but with the original auth_time (OIDC-Core, Section 12.2).
func (s *Server) respondRefreshed(v *visit, c *caller, in issuance, refreshToken string) (tokenResponse, error) {
	ctx, e := v.Request().Context(), in.event
	access, err := s.write(ctx, v, in)
	if err != nil {
		return tokenResponse{}, err
	}
	r := tokenResponse{
		AccessToken: access, TokenType: tokenType(e.Confirmation), ExpiresIn: seconds(v.Tenant.Settings.AccessTokenLifetime),
		RefreshToken: refreshToken, Scope: e.Scope, Details: in.details,
	}
	if e.IDTokenKey != "" {
		r.IDToken, err = s.idToken(ctx, v, c, e.IDTokenKey, access, identity{subject: e.Subject, acr: e.ACR, authTime: e.AuthTime})
	}
	return r, err
}
