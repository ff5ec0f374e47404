package api

import (
	"crypto/hmac"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// What the customer may have to put right on the consent page.
var (
	changedMeanwhile = problem{Text: "What is asked for has changed since you opened this page. Please read it again.", Field: "consent", Status: http.StatusConflict}
	nothingChosen    = problem{Text: "Please choose at least one account, or decline.", Field: "account-0", Status: http.StatusBadRequest}
)

// question is what an interaction asks the customer.
func (i interaction) question(who Session) question {
	q := question{
		id: i.ticket.id, subject: who.Subject, client: i.client, opened: i.ticket.opened,
		scope: i.request.Scope, details: i.request.AuthorizationDetails, claims: i.request.Claims,
	}
	if back, err := url.Parse(i.request.RedirectURI); err == nil {
		q.host = back.Host
	}
	return q
}

// showConsent shows what the client asks for, and asks.
func (s *Server) showConsent(v *visit, i interaction, who Session) error {
	o, err := s.offer(v.Request().Context(), v.Tenant, i.question(who), v.At)
	if errors.Is(err, errNoAccounts) {
		view := consentView{Client: displayName(i.client), Ticket: s.sealTicket(v, i)}
		return s.show(v, http.StatusOK, "noaccounts", "There is no account to share", view, i.request.RedirectURI)
	}
	if err != nil {
		return s.leave(v, i, err)
	}
	return s.showOffer(v, i, who, o, problem{})
}

func (s *Server) showOffer(v *visit, i interaction, who Session, o offer, p problem) error {
	request, shown, err := s.explain(v.Tenant, i.question(who), o)
	if err != nil {
		return err
	}
	title := "Share with " + displayName(i.client) + "?"
	if p.Text != "" {
		title = "Problem: " + title
	}
	view := consentView{
		Client: displayName(i.client), Customer: o.customer, Ticket: s.sealTicket(v, i), Request: request, Problem: p,
		Shown: shown + "." + pageText.EncodeToString(s.shownMAC(v, i, shown)),
	}
	return s.show(v, p.status(), "consent", title, view, i.request.RedirectURI)
}

type consentView struct {
	Client   string
	Customer string
	Ticket   string
	Shown    string // hash of Request, authenticated
	Request  template.HTML
	Problem  problem
}

func (s *Server) shownMAC(v *visit, i interaction, shown string) []byte {
	return s.pageMAC("shown", s.sealTicket(v, i), shown)
}

// wasShown reports whether the page that the customer answers is one we sent
// for this request, and says what we would say now.
func (s *Server) wasShown(v *visit, i interaction, now, sent string) bool {
	shown, mac, _ := strings.Cut(sent, ".")
	raw, err := pageText.DecodeString(mac)
	return err == nil && shown == now && hmac.Equal(raw, s.shownMAC(v, i, shown))
}
