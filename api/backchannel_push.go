package api

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// IssuePush makes the tokens that are pushed for an approved request (CIBA,
// Section 10.3), once: however often it is called and wherever it was cut off
// before, there is one set of them. When it returns nil their events are durable
// and Waiting keeps the body of the push under "push-" and the jti that the
// request was redeemed for. It answers with an [*oauth.Error], of a code of CIBA,
// Section 12, if no tokens can be issued; that is in the log then, and final.
func (s *Server) IssuePush(ctx context.Context, id string) error {
	state, _, err := s.Backchannels.Load(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case state.Failed().Error != "":
		return pushFailed(state.Failed())
	case state.Redeemed().Token != "":
		return s.finishPush(ctx, id, state)
	case state.Requested().Mode != oauth.Push || state.Approved().Consent == "":
		return fmt.Errorf("push for request %s: %w", id, backchannel.ErrNotApproved)
	}
	m, p, err := s.preparePush(ctx, id, state)
	if refusal, ok := errors.AsType[*oauth.Error](err); ok {
		return s.failPush(ctx, id, state, backchannel.Failed{Error: oauth.TransactionFailed, Reason: refusal.Description})
	}
	if err == nil {
		err = s.spendPush(ctx, id, state, m, p)
	}
	if errors.Is(err, backchannel.ErrExpired) {
		return s.failPush(ctx, id, state, backchannel.Failed{Error: oauth.ExpiredToken, Reason: "auth_req_id has expired"})
	}
	if err != nil {
		return err
	}
	return s.IssuePush(ctx, id) // which finishes what is decided now
}

// preparePush plans the tokens. It refuses if what the customer approved has
// ended since, or the client may not have it.
func (s *Server) preparePush(ctx context.Context, id string, state backchannel.State) (m moment, p bundle, err error) {
	c, m, err := s.pushReceiver(ctx, state)
	if err != nil {
		return m, p, err
	}
	if err := s.completeBackchannel(ctx, s.pushMeta(id, state, m.Tenant.ID), id, state, m.At); err != nil {
		return m, p, err
	}
	bound, err := pushBinding(m.Tenant, c, state.Requested())
	if err != nil {
		return m, p, err
	}
	b, err := s.basisOf(ctx, m, id, state)
	if err != nil {
		return m, p, err
	}
	p, err = s.plan(ctx, m, c, url.Values{}, bound, b)
	return m, p, err
}

// pushReceiver returns the client that asked, which must be in good standing,
// and its issuer.
func (s *Server) pushReceiver(ctx context.Context, state backchannel.State) (*caller, moment, error) {
	id := state.Requested().Client
	receiver, _, err := s.Clients.Get(ctx, id)
	if err != nil {
		return nil, moment{}, err
	}
	t, found, err := s.Tenant(ctx, receiver.Issuer())
	switch modes := t.Profile.DeliveryModes; {
	case err != nil:
	case !found || !t.Active || !receiver.Active():
		err = oauth.Refuse(oauth.TransactionFailed, "CIBA §12", "the client may not act now")
	case !modes.Permits(oauth.Push): // any more
		err = oauth.Refuse(oauth.TransactionFailed, modes.By, "this issuer does not push tokens")
	}
	how := oauth.Evidence{ClientAuth: state.Requested().Evidence.ClientAuth} // the rest is in backchannel.requested
	return &caller{Client: oauth.Client{ID: id, ClientMetadata: receiver.Metadata()}, Evidence: how}, moment{t, s.Now()}, err
}

// pushBinding is the key that the client showed when it asked (CIBA, Section 5).
func pushBinding(t Tenant, c *caller, asked backchannel.Requested) (token.Confirmation, error) {
	switch {
	case asked.JKT != "":
		return token.Confirmation{JKT: asked.JKT}, nil
	case asked.X5TS != "" && c.TLSBoundTokens:
		return token.Confirmation{X5TS: asked.X5TS}, nil
	case c.DPoPBoundTokens || c.TLSBoundTokens || t.Profile.SenderBinding.Demanded():
		return token.Confirmation{}, oauth.Refuse(oauth.TransactionFailed, "CIBA §5", "the client has shown no key that the tokens could be bound to")
	}
	return token.Confirmation{}, nil
}

func (s *Server) pushMeta(id string, state backchannel.State, issuer string) event.Meta {
	return event.Meta{
		Issuer: issuer, Actor: event.ActorSystem, Client: state.Requested().Client, Subject: state.Requested().Subject,
		Correlation: string(s.Backchannels.Stream(id)), Software: s.Software,
	}
}

// spendPush redeems the request for tokens that are kept before, unless somebody
// else has ended it meanwhile.
func (s *Server) spendPush(ctx context.Context, id string, state backchannel.State, m moment, p bundle) error {
	if err := s.keepIssued(ctx, state, m, p); err != nil {
		return err
	}
	spent := p.redeemed()
	spent.Via = oauth.Push
	var cmd backchannel.Command = backchannel.RedeemByPush{Redeemed: spent, At: m.At}
	return settle(ctx, s.Backchannels, s.pushMeta(id, state, m.Tenant.ID), id, func(now backchannel.State, at eventstore.Revision) ([]eventstore.Draft, error) {
		if now.Redeemed().Token != "" || now.Failed().Error != "" {
			return nil, nil
		}
		step, err := s.Backchannels.Draft(id, now, at, cmd)
		return append([]eventstore.Draft{step}, p.drafts(s)...), err
	})
}

// failPush decides that no tokens will be pushed, unless they are issued
// already.
func (s *Server) failPush(ctx context.Context, id string, state backchannel.State, why backchannel.Failed) error {
	receiver, _, err := s.Clients.Get(ctx, state.Requested().Client)
	if err != nil {
		return err
	}
	state, err = s.Backchannels.Execute(ctx, s.pushMeta(id, state, receiver.Issuer()), id, backchannel.Fail{Failed: why})
	switch {
	case errors.Is(err, backchannel.ErrDecided):
		return s.IssuePush(ctx, id)
	case err != nil:
		return err
	}
	return pushFailed(state.Failed())
}

func pushFailed(why backchannel.Failed) error {
	return oauth.Refuse(why.Error, "CIBA §12", why.Reason)
}
