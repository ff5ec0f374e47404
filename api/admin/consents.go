package admin

import (
	"context"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/projections"
)

func (s *Server) listConsents(c *call) (any, error) {
	page, err := s.paged(c, "client", "subject")
	if err != nil {
		return nil, err
	}
	client, who := c.param("client"), c.param("subject")
	switch {
	case (client == "") == (who == ""):
		return nil, invalid("either client or subject is required")
	case client != "":
		return s.Projections.Consents.OfClient(c.Context(), client, page)
	}
	all, err := s.Projections.Consents.Of(c.Context(), who)
	if all == nil {
		all = []projections.Consent{}
	}
	return listing[projections.Consent]{all}, err
}

func (s *Server) getConsent(c *call) (any, error) {
	if err := s.Current(c.Context()); err != nil {
		return nil, err
	}
	return s.consent(c.Context(), c.PathValue("consent"))
}

func (s *Server) consent(ctx context.Context, id string) (projections.Consent, error) {
	found, known, err := s.Projections.Consents.Get(ctx, id)
	if err == nil && !known {
		err = notFound("there is no consent " + id)
	}
	return found, err
}

func (s *Server) revokeConsent(c *call) (any, error) {
	why, err := c.reason()
	if err != nil {
		return nil, err
	}
	id := c.PathValue("consent")
	if _, err := s.revoke(c.Context(), c.meta(), id, why); err != nil {
		return nil, err
	}
	if err := s.Current(c.Context()); err != nil {
		return nil, err
	}
	return s.consent(c.Context(), id)
}

// revoke ends a consent for the bank. The customer's key seals the reason.
func (s *Server) revoke(ctx context.Context, m event.Meta, id, why string) (consent.State, error) {
	before, _, err := s.API.Consents.Load(ctx, id)
	if err != nil {
		return before, err
	}
	if before.Status() == consent.Nothing {
		return before, notFound("there is no consent " + id)
	}
	m.Subject, m.Client = before.Subject(), before.Client()
	return s.API.Consents.Execute(ctx, m, id, consent.Revoke{Revoked: consent.Revoked{By: consent.Bank, Reason: why}})
}
