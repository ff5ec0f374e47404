package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// lateness is how long after its expiry a client is still told of a request:
// that it ran out, or what was decided in its last moment.
const lateness = 5 * time.Minute

// errUnissued means that the tokens of an approved request are never issued.
// What ended it is told because of its own event.
var errUnissued = errors.New("no tokens are issued for the request")

// tellAnswer pings or pushes to the client that asked (CIBA, Sections 10.2,
// 10.3 and 12). A ping says that there is an answer, so expiry needs none.
func (s *Server) tellAnswer(ctx context.Context, e eventstore.Decoded) ([]string, error) {
	id := e.Stream.ID()
	state, _, err := s.Backchannels.Load(ctx, id)
	if err != nil {
		return nil, err
	}
	request := state.Requested()
	c, _, err := s.Clients.Get(ctx, request.Client)
	to := c.Metadata().NotificationEndpoint
	if err != nil || !c.Active() || to == "" {
		return nil, err
	}
	n := notice{meta: s.causedBy(e, c.Issuer(), request.Client, request.Subject), Scheduled: delivery.Scheduled{
		Client: request.Client, Backchannel: id, Consent: state.Approved().Consent,
		Receiver: to, Media: "application/json", Until: request.Expires,
	}}
	n.meta.Correlation = string(s.Backchannels.Stream(id))
	n.Says, n.Error = said(e.Body)
	switch {
	case request.Mode == oauth.Ping && n.Error != oauth.ExpiredToken:
		n.Kind, n.Error, n.body = delivery.Ping, "", s.pingBody
	case request.Mode == oauth.Push:
		n.Kind, n.body = delivery.Push, s.pushBody
	default:
		return nil, nil
	}
	if _, ranOut := e.Body.(backchannel.Expired); ranOut && state.Decided() {
		return nil, nil // the answer was told, or is being told
	}
	if n.Error == oauth.ExpiredToken || n.Error == oauth.TransactionFailed {
		n.Until = s.Now().UTC().Add(lateness)
	}
	ids, err := s.schedule(ctx, e, n)
	if errors.Is(err, errUnissued) {
		err = nil
	}
	return ids, err
}

// said is what an answer says, for people and as an error code of CIBA,
// Section 12.
func said(answer any) (words string, code oauth.Code) {
	switch answer := answer.(type) {
	case backchannel.Approved:
		return "the customer approved", ""
	case backchannel.Denied:
		switch {
		case answer.Failed:
			return "the transaction failed", oauth.TransactionFailed
		case answer.By != backchannel.Customer:
			return "access is denied", oauth.AccessDenied
		}
		return "the customer denied", oauth.AccessDenied
	case backchannel.Failed:
		return "no tokens could be issued", answer.Error
	}
	return "the request ran out", oauth.ExpiredToken
}

func (s *Server) pingBody(ctx context.Context, _ string, told *delivery.Scheduled) ([]byte, error) {
	_, body, err := s.answer(ctx, *told)
	return body, err
}

// pushBody issues the tokens that are pushed, once. If none may be issued any
// more, the request has failed, and the event that says so is told instead.
func (s *Server) pushBody(ctx context.Context, _ string, told *delivery.Scheduled) ([]byte, error) {
	if told.Error == "" {
		err := s.IssuePush(ctx, told.Backchannel)
		if _, never := errors.AsType[*oauth.Error](err); never {
			return nil, errUnissued
		}
		if err != nil {
			return nil, err
		}
	}
	_, body, err := s.answer(ctx, *told)
	return body, err
}

// answer returns the body of a ping or push and the token that authenticates
// it (CIBA, Section 9).
func (s *Server) answer(ctx context.Context, told delivery.Scheduled) (bearer string, body []byte, err error) {
	kept, err := s.Waiting.Find(ctx, string(s.Backchannels.Stream(told.Backchannel)), s.Now())
	if err != nil {
		return "", nil, err
	}
	var a waiting
	if err := json.Unmarshal(kept, &a); err != nil {
		return "", nil, fmt.Errorf("%w: what waits for request %s is not readable", ErrGone, told.Backchannel)
	}
	switch {
	case told.Kind == delivery.Ping:
		body, err = json.Marshal(map[string]string{"auth_req_id": a.AuthReqID})
	case told.Error != "":
		body, err = json.Marshal(errorPush{told.Error, failures[told.Error], a.AuthReqID})
	default:
		body, err = s.pushed(ctx, told.Backchannel)
	}
	return a.NotificationToken, body, err
}

// pushed returns the tokens of a request as they are pushed.
func (s *Server) pushed(ctx context.Context, id string) ([]byte, error) {
	state, _, err := s.Backchannels.Load(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.Waiting.Find(ctx, waitsPush+state.Redeemed().Token, s.Now())
}

// errorPush is the body of CIBA, Section 12.
type errorPush struct {
	Error       oauth.Code `json:"error"`
	Description string     `json:"error_description"`
	AuthReqID   string     `json:"auth_req_id"`
}

var failures = map[oauth.Code]string{
	oauth.AccessDenied:      "the request was not approved",
	oauth.ExpiredToken:      "auth_req_id has expired",
	oauth.TransactionFailed: "the transaction failed",
}
