package api

import (
	"context"
	"net/url"
	"time"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// A moment is an instant at an issuer.
type moment struct {
	Tenant Tenant
	At     time.Time
}

func (v *visit) moment() moment { return moment{v.Tenant, v.At} }

// A basis is what a customer has granted, in a browser or by a backchannel
// request, as far as tokens say it.
type basis struct {
	authorization string // the id of its stream
	backchannel   string // likewise; one of the two is empty
	consent       string
	scope         string
	openID        bool
	details       []oauth.Detail
	asked         bool // by authorization_details, so that the answer repeats them
	resources     []string
	expires       time.Time // the consent's
	identity      identity
}

// A bundle is the tokens that a basis is exchanged for: what will be recorded
// and, once that is durable, answered.
type bundle struct {
	identity  identity
	access    issuance
	refresh   oauth.Artefact
	refreshed *token.RefreshIssued
}

var errConsentEnded error = oauth.Refuse(oauth.InvalidGrant, "RFC 6749 §5.2", "the consent has ended")

// standing returns the consent that tokens would stand on, and whether it
// carries them: it has not ended, and its customer is known.
func (s *Server) standing(ctx context.Context, id, subject string, at time.Time) (given consent.State, alive bool, err error) {
	if given, _, err = s.Consents.Load(ctx, id); err != nil {
		return given, false, err
	}
	who, _, err := s.Subjects.Get(ctx, subject)
	return given, err == nil && given.Alive(at) && !who.Erased(), err
}

// plan prepares the tokens for a basis, or for less of it if the token request
// says so.
func (s *Server) plan(ctx context.Context, m moment, c *caller, params url.Values, bound token.Confirmation, b basis) (bundle, error) {
	p := bundle{identity: b.identity}
	e := token.Issued{
		Authorization: b.authorization, Backchannel: b.backchannel, Subject: b.identity.subject, Consent: b.consent, Scope: b.scope,
		Confirmation: bound, ACR: b.identity.acr, AuthTime: b.identity.authTime,
	}
	var err error
	if e.Audience, err = narrowAudience(m.Tenant, resources(params), b.resources); err != nil {
		return p, err
	}
	details, narrowed, err := carried(params.Get("authorization_details"), b.details, b.asked)
	if err != nil {
		return p, err
	}
	if narrowed {
		e.Details = details
	}
	if b.openID {
		if e.IDTokenKey, err = s.activeKey(ctx, m.Tenant.ID, c.IDTokenAlg); err != nil {
			return p, err
		}
	}
	if c.Grants("refresh_token") {
		p.planRefresh(c.ID, b)
		e.Refresh = p.refresh.ID
	}
	p.access, err = s.prepare(ctx, m, c, e, details)
	return p, err
}

// planRefresh prepares a refresh token that lives as long as the consent.
func (p *bundle) planRefresh(client string, b basis) {
	p.refresh = newArtefact()
	p.refreshed = &token.RefreshIssued{
		Client: client, Subject: b.identity.subject, Consent: b.consent, Authorization: b.authorization, Backchannel: b.backchannel,
		Scope: b.scope, Resources: b.resources, Digest: p.refresh.Digest(), Expires: b.expires,
	}
}

// drafts are the events of the tokens, all of them absent before.
func (p bundle) drafts(s *Server) []eventstore.Draft {
	drafts := []eventstore.Draft{s.draft(p.access)}
	if p.refreshed != nil {
		drafts = append(drafts, eventstore.Draft{
			Stream: s.Refreshes.Stream(p.refresh.ID), Expect: eventstore.Absent(), Events: []any{*p.refreshed}})
	}
	return drafts
}

// carried returns the details that a token carries: those the client asked for
// and got, or fewer if the token request says so.
func carried(asked string, granted []oauth.Detail, wanted bool) (details []oauth.Detail, narrowed bool, err error) {
	if asked != "" {
		details, err = narrowDetails(asked, granted)
		return details, true, err
	}
	if wanted {
		details = granted
	}
	return details, false, nil
}

// respond writes the tokens, all of whose events are durable.
func (s *Server) respond(ctx context.Context, m moment, c *caller, p bundle) (tokenResponse, error) {
	access, err := s.write(ctx, m, c, p.access)
	if err != nil {
		return tokenResponse{}, err
	}
	r := tokenResponse{
		AccessToken: access, TokenType: tokenType(p.access.event.Confirmation), Scope: p.access.event.Scope,
		ExpiresIn: seconds(m.Tenant.Settings.AccessTokenLifetime), Details: p.access.details,
	}
	if p.refreshed != nil {
		r.RefreshToken = p.refresh.Text()
	}
	if kid := p.access.event.IDTokenKey; kid != "" {
		who := p.identity
		who.accessToken = access
		r.IDToken, err = s.idToken(ctx, m, c, kid, who)
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
