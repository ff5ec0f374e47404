package api

import (
	"context"
	"net/http"
	"time"

	"github.com/chirograph/chirograph/domain/consent"
)

// listConsents shows a customer what is shared, and what was.
func (s *Server) listConsents(v *visit, who Session) error {
	ctx := v.Request().Context()
	rows, err := s.Customers.Consents(ctx, who.Subject)
	if err != nil {
		return err
	}
	var view consentsView
	for _, r := range rows {
		item := s.consentItem(ctx, v, r)
		if item.Standing.Active {
			view.Active = append(view.Active, item)
		} else {
			view.Ended = append(view.Ended, item)
		}
	}
	return s.show(v, http.StatusOK, "myconsents", "What you share", view, "")
}

type consentsView struct{ Active, Ended []consentItem }

type consentItem struct {
	ID, Client               string
	Standing                 standing
	Since, Until, LastAccess string
}

func (s *Server) consentItem(ctx context.Context, v *visit, r ConsentRow) consentItem {
	item := consentItem{
		ID: r.ID, Client: s.clientName(ctx, r.Client), Since: dayOf(r.Since),
		Standing: standingOf(r.Status, r.Expires, v.At), Until: momentOf(r.Expires),
	}
	switch {
	case !r.Ended.IsZero():
		item.Until = momentOf(r.Ended)
	case !item.Standing.Active && v.At.Before(r.Expires):
		item.Until = "" // nobody has told when
	}
	if !r.LastAccess.IsZero() {
		item.LastAccess = momentOf(r.LastAccess)
	}
	return item
}

// clientName is what a client is called, or its id.
func (s *Server) clientName(ctx context.Context, id string) string {
	state, _, err := s.Clients.Get(ctx, id)
	if err != nil || state.Metadata().ClientName == "" {
		return id
	}
	return state.Metadata().ClientName
}

// A standing is where a consent stands, in a word.
type standing struct {
	Word   string
	Active bool
}

func standingOf(status consent.Status, expires, now time.Time) standing {
	if status == consent.Active && now.Before(expires) {
		return standing{"Active", true}
	}
	word, known := standingWords[status]
	if !known {
		word = "Ended"
	}
	return standing{word, false}
}

var standingWords = map[consent.Status]string{
	consent.Active:     "Ran out",
	consent.Awaiting:   "Not answered",
	consent.Refused:    "Declined",
	consent.UsedUp:     "Used",
	consent.Replaced:   "Replaced",
	consent.Stopped:    "Paused",
	consent.Terminated: "Stopped",
}
