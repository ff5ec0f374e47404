package api

import (
	"context"
	"errors"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
)

// consentOf is the consent that an approved backchannel request leads to. It
// says nothing that the request's own events do not.
func (s *Server) consentOf(id string, state backchannel.State, at time.Time) (eventstore.Draft, error) {
	asked, yes := state.Requested(), state.Approved()
	shown, _ := state.Shown(yes.Shown)
	return s.Consents.Draft(yes.Consent, consent.State{}, eventstore.NoRevision, consent.Authorize{At: at, Authorized: consent.Authorized{
		Client: asked.Client, Subject: yes.Subject, Scope: yes.Scope, Details: yes.Details, Permissions: yes.Permissions, Expires: yes.Expires,
		Backchannel: id, ACR: yes.ACR, AuthTime: yes.AuthTime, Shown: yes.Shown, Template: yes.Template, Locale: yes.Locale,
		Message: asked.BindingMessage, Rendered: shown.Rendered,
	}})
}

// completeBackchannel does what a crash after the customer's yes left undone:
// it adds the consent if it is missing. It may be called at any time by whoever
// needs the consent.
func (s *Server) completeBackchannel(ctx context.Context, m event.Meta, id string, state backchannel.State, at time.Time) error {
	yes := state.Approved()
	if yes.Consent == "" || !at.Before(yes.Expires) {
		return nil
	}
	given, _, err := s.Consents.Load(ctx, yes.Consent)
	if err != nil || given.Status() != consent.Nothing {
		return err
	}
	missing, err := s.consentOf(id, state, at)
	if err != nil {
		return err
	}
	_, err = s.Journal.Commit(ctx, m, missing)
	if errors.Is(err, eventstore.ErrConflict) {
		return nil // somebody else added it
	}
	return err
}
