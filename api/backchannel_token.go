package api

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// redeemBackchannel exchanges an auth_req_id for tokens, once, or says why not
// yet (CIBA, Sections 10.1 and 11). A poll that gets no tokens appends nothing.
func (s *Server) redeemBackchannel(v *visit, c *caller, params url.Values, bound token.Confirmation) (tokenResponse, error) {
	ctx := v.Request().Context()
	presented, ok := oauth.ParseArtefact(params.Get("auth_req_id"))
	switch {
	case c.DeliveryMode == oauth.Push:
		return tokenResponse{}, oauth.Refuse(oauth.UnauthorizedClient, "CIBA §11", "the tokens of this client are pushed")
	case params.Get("auth_req_id") == "":
		return tokenResponse{}, oauth.Refuse(oauth.InvalidRequest, "CIBA §10.1", "auth_req_id is required")
	case !ok:
		return tokenResponse{}, oauth.Refuse(oauth.InvalidGrant, "CIBA §11", "auth_req_id is not valid")
	}
	state, err := s.poll(v, c, presented)
	if err != nil {
		return tokenResponse{}, err
	}
	meta := c.Meta
	meta.Subject, meta.Correlation = state.Approved().Subject, string(s.Backchannels.Stream(presented.ID))
	if err := s.completeBackchannel(ctx, meta, presented.ID, state, v.At); err != nil {
		return tokenResponse{}, err
	}
	b, err := s.basisOf(ctx, v.moment(), presented.ID, state)
	if err != nil {
		return tokenResponse{}, err
	}
	p, err := s.plan(ctx, v.moment(), c, params, bound, b)
	if err != nil {
		return tokenResponse{}, err
	}
	if err := s.spendBackchannel(ctx, c, meta, presented, v, p); err != nil {
		return tokenResponse{}, err
	}
	return s.respond(ctx, v.moment(), c, p)
}

// spendBackchannel appends what an auth_req_id is exchanged for: the first
// append spends it and decides races, and names token and refresh token, which
// follow it. Who comes later gets nothing, not even the same again (CIBA,
// Section 10.1.1).
func (s *Server) spendBackchannel(ctx context.Context, c *caller, m event.Meta, presented oauth.Artefact, v *visit, p bundle) error {
	cmd := backchannel.Redeem{AuthReqID: presented, Client: c.ID, At: v.At, Redeemed: p.redeemed()}
	err := settle(ctx, s.Backchannels, m, presented.ID, func(now backchannel.State, at eventstore.Revision) ([]eventstore.Draft, error) {
		cmd.Redeemed.Via = now.Requested().Mode
		step, err := s.Backchannels.Draft(presented.ID, now, at, backchannel.Command(cmd))
		step.Once = c.Once
		return append([]eventstore.Draft{step}, p.drafts(s)...), err
	})
	s.paces.forget(presented.ID)
	return err
}

// redeemed says what a backchannel request was redeemed for.
func (p bundle) redeemed() backchannel.Redeemed {
	return backchannel.Redeemed{Token: p.access.id, Refresh: p.access.event.Refresh, Consent: p.access.event.Consent}
}

// basisOf is what the customer approved, if the consent still carries it.
func (s *Server) basisOf(ctx context.Context, m moment, id string, state backchannel.State) (basis, error) {
	asked, yes := state.Requested(), state.Approved()
	given, alive, err := s.standing(ctx, yes.Consent, yes.Subject, m.At)
	switch {
	case err != nil:
		return basis{}, err
	case !alive:
		return basis{}, errConsentEnded
	}
	return basis{
		backchannel: id, consent: yes.Consent, scope: yes.Scope, openID: slices.Contains(strings.Fields(yes.Scope), "openid"),
		details: yes.Details, asked: yes.Asked, resources: asked.Resources, expires: given.Expires(),
		identity: identity{subject: yes.Subject, acr: yes.ACR, amr: yes.AMR, authTime: yes.AuthTime},
	}, nil
}

// poll returns the request that an auth_req_id names, which the customer has
// approved, or refuses in the words of CIBA, Section 11.
func (s *Server) poll(v *visit, c *caller, presented oauth.Artefact) (backchannel.State, error) {
	ctx, cmd := v.Request().Context(), backchannel.Redeem{AuthReqID: presented, Client: c.ID, At: v.At}
	state, err := s.polled(ctx, cmd)
	if err != nil {
		return state, err
	}
	refusal := state.Redeemable(cmd)
	if refusal == nil || errors.Is(refusal, oauth.InvalidGrant) {
		return state, refusal
	}
	if err := s.rememberPoll(ctx, c); err != nil {
		return state, err
	}
	if !errors.Is(refusal, oauth.AuthorizationPending) {
		return state, refusal
	}
	mayHold, early := s.paces.poll(presented.ID, interval(state.Requested()), state.Requested().Expires, v.At)
	switch wait := waitWanted(v.Request().Header); {
	case early != nil:
		return state, early
	case wait > 0 && mayHold:
		if state, err = s.holdPoll(v, cmd, state, wait); err == nil {
			err = s.stillMay(v, c)
		}
		return state, err
	}
	return state, refusal
}

// rememberPoll takes the replay keys of a poll, which most often appends
// nothing. Where they go to the log they are not committed again with the tokens
// that a held poll may still get.
func (s *Server) rememberPoll(ctx context.Context, c *caller) error {
	err := s.remember(ctx, c, c.Once)
	if err == nil && !s.alone() {
		c.Once = nil
	}
	return err
}
