package api

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// leave turns why an interaction cannot go on into an answer: to the client
// where it may hear of it, else a page.
func (s *Server) leave(v *visit, i interaction, err error) error {
	if end, ok := errors.AsType[*ending](err); ok {
		return s.end(v, i, authorization.System, end.refusal)
	}
	switch {
	case errors.Is(err, authorization.ErrDecided):
		now, err := s.load(v, i.ticket)
		if err != nil {
			return err
		}
		i.journey = now.journey
		return s.showDecided(v, i, http.StatusConflict)
	case errors.Is(err, authorization.ErrOtherBrowser):
		return foreign("the request is already being answered in another browser")
	case errors.Is(err, authorization.ErrOtherSubject):
		return foreign("the request is already being answered by another customer")
	}
	return err
}

// lapse ends an interaction that ran out.
func (s *Server) lapse(v *visit, i interaction) error {
	e := oauth.Refuse(oauth.AccessDenied, "RFC 6749 §4.1.2.1", "the customer did not answer in time")
	return s.end(v, i, authorization.System, e)
}

// end denies the request and tells the client.
func (s *Server) end(v *visit, i interaction, by string, refusal *oauth.Error) error {
	who, err := s.session(v)
	if err != nil && !errors.Is(err, ErrNoSession) {
		return err
	}
	meta := s.journeyMeta(v, i, who)
	if by == authorization.System {
		meta.Actor = event.ActorSystem
	}
	_, err = s.Authorizations.Execute(v.Request().Context(), meta, i.ticket.id, authorization.Deny{
		Denied: authorization.Denied{By: by, Reason: refusal.Description}, Browser: i.browser})
	if err != nil {
		return s.leave(v, i, err)
	}
	return s.redirectError(v, i, refusal)
}

// redirectError is the error response of RFC 6749, Section 4.1.2.1.
func (s *Server) redirectError(v *visit, i interaction, refusal *oauth.Error) error {
	return s.redirect(v, i, "error", string(refusal.Code), "error_description", describe(refusal))
}

// redirect sends an authorization response: the parameters, the client's state
// as it was sent, and who answers (RFC 9207, Section 2). It is a 303 (FAPI2-SP
// §5.3.2.2-2.11) so that no browser repeats a form at the client.
func (s *Server) redirect(v *visit, i interaction, params ...string) error {
	if i.request.State != "" {
		params = append(params, "state", i.request.State)
	}
	to := withParams(i.request.RedirectURI, append(params, "iss", v.Tenant.URL)...)
	if _, web := originOf(to); !web {
		// A browser does not follow a form to an app, so a page leads there.
		return s.show(v, http.StatusOK, "handover", "Back to the app", handoverView{displayName(i.client), template.URL(to)}, "")
	}
	v.Response().Header().Set("Referrer-Policy", "no-referrer")
	return v.Redirect(http.StatusSeeOther, to)
}

type handoverView struct {
	Client string
	To     template.URL // a registered redirect URI
}

// withParams adds parameters to a URI and leaves the rest of it as it is.
func withParams(uri string, params ...string) string {
	var b strings.Builder
	b.WriteString(uri)
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	for n := 0; n+1 < len(params); n += 2 {
		b.WriteString(separator + url.QueryEscape(params[n]) + "=" + url.QueryEscape(params[n+1]))
		separator = "&"
	}
	return b.String()
}

// displayName is what people are told the client is called.
func displayName(c oauth.Client) string {
	if c.ClientName == "" {
		return c.ID
	}
	return c.ClientName
}
