package api

import (
	"errors"
	"net/http"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
)

// askRevoke says what stops, before it does.
func (s *Server) askRevoke(v *visit, who Session) error {
	id, state, err := s.ownConsent(v, who)
	if err != nil {
		return err
	}
	view, err := s.ownView(v, who, id, state)
	if err != nil {
		return err
	}
	if !view.CanStop {
		return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/my/consents/"+id)
	}
	return s.show(v, http.StatusOK, "revoke", "Stop sharing with "+view.Client+"?", view, "")
}

// revokeOwnConsent ends a consent. What the client holds of it counts no more
// from the moment this is answered.
func (s *Server) revokeOwnConsent(v *visit, who Session) error {
	id, state, err := s.ownConsent(v, who)
	if err != nil {
		return err
	}
	m := s.meta(v, event.ActorCustomer)
	m.Client, m.Subject, m.Session = state.Client(), who.Subject, who.ID
	m.Correlation = string(s.Consents.Stream(id))
	_, err = s.Consents.Execute(v.Request().Context(), m, id, consent.Revoke{
		Revoked: consent.Revoked{By: consent.Customer}, Subject: who.Subject})
	if err != nil && !errors.Is(err, consent.ErrEnded) {
		return err
	}
	return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/my/consents/"+id+"?stopped")
}
