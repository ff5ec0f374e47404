package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/eventstore"
)

// showDecided says that there is nothing left to decide. Where the customer
// said yes and the client has not had its code, she can go on from here.
func (s *Server) showDecided(v *visit, i interaction, status int) error {
	who, err := s.completing(v, i)
	if err != nil {
		return err
	}
	view := decidedView{Client: displayName(i.client)}
	if who.Subject != "" {
		view.Ticket = s.sealTicket(v, i)
	}
	return s.show(v, status, "decided", "This request has already been decided", view, i.request.RedirectURI)
}

type decidedView struct {
	Client string
	Ticket string // empty if the request cannot be completed here
}

// completing returns the session in which a granted request may be completed,
// or none: it must be the browser and the customer that said yes, in time, and
// the consent must not have ended since.
func (s *Server) completing(v *visit, i interaction) (Session, error) {
	g := i.journey.Grant()
	if !i.journey.Completable() || i.journey.Person().Browser != i.browser || i.lapsed(v) {
		return Session{}, nil
	}
	who, err := s.session(v)
	if errors.Is(err, ErrNoSession) || err == nil && who.Subject != g.Subject {
		return Session{}, nil
	}
	if err != nil {
		return Session{}, err
	}
	given, _, err := s.Consents.Load(v.Request().Context(), g.Consent)
	if err != nil || !mayStart(given, g, v.At) && !given.Alive(v.At) {
		return Session{}, err
	}
	return who, nil
}

// mayStart reports whether a crash kept a granted consent out of the log.
func mayStart(given consent.State, g authorization.Granted, now time.Time) bool {
	return given.Status() == consent.Nothing && now.Before(g.Expires)
}

// complete does what a crash after the customer's yes left undone: the consent
// if it is missing, and a new code in place of one that never arrived.
func (s *Server) complete(v *visit) error {
	params, err := pageForm(v.Request())
	if err != nil {
		return err
	}
	i, err := s.resume(v, params.Get("i"))
	if err != nil {
		return err
	}
	who, err := s.completing(v, i)
	if err != nil {
		return err
	}
	if who.Subject == "" {
		return s.showDecided(v, i, http.StatusConflict)
	}
	code, issue := s.newCode(v, i)
	err = settle(v.Request().Context(), s.Authorizations, s.journeyMeta(v, i, who), i.ticket.id, func(state authorization.State, revision eventstore.Revision) ([]eventstore.Draft, error) {
		given, _, err := s.Consents.Load(v.Request().Context(), state.Grant().Consent)
		if err != nil {
			return nil, err
		}
		coded, err := s.Authorizations.Draft(i.ticket.id, state, revision, issue)
		if err != nil || given.Status() != consent.Nothing {
			return []eventstore.Draft{coded}, err
		}
		agreed, err := s.agreed(v, i, state)
		return []eventstore.Draft{agreed, coded}, err
	})
	if err != nil {
		return s.leave(v, i, err)
	}
	return s.redirect(v, i, "code", code.Text())
}
