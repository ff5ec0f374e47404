package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// What waits for a push is named by these and the jti: first what the tokens
// are made of, and once they are recorded, and signed, the body that is sent.
const (
	waitsIssued = "issued-"
	waitsPush   = "push-"
)

// issued is what tokens are made of whose events may not be recorded yet.
type issued struct {
	At           time.Time            `json:"at"`
	Token        token.Issued         `json:"token"`
	Opaque       string               `json:"opaque,omitempty"`
	Details      []oauth.Detail       `json:"details,omitempty"`
	Refresh      *token.RefreshIssued `json:"refresh,omitempty"`
	RefreshToken string               `json:"refresh_token,omitempty"`
}

// A pushMessage is the body of CIBA, Section 10.3.1.
type pushMessage struct {
	AuthReqID string `json:"auth_req_id"`
	tokenResponse
}

func (s *Server) keepIssued(ctx context.Context, state backchannel.State, m moment, p bundle) error {
	kept := issued{At: m.At, Token: p.access.event, Details: p.access.details, Refresh: p.refreshed}
	if !p.access.jwt {
		kept.Opaque = p.access.opaque.Text()
	}
	if p.refreshed != nil {
		kept.RefreshToken = p.refresh.Text()
	}
	return s.keep(ctx, waitsIssued+p.access.id, kept, state)
}

func (s *Server) keep(ctx context.Context, id string, value any, state backchannel.State) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return s.Waiting.Keep(ctx, id, raw, state.Requested().Expires.Add(lateness))
}

// finishPush does what was cut off after a request was redeemed: it records the
// tokens, and writes and keeps the body of the push.
func (s *Server) finishPush(ctx context.Context, id string, state backchannel.State) error {
	jti := state.Redeemed().Token
	var made issued
	err := s.waits(ctx, waitsIssued+jti, s.Now(), &made)
	if errors.Is(err, ErrGone) {
		return s.recorded(ctx, jti)
	}
	if err != nil {
		return err
	}
	receiver, _, err := s.Clients.Get(ctx, state.Requested().Client)
	if err != nil {
		return err
	}
	meta := s.pushMeta(id, state, receiver.Issuer())
	err = s.recordIssued(ctx, meta, s.Tokens.Stream(jti), made.Token)
	if err == nil && made.Refresh != nil {
		err = s.recordIssued(ctx, meta, s.Refreshes.Stream(state.Redeemed().Refresh), *made.Refresh)
	}
	if err == nil {
		err = s.keepPush(ctx, id, state, made)
	}
	if err != nil {
		return err
	}
	return s.Waiting.Forget(ctx, waitsIssued+jti)
}

// keepPush writes the body of the push, once, so that who retries sends the same
// bytes.
func (s *Server) keepPush(ctx context.Context, id string, state backchannel.State, made issued) error {
	push := waitsPush + state.Redeemed().Token
	if _, err := s.Waiting.Find(ctx, push, s.Now()); !errors.Is(err, ErrGone) {
		return err
	}
	receiver, _, err := s.Clients.Get(ctx, state.Requested().Client)
	if err != nil {
		return err
	}
	t, _, err := s.Tenant(ctx, receiver.Issuer())
	if err != nil {
		return err
	}
	c := oauth.Client{ID: state.Requested().Client, ClientMetadata: receiver.Metadata()}
	message, err := s.pushMessage(ctx, id, state, c, moment{t, made.At}, made)
	if err != nil {
		return err
	}
	return s.keep(ctx, push, message, state)
}

// pushMessage writes the tokens, whose events are durable.
func (s *Server) pushMessage(ctx context.Context, id string, state backchannel.State, c oauth.Client, m moment, made issued) (pushMessage, error) {
	var secrets waiting
	if err := s.waits(ctx, string(s.Backchannels.Stream(id)), s.Now(), &secrets); err != nil {
		return pushMessage{}, err
	}
	yes := state.Approved()
	p := bundle{
		access:    issuance{id: state.Redeemed().Token, event: made.Token, details: made.Details, jwt: made.Opaque == ""},
		refreshed: made.Refresh,
		identity: identity{
			subject: yes.Subject, acr: yes.ACR, amr: yes.AMR, authTime: yes.AuthTime,
			authReqID: secrets.AuthReqID, refreshToken: made.RefreshToken,
		},
	}
	p.access.opaque, _ = oauth.ParseArtefact(made.Opaque)
	p.refresh, _ = oauth.ParseArtefact(made.RefreshToken)
	tokens, err := s.respond(ctx, m, &caller{Client: c}, p)
	return pushMessage{secrets.AuthReqID, tokens}, err
}

// waits reads what waits under an id.
func (s *Server) waits(ctx context.Context, id string, at time.Time, into any) error {
	kept, err := s.Waiting.Find(ctx, id, at)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(kept, into); err != nil {
		return fmt.Errorf("%w: what waits as %s is not readable", ErrGone, id)
	}
	return nil
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
	for _, err := range s.Journal.Log.ReadStream(ctx, stream, 0) {
		return err
	}
	_, err := s.Journal.Commit(ctx, m, eventstore.Draft{Stream: stream, Expect: eventstore.Absent(), Events: []any{first}})
	if errors.Is(err, eventstore.ErrConflict) {
		return nil
	}
	return err
}
