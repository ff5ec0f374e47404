package api

import (
	"context"
	"net/url"

	"github.com/chirograph/chirograph/domain/authorization"
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
	p := redemption{command: authorization.Redeem{
		Code: code, Client: c.ID, RedirectURI: params.Get("redirect_uri"), Verifier: params.Get("code_verifier"),
		JKT: bound.JKT, Evidence: c.Evidence, At: v.At,
	}}
	if err := journey.Genuine(p.command); err != nil {
		return tokenResponse{}, err
	}
	if p.bundle, err = s.planCode(v, c, params, bound, code.ID, journey); err != nil {
		return tokenResponse{}, err
	}
	p.command.CodeRedeemed = authorization.CodeRedeemed{Token: p.access.id, Refresh: p.access.event.Refresh, Consent: journey.Grant().Consent}
	meta := c.Meta
	meta.Subject, meta.Correlation = journey.Grant().Subject, string(s.Authorizations.Stream(code.ID))
	spent, err := s.spend(ctx, c, meta, p)
	switch {
	case err != nil:
		return tokenResponse{}, err
	case spent.Token == p.access.id:
		return tokenResponse{}, errSpent
	case spent.Token != "":
		return tokenResponse{}, s.endReplayed(ctx, meta, p.command, spent, c.Once)
	}
	return s.respond(ctx, v.moment(), c, p.bundle)
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

// A redemption is what redeeming a code will record and answer.
type redemption struct {
	command authorization.Redeem
	bundle
}

// planCode prepares what a genuine code is exchanged for, spent or not.
func (s *Server) planCode(v *visit, c *caller, params url.Values, bound token.Confirmation, id string, journey authorization.State) (bundle, error) {
	ctx, grant, request, person := v.Request().Context(), journey.Grant(), journey.Request(), journey.Person()
	given, alive, err := s.standing(ctx, grant.Consent, grant.Subject, v.At)
	if err != nil {
		return bundle{}, err
	}
	if !alive && journey.Redeemed().Token == "" {
		return bundle{}, errConsentEnded
	}
	b := basis{
		authorization: id, consent: grant.Consent, scope: grant.Scope, details: grant.Details, asked: grant.Asked,
		resources: request.Resource, expires: given.Expires(),
		identity: identity{subject: grant.Subject, acr: person.ACR, amr: person.AMR, authTime: person.AuthTime, nonce: request.Nonce},
	}
	if b.openID = request.OpenID(); b.openID {
		if b.identity.claims, err = s.idTokenClaims(ctx, grant.Subject, request.Claims); err != nil {
			return bundle{}, err
		}
	}
	return s.plan(ctx, v.moment(), c, params, bound, b)
}
