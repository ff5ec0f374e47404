package api

import (
	"context"
	"encoding/json"
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
	p, failure := s.preparePush(ctx, id, state)
	if refusal, ok := errors.AsType[*oauth.Error](failure); ok {
		return s.failPush(ctx, id, state, backchannel.Failed{Error: oauth.TransactionFailed, Reason: refusal.Description})
	}
	if failure != nil {
		return failure
	}
	won, err := s.spendPush(ctx, id, state, p)
	switch {
	case errors.Is(err, backchannel.ErrExpired):
		return s.failPush(ctx, id, state, backchannel.Failed{Error: oauth.ExpiredToken, Reason: "auth_req_id has expired"})
	case err != nil:
		return err
	case won:
		return s.Waiting.Forget(ctx, waitsIssued+p.access.id)
	}
	return errors.Join(s.Waiting.Forget(ctx, waitsPush+p.access.id), s.Waiting.Forget(ctx, waitsIssued+p.access.id), s.IssuePush(ctx, id))
}

// pushed are the tokens of a request that are not recorded yet.
type pushed struct {
	moment
	bundle
	events  issued
	message pushMessage
}

// issued is what is recorded of tokens after the event that names them.
type issued struct {
	Token   token.Issued         `json:"token"`
	Refresh *token.RefreshIssued `json:"refresh,omitempty"`
}

// A pushMessage is the body of CIBA, Section 10.3.1.
type pushMessage struct {
	AuthReqID string `json:"auth_req_id"`
	tokenResponse
}

// preparePush makes the tokens. It refuses if what the customer approved has
// ended since, or the client may not have it.
func (s *Server) preparePush(ctx context.Context, id string, state backchannel.State) (p pushed, err error) {
	c, err := s.pushReceiver(ctx, state, &p.moment)
	if err != nil {
		return p, err
	}
	if err := s.completeBackchannel(ctx, s.pushMeta(id, state, p.Tenant.ID), id, state, p.At); err != nil {
		return p, err
	}
	bound, err := pushBinding(p.Tenant, c, state.Requested())
	if err != nil {
		return p, err
	}
	b, err := s.basisOf(ctx, p.moment, id, state)
	if err != nil {
		return p, err
	}
	if p.message.AuthReqID, err = s.authReqID(ctx, id, p.moment); err != nil {
		return p, err
	}
	if p.bundle, err = s.plan(ctx, p.moment, c, url.Values{}, bound, b); err != nil {
		return p, err
	}
	p.identity.authReqID = p.message.AuthReqID
	if p.events = (issued{p.access.event, p.refreshed}); p.refreshed != nil {
		p.identity.refreshToken = p.refresh.Text()
	}
	p.message.tokenResponse, err = s.respond(ctx, p.moment, c, p.bundle)
	return p, err
}

// pushReceiver returns the client that asked, which must be in good standing.
func (s *Server) pushReceiver(ctx context.Context, state backchannel.State, m *moment) (*caller, error) {
	id := state.Requested().Client
	receiver, _, err := s.Clients.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	t, found, err := s.Tenant(ctx, receiver.Issuer())
	if err != nil {
		return nil, err
	}
	if *m = (moment{t, s.Now()}); !found || !t.Active || !receiver.Active() {
		return nil, oauth.Refuse(oauth.TransactionFailed, "CIBA §12", "the client may not act now")
	}
	how := oauth.Evidence{ClientAuth: state.Requested().Evidence.ClientAuth} // the rest is in backchannel.requested
	return &caller{Client: oauth.Client{ID: id, ClientMetadata: receiver.Metadata()}, Evidence: how}, nil
}

// pushBinding is the key that the client showed when it asked (CIBA, Section 5).
func pushBinding(t Tenant, c *caller, asked backchannel.Requested) (token.Confirmation, error) {
	switch {
	case asked.JKT != "" && !c.TLSBoundTokens:
		return token.Confirmation{JKT: asked.JKT}, nil
	case asked.X5TS != "" && c.TLSBoundTokens:
		return token.Confirmation{X5TS: asked.X5TS}, nil
	case c.DPoPBoundTokens || c.TLSBoundTokens || t.Profile.SenderBinding.Demanded():
		return token.Confirmation{}, oauth.Refuse(oauth.TransactionFailed, "CIBA §5", "the client has shown no key that the tokens could be bound to")
	}
	return token.Confirmation{}, nil
}

// authReqID returns the whole auth_req_id, of which the log knows a digest.
func (s *Server) authReqID(ctx context.Context, id string, m moment) (string, error) {
	kept, err := s.Waiting.Find(ctx, string(s.Backchannels.Stream(id)), m.At)
	if err != nil {
		return "", err
	}
	var secrets struct {
		AuthReqID string `json:"auth_req_id"`
	}
	if err := json.Unmarshal(kept, &secrets); err != nil {
		return "", fmt.Errorf("%w: what waits for request %s is not readable", ErrGone, id)
	}
	return secrets.AuthReqID, nil
}

func (s *Server) pushMeta(id string, state backchannel.State, issuer string) event.Meta {
	return event.Meta{
		Issuer: issuer, Actor: event.ActorSystem, Client: state.Requested().Client, Subject: state.Requested().Subject,
		Correlation: string(s.Backchannels.Stream(id)), Software: s.Software,
	}
}

// The names of what waits for a push, with the jti behind: what is sent, and
// what is to be recorded, until it is.
const (
	waitsPush   = "push-"
	waitsIssued = "issued-"
)

// spendPush keeps the tokens and then redeems the request for them, unless
// somebody else has ended it meanwhile.
func (s *Server) spendPush(ctx context.Context, id string, state backchannel.State, p pushed) (won bool, err error) {
	until, jti := state.Requested().Expires.Add(lateness), p.access.id
	for name, value := range map[string]any{waitsPush: p.message, waitsIssued: p.events} {
		raw, err := json.Marshal(value)
		if err != nil {
			return false, err
		}
		if err := s.Waiting.Keep(ctx, name+jti, raw, until); err != nil {
			return false, err
		}
	}
	spent := p.redeemed()
	spent.Via = oauth.Push
	var cmd backchannel.Command = backchannel.RedeemByPush{Redeemed: spent, At: p.At}
	err = settle(ctx, s.Backchannels, s.pushMeta(id, state, p.Tenant.ID), id, func(now backchannel.State, at eventstore.Revision) ([]eventstore.Draft, error) {
		if won = now.Redeemed().Token == "" && now.Failed().Error == ""; !won {
			return nil, nil
		}
		step, err := s.Backchannels.Draft(id, now, at, cmd)
		return append([]eventstore.Draft{step}, p.drafts(s)...), err
	})
	return won, err
}

// finishPush records the tokens of a redeemed request if that was cut off.
func (s *Server) finishPush(ctx context.Context, id string, state backchannel.State) error {
	jti := state.Redeemed().Token
	kept, err := s.Waiting.Find(ctx, waitsIssued+jti, s.Now())
	if errors.Is(err, ErrGone) {
		return s.recorded(ctx, jti)
	}
	if err != nil {
		return err
	}
	var missing issued
	if err := json.Unmarshal(kept, &missing); err != nil {
		return fmt.Errorf("%w: the tokens of request %s are not readable", ErrGone, id)
	}
	receiver, _, err := s.Clients.Get(ctx, state.Requested().Client)
	if err != nil {
		return err
	}
	m := s.pushMeta(id, state, receiver.Issuer())
	err = s.recordIssued(ctx, m, s.Tokens.Stream(jti), missing.Token)
	if err == nil && missing.Refresh != nil {
		err = s.recordIssued(ctx, m, s.Refreshes.Stream(state.Redeemed().Refresh), *missing.Refresh)
	}
	if err != nil {
		return err
	}
	return s.Waiting.Forget(ctx, waitsIssued+jti)
}

// recorded reports as [ErrGone] a token that was never recorded.
func (s *Server) recorded(ctx context.Context, jti string) error {
	state, _, err := s.Tokens.Load(ctx, jti)
	if err == nil && !state.Exists() {
		err = fmt.Errorf("%w: the tokens were not recorded in time", ErrGone)
	}
	return err
}

// recordIssued appends what a stream begins with, unless it has begun.
func (s *Server) recordIssued(ctx context.Context, m event.Meta, stream eventstore.Stream, first any) error {
	_, err := s.Journal.Commit(ctx, m, eventstore.Draft{Stream: stream, Expect: eventstore.Absent(), Events: []any{first}})
	if errors.Is(err, eventstore.ErrConflict) {
		return nil
	}
	return err
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
