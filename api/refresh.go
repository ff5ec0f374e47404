package api

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
)

// refresh issues an access token for a refresh token (RFC 6749, Section 6).
// The refresh token is not rotated, and each use gets a token of its own.
func (s *Server) refresh(v *visit, c *caller, params url.Values, bound token.Confirmation) (tokenResponse, error) {
	ctx := v.Request().Context()
	id, from, given, err := s.refreshable(ctx, v, c, params.Get("refresh_token"))
	if err != nil {
		return tokenResponse{}, err
	}
	e, details, err := s.refreshed(ctx, v, c, params, from)
	if err != nil {
		return tokenResponse{}, err
	}
	e.Refresh, e.Confirmation = id, bound
	e.ACR, e.AuthTime = given.Authentication()
	in, err := s.prepare(ctx, v.moment(), c, e, details)
	if err != nil {
		return tokenResponse{}, err
	}
	c.Meta.Subject, c.Meta.Correlation = from.Subject, s.origin(from.Authorization, from.Backchannel)
	draft := s.draft(in)
	draft.Once = c.Once
	if _, err := s.Journal.Commit(ctx, c.Meta, draft); err != nil {
		return tokenResponse{}, err
	}
	return s.respondRefreshed(v, c, in, params.Get("refresh_token"))
}

// refreshable finds a refresh token that the client may use now, and the
// consent it stands on. A revocation that comes later is seen when the access
// token is used.
func (s *Server) refreshable(ctx context.Context, v *visit, c *caller, presented string) (id string, from token.RefreshIssued, given consent.State, err error) {
	artefact, ok := oauth.ParseArtefact(presented)
	if !ok {
		return "", from, given, oauth.Refuse(oauth.InvalidGrant, "RFC 6749 §6", "the refresh token is not valid")
	}
	state, _, err := s.Refreshes.Load(ctx, artefact.ID)
	if err != nil {
		return "", from, given, err
	}
	if err := state.Check(artefact, c.ID, v.At); err != nil {
		return "", from, given, err
	}
	from = state.Issued()
	given, alive, err := s.standing(ctx, from.Consent, from.Subject, v.At)
	if err == nil && !alive {
		err = errConsentEnded
	}
	return artefact.ID, from, given, err
}

// refreshed decides what the new token says: what was granted, or less if the
// request asks for less.
func (s *Server) refreshed(ctx context.Context, v *visit, c *caller, params url.Values, from token.RefreshIssued) (token.Issued, []oauth.Detail, error) {
	e := token.Issued{Subject: from.Subject, Consent: from.Consent}
	var err error
	if e.Scope, err = narrow(params.Get("scope"), from.Scope); err != nil {
		return e, nil, err
	}
	if e.Audience, err = narrowAudience(v.Tenant, resources(params), from.Resources); err != nil {
		return e, nil, err
	}
	granted, wanted, err := s.grantedDetails(ctx, from)
	if err != nil {
		return e, nil, err
	}
	details, narrowed, err := carried(params.Get("authorization_details"), granted, wanted)
	if err != nil {
		return e, nil, err
	}
	if narrowed {
		e.Details = details
	}
	if slices.Contains(strings.Fields(e.Scope), "openid") {
		e.IDTokenKey, err = s.activeKey(ctx, v.Tenant.ID, c.IDTokenAlg)
	}
	return e, details, err
}

// grantedDetails returns what the customer granted when the refresh token was
// made, and whether the client had asked for it by authorization_details.
func (s *Server) grantedDetails(ctx context.Context, from token.RefreshIssued) (granted []oauth.Detail, wanted bool, err error) {
	if from.Backchannel != "" {
		request, _, err := s.Backchannels.Load(ctx, from.Backchannel)
		return request.Approved().Details, request.Approved().Asked, err
	}
	journey, _, err := s.Authorizations.Load(ctx, from.Authorization)
	return journey.Grant().Details, journey.Grant().Asked, err
}

// origin names the stream of the request that tokens go back to, which is what
// correlates everything that comes of it.
func (s *Server) origin(authorization, backchannel string) string {
	if backchannel != "" {
		return string(s.Backchannels.Stream(backchannel))
	}
	return string(s.Authorizations.Stream(authorization))
}

// respondRefreshed answers with the same refresh token, and a new ID token
// without nonce but with the original auth_time (OIDC-Core, Section 12.2).
func (s *Server) respondRefreshed(v *visit, c *caller, in issuance, refreshToken string) (tokenResponse, error) {
	ctx, e := v.Request().Context(), in.event
	access, err := s.write(ctx, v.moment(), c, in)
	if err != nil {
		return tokenResponse{}, err
	}
	r := tokenResponse{
		AccessToken: access, TokenType: tokenType(e.Confirmation), ExpiresIn: seconds(v.Tenant.Settings.AccessTokenLifetime),
		RefreshToken: refreshToken, Scope: e.Scope, Details: in.details,
	}
	if e.IDTokenKey != "" {
		r.IDToken, err = s.idToken(ctx, v.moment(), c, e.IDTokenKey,
			identity{subject: e.Subject, acr: e.ACR, authTime: e.AuthTime, accessToken: access})
	}
	return r, err
}
