package api

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// redeem exchanges a code for tokens (RFC 6749, Section 4.1.3), or ends the
// tokens of a code that was spent before. If it was spent just now by this very
// request, a replay came before the tokens were issued and has ended them.
func (s *Server) redeem(v *visit, c *caller, params url.Values, bound token.Confirmation) (tokenResponse, error) {
	ctx := v.Request().Context()
	code, ok := oauth.ParseArtefact(params.Get("code"))
	if !ok {
		return tokenResponse{}, oauth.Refuse(oauth.InvalidGrant, "RFC 6749 §5.2", "the code is not valid")
	}
	journey, _, err := s.Authorizations.Load(ctx, code.ID)
	if err != nil {
		return tokenResponse{}, err
	}
	p := redemption{bound: bound, command: authorization.Redeem{
		Code: code, Client: c.ID, RedirectURI: params.Get("redirect_uri"), Verifier: params.Get("code_verifier"),
		JKT: bound.JKT, Evidence: c.Evidence, At: v.At,
	}}
	if err := journey.Genuine(p.command); err != nil {
		return tokenResponse{}, err
	}
	if err := s.plan(v, c, params, journey, &p); err != nil {
		return tokenResponse{}, err
	}
	meta := c.Meta
	meta.Subject, meta.Correlation = journey.Grant().Subject, string(s.Authorizations.Stream(code.ID))
	p.setAuthorization(code.ID)
	spent, err := s.spend(ctx, c, meta, p)
	switch {
	case err != nil:
		return tokenResponse{}, err
	case spent.Token == p.access.id:
		return tokenResponse{}, errSpent
	case spent.Token != "":
		return tokenResponse{}, s.endReplayed(ctx, meta, p.command, spent, c.Once)
	}
	return s.respond(ctx, v, c, p, journey)
}

// spend appends what a code is exchanged for: the first append spends the code
// and names token and refresh token, which follow it. If the code was spent
// already, by whomever, it returns what for.
func (s *Server) spend(ctx context.Context, c *caller, m event.Meta, p redemption) (spent authorization.CodeRedeemed, err error) {
	id := p.command.Code.ID
	err = settle(ctx, s.Authorizations, m, id, func(now authorization.State, at eventstore.Revision) ([]eventstore.Draft, error) {
		if spent = now.Redeemed(); spent.Token != "" {
			return nil, nil
		}
		step, err := s.Authorizations.Draft(id, now, at, p.command)
		step.Once = c.Once
		return append([]eventstore.Draft{step}, p.drafts(s)...), err
	})
	return spent, err
}

var errSpent error = oauth.Refuse(oauth.InvalidGrant, "FAPI2-SP §5.3.2.2-2.9", "the code was used before")

// A redemption is everything that redeeming a code will record and answer.
type redemption struct {
	command   authorization.Redeem
	bound     token.Confirmation
	access    issuance
	claims    map[string]any // that the request wants in the ID token itself
	refresh   oauth.Artefact
	refreshed *token.RefreshIssued
}

// plan prepares what a genuine code is exchanged for, spent or not.
func (s *Server) plan(v *visit, c *caller, params url.Values, journey authorization.State, p *redemption) error {
	ctx, grant, request := v.Request().Context(), journey.Grant(), journey.Request()
	given, err := s.standing(v, journey)
	if err != nil {
		return err
	}
	e := token.Issued{
		Subject: grant.Subject, Consent: grant.Consent, Scope: grant.Scope, Confirmation: p.bound,
		ACR: journey.Person().ACR, AuthTime: journey.Person().AuthTime,
	}
	if e.Audience, err = narrowAudience(v.Tenant, resources(params), request.Resource); err != nil {
		return err
	}
	details, narrowed, err := grantedDetails(params.Get("authorization_details"), grant)
	if err != nil {
		return err
	}
	if narrowed {
		e.Details = details
	}
	if request.OpenID() {
		if e.IDTokenKey, err = s.activeKey(ctx, v.Tenant.ID, c.IDTokenAlg); err != nil {
			return err
		}
		if p.claims, err = s.idTokenClaims(ctx, grant.Subject, request.Claims); err != nil {
			return err
		}
	}
	if c.Grants("refresh_token") {
		p.planRefresh(c, grant, request.Resource, given.Expires())
		e.Refresh = p.refresh.ID
	}
	p.access, err = s.prepare(ctx, v, c, e, details)
	p.command.CodeRedeemed = authorization.CodeRedeemed{Token: p.access.id, Refresh: e.Refresh, Consent: grant.Consent}
	return err
}

// standing returns the consent that a code stands on. Unless the code is spent
// it must not have ended.
func (s *Server) standing(v *visit, journey authorization.State) (consent.State, error) {
	ctx, grant := v.Request().Context(), journey.Grant()
	given, _, err := s.Consents.Load(ctx, grant.Consent)
	if err != nil {
		return given, err
	}
	who, _, err := s.Subjects.Get(ctx, grant.Subject)
	if err == nil && journey.Redeemed().Token == "" && (!given.Alive(v.At) || who.Erased()) {
		err = oauth.Refuse(oauth.InvalidGrant, "RFC 6749 §5.2", "the consent has ended")
	}
	return given, err
}

// planRefresh prepares a refresh token that lives as long as the consent.
func (p *redemption) planRefresh(c *caller, grant authorization.Granted, resources []string, expires time.Time) {
	p.refresh = newArtefact()
	p.refreshed = &token.RefreshIssued{
		Client: c.ID, Subject: grant.Subject, Consent: grant.Consent, Scope: grant.Scope,
		Resources: resources, Digest: p.refresh.Digest(), Expires: expires,
	}
}

func (p *redemption) setAuthorization(id string) {
	p.access.event.Authorization = id
	if p.refreshed != nil {
		p.refreshed.Authorization = id
	}
}

func (p *redemption) drafts(s *Server) []eventstore.Draft {
	drafts := []eventstore.Draft{s.draft(p.access)}
	if p.refreshed != nil {
		drafts = append(drafts, eventstore.Draft{
			Stream: s.Refreshes.Stream(p.refresh.ID), Expect: eventstore.Absent(), Events: []any{*p.refreshed}})
	}
	return drafts
}

// grantedDetails returns the details that a token carries: those the client
// asked for and got, or fewer if the token request says so.
func grantedDetails(asked string, grant authorization.Granted) (details []oauth.Detail, narrowed bool, err error) {
	if asked != "" {
		details, err = narrowDetails(asked, grant.Details)
		return details, true, err
	}
	if grant.Asked {
		details = grant.Details
	}
	return details, false, nil
}

// respond writes the tokens, all of whose events are durable.
func (s *Server) respond(ctx context.Context, v *visit, c *caller, p redemption, journey authorization.State) (tokenResponse, error) {
	access, err := s.write(ctx, v, p.access)
	if err != nil {
		return tokenResponse{}, err
	}
	r := tokenResponse{
		AccessToken: access, TokenType: tokenType(p.access.event.Confirmation), Scope: p.access.event.Scope,
		ExpiresIn: seconds(v.Tenant.Settings.AccessTokenLifetime), Details: p.access.details,
	}
	if p.refreshed != nil {
		r.RefreshToken = p.refresh.Text()
	}
	if kid := p.access.event.IDTokenKey; kid != "" {
		person, request := journey.Person(), journey.Request()
		who := identity{person.Subject, person.ACR, person.AMR, person.AuthTime, request.Nonce, p.claims}
		r.IDToken, err = s.idToken(ctx, v, c, kid, access, who)
	}
	return r, err
}

// tokenType is DPoP only for tokens bound that way (RFC 9449, Section 5).
func tokenType(c token.Confirmation) string {
	if c.JKT != "" {
		return "DPoP"
	}
	return "Bearer"
}

// idTokenClaims returns the claims that the request wants in the ID token
// itself (OIDC-Core, Section 5.5).
func (s *Server) idTokenClaims(ctx context.Context, subject, requested string) (map[string]any, error) {
	asked, err := oauth.ParseClaims(requested)
	if err != nil || len(asked.IDToken) == 0 {
		return nil, nil
	}
	known, err := s.Directory.Claims(ctx, subject)
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	for name := range asked.IDToken {
		if value, found := known[name]; found && !strings.HasPrefix(name, "_") {
			claims[name] = value
		}
	}
	return claims, nil
}
