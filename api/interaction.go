package api

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// An interaction is an authorization request in one browser, from the opening
// of its request_uri to the answer.
type interaction struct {
	ticket  ticket
	browser string // SHA-256 of the browser's cookie, base64url
	journey authorization.State
	request oauth.AuthorizationRequest
	client  oauth.Client
}

// An ending is why the customer is sent back to the client without a code.
type ending struct{ refusal *oauth.Error }

func (e *ending) Error() string { return e.refusal.Error() }

func endWith(code oauth.Code, by oauth.Clause, description string) error {
	return &ending{oauth.Refuse(code, by, description)}
}

// load reads what a ticket is for.
func (s *Server) load(v *visit, t ticket) (i interaction, err error) {
	i.ticket = t
	if i.journey, _, err = s.Authorizations.Load(v.Request().Context(), t.id); err != nil {
		return i, err
	}
	i.request = i.journey.Request()
	if !i.journey.Exists() || i.request.RedirectURI == "" {
		return i, unusable("request_uri is unknown")
	}
	state, err := s.knownClient(v.Request().Context(), v.Tenant, i.journey.Client())
	i.client = oauth.Client{ID: i.journey.Client(), ClientMetadata: state.Metadata()}
	return i, err
}

// resume finds the interaction of a ticket, which is good only in the browser
// that opened it and until another browser is bound.
func (s *Server) resume(v *visit, sealed string) (interaction, error) {
	browser, _ := browserOf(v.Request())
	t, ok := s.openTicket(v, sealed, browser)
	if !ok {
		return interaction{}, foreign("this page was opened in another browser, or cookies are switched off")
	}
	i, err := s.load(v, t)
	i.browser = browser
	if bound := i.journey.Person().Browser; err == nil && bound != "" && bound != browser {
		return i, foreign("the request is already being answered in another browser")
	}
	return i, err
}

func foreign(description string) error {
	return &httpError{oauth.Refuse(oauth.AccessDenied, "", description), http.StatusForbidden, 0}
}

// lapsed reports whether the customer took too long.
func (i interaction) lapsed(v *visit) bool {
	return !v.At.Before(i.ticket.opened.Add(v.Tenant.Settings.InteractionLifetime))
}

// fresh reports whether a sign-in is recent enough for the request
// (OIDC-Core, Section 3.1.2.1). One after the opening always is.
func (i interaction) fresh(who Session) bool {
	if !who.AuthTime.Before(i.ticket.opened) {
		return true
	}
	age, limited := i.request.AuthenticationAge(i.client)
	again := i.request.Prompts("login") || i.request.Prompts("select_account")
	return !again && !(limited && i.ticket.opened.Sub(who.AuthTime) > age)
}

// interact shows the page that the request waits for: who are you, then do you
// agree.
func (s *Server) interact(v *visit) error {
	i, err := s.resume(v, v.QueryParam("i"))
	switch {
	case err != nil:
		return err
	case i.journey.Decided():
		return s.showDecided(v, i, http.StatusOK)
	case i.lapsed(v):
		return s.lapse(v, i)
	}
	who, err := s.answering(v, i)
	if errors.Is(err, ErrNoSession) {
		return s.showInteractionLogin(v, i, printableName(i.request.LoginHint), problem{})
	}
	if err == nil {
		i, err = s.identify(v, i, who)
	}
	if err != nil {
		return s.leave(v, i, err)
	}
	return s.showConsent(v, i, who)
}

// step begins an answer to one of the pages.
func (s *Server) step(v *visit, serve func(interaction, url.Values) error) error {
	params, err := pageForm(v.Request())
	if err != nil {
		return err
	}
	i, err := s.resume(v, params.Get("i"))
	switch {
	case err != nil:
		return err
	case i.journey.Decided():
		return s.showDecided(v, i, http.StatusConflict)
	case i.lapsed(v):
		return s.lapse(v, i)
	}
	return serve(i, params)
}

// answering returns the session of the customer who may answer the request, or
// [ErrNoSession] if somebody has to sign in first.
func (s *Server) answering(v *visit, i interaction) (Session, error) {
	who, err := s.session(v)
	if err != nil {
		return who, err
	}
	subject, err := s.wanted(v.Request().Context(), v.Tenant, i.client, i.request)
	switch {
	case err != nil:
		return who, err
	case !i.fresh(who):
		return who, ErrNoSession
	case subject == "" || subject == who.Subject:
		return who, nil
	case who.AuthTime.Before(i.ticket.opened):
		return who, ErrNoSession // the right customer may still sign in
	}
	return who, endWith(oauth.LoginRequired, "OIDC-Core §3.1.2.1", "another customer signed in than the request names")
}

// identify binds the journey to the customer and the browser.
func (s *Server) identify(v *visit, i interaction, who Session) (interaction, error) {
	ctx, stream := v.Request().Context(), s.Authorizations.Stream(i.ticket.id)
	switch i.journey.Person().Subject {
	case who.Subject:
	case "":
		if err := s.Journeys.Adopt(ctx, string(stream), who.Subject); err != nil {
			return i, err
		}
	default:
		return i, authorization.ErrOtherSubject
	}
	state, err := s.Authorizations.Execute(ctx, s.journeyMeta(v, i, who), i.ticket.id, authorization.Authenticate{
		SubjectAuthenticated: authorization.SubjectAuthenticated{
			Subject: who.Subject, ACR: who.ACR, AMR: who.AMR, AuthTime: who.AuthTime, Browser: i.browser,
		}})
	if err == nil {
		i.journey = state
	}
	return i, err
}

// journeyMeta is the metadata of what a customer does with a request. Before
// anybody has signed in there is no key of hers under which her address could
// be kept, so it is not.
func (s *Server) journeyMeta(v *visit, i interaction, who Session) event.Meta {
	m := s.meta(v, event.ActorCustomer)
	m.Client, m.Subject, m.Session = i.client.ID, cmp.Or(i.journey.Person().Subject, who.Subject), who.ID
	m.Correlation = string(s.Authorizations.Stream(i.ticket.id))
	if m.Subject == "" {
		m.Address, m.UserAgent = "", ""
	}
	return m
}
