package api

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// A problem is what the customer has to put right on a page. The zero problem
// is none.
type problem struct {
	Text   string
	Field  string // id of the element to go to
	Status int
	After  time.Duration
}

func (p problem) status() int {
	if p.Status == 0 {
		return http.StatusOK
	}
	return p.Status
}

type loginView struct {
	Client  string // who waits for the customer; empty if nobody does
	Ticket  string
	To      string // where it leads without a ticket, see [landing]
	Name    string
	Problem problem
}

// showInteractionLogin asks who the customer is, for a client's request.
func (s *Server) showInteractionLogin(v *visit, i interaction, typed string, p problem) error {
	view := loginView{Client: displayName(i.client), Ticket: s.sealTicket(v, i), Name: typed, Problem: p}
	return s.showLogin(v, view, i.request.RedirectURI)
}

func (s *Server) showLogin(v *visit, view loginView, goesTo string) error {
	title := "Sign in"
	if view.Problem.Text != "" {
		title = "Problem: sign in"
	}
	if view.Problem.After > 0 {
		v.Response().Header().Set("Retry-After", strconv.FormatInt(wholeSeconds(view.Problem.After), 10))
	}
	return s.show(v, view.Problem.status(), "login", title, view, goesTo)
}

// signInForRequest takes the form of the login page within an interaction.
func (s *Server) signInForRequest(v *visit) error {
	return s.step(v, func(i interaction, params url.Values) error {
		p, err := s.signIn(v, params)
		if err != nil {
			return err
		}
		if p.Text != "" {
			return s.showInteractionLogin(v, i, printableName(params.Get("user")), p)
		}
		return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/interaction?i="+s.sealTicket(v, i))
	})
}

// askSignIn shows the login page that leads to the customer's own pages.
func (s *Server) askSignIn(v *visit) error {
	return s.showLogin(v, loginView{To: landing(v.QueryParam("to"))}, "")
}

// signInForSelf takes its form.
func (s *Server) signInForSelf(v *visit) error {
	params, err := pageForm(v.Request())
	if err != nil {
		return err
	}
	p, err := s.signIn(v, params)
	if err != nil {
		return err
	}
	if p.Text != "" {
		return s.showLogin(v, loginView{Name: printableName(params.Get("user")), Problem: p, To: landing(params.Get("to"))}, "")
	}
	return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/"+landing(params.Get("to")))
}

// landing is the page that a sign-in leads to: the one that is named if it is
// one of the few that can be, and else what the customer shares.
func landing(to string) string {
	id, one := strings.CutPrefix(to, "device/")
	if to == "device" || one && requestID(id) {
		return to
	}
	return "my/consents"
}

// returning makes the login page lead back to a path, if it can.
func returning(path string) string {
	to := landing(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/decision"))
	if to == landing("") {
		return ""
	}
	return "?to=" + url.QueryEscape(to)
}

// signIn checks name and password and starts a session. A wrong name and a
// wrong password look alike, and are a mistake in the form: status 400, because
// 401 would have to name a scheme that browsers know (RFC 9110, Section 15.5.2).
func (s *Server) signIn(v *visit, params url.Values) (problem, error) {
	subject, err := s.Logins.Check(v.Request().Context(), v.Tenant.ID, params.Get("user"), params.Get("password"), v.RealIP(), v.At)
	if wait, ok := errors.AsType[*TryLater](err); ok {
		return soonAgain("user", wait), nil
	}
	customer := false
	if err == nil {
		customer, err = s.customerOf(v, subject)
	}
	if errors.Is(err, ErrWrongPassword) || err == nil && !customer {
		s.noteFailedLogin(v, err)
		return problem{Text: "The name or the password is not right.", Field: "user", Status: http.StatusBadRequest}, nil
	}
	if err != nil {
		return problem{}, err
	}
	return problem{}, s.startSession(v, subject)
}

func soonAgain(field string, wait *TryLater) problem {
	text := "There were too many attempts. Please try again in " + inWords(wait.After) + "."
	return problem{text, field, http.StatusTooManyRequests, wait.After}
}

// noteFailedLogin measures the failure and, if the name is a customer's,
// counts it for the log.
func (s *Server) noteFailedLogin(v *visit, err error) {
	refusal := oauth.Refuse(oauth.AccessDenied, "OIDC-Core §3.1.2.3", "name or password is wrong")
	s.Metrics.Refused(v.endpoint, string(refusal.Code))
	if known, ok := errors.AsType[*WrongPassword](err); ok && known.Subject != "" {
		s.refusals.countLogin(v.Tenant.ID, known.Subject, v.endpoint, refusal, v.At)
	}
}

// printableName is what a login name may look like when it is shown again.
func printableName(typed string) string {
	const limit = 256
	if len(typed) > limit || !printableText(typed) {
		return ""
	}
	return typed
}
