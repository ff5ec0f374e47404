package api

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/oauth"
)

// noneChosen is [nothingChosen] where the other button says so.
var noneChosen = problem{Text: "Please choose at least one account, or deny.", Field: "account-0", Status: http.StatusBadRequest}

// decideRequest takes the answer of the page that shows a request.
func (s *Server) decideRequest(v *visit, who Session) error {
	id, err := askedOf(v)
	if err != nil {
		return err
	}
	params, err := pageForm(v.Request())
	if err != nil {
		return err
	}
	v.At = s.Now() // the form may have taken its time to arrive
	a := answer{id: id, subject: who.Subject, session: who.ID}
	switch params.Get("decision") {
	case "approve":
		return s.approveOnPage(v, who, a, params)
	case "deny":
		return s.answered(v, who, id, s.denyBackchannel(v, a, false))
	case "not-me":
		return s.answered(v, who, id, s.denyBackchannel(v, a, true))
	}
	return oauth.Refuse(oauth.InvalidRequest, "", "the form has no decision")
}

// approveOnPage takes a yes, which the customer's passkey or password confirms.
func (s *Server) approveOnPage(v *visit, who Session, a answer, params url.Values) error {
	state, _, err := s.Backchannels.Load(v.Request().Context(), a.id)
	if err == nil {
		err = state.Answerable(a.subject, v.At)
	}
	if err != nil {
		return s.answered(v, who, a.id, err)
	}
	if params.Get("passkey") != "" {
		return s.approveWithPasskey(v, who, a, params)
	}
	p, err := s.confirm(v, who, params.Get("password"))
	if err != nil {
		return err
	}
	if p.Text != "" {
		return s.askOnPage(v, who, a.id, p)
	}
	a.method, a.shown, a.accounts = backchannel.Password, params.Get("shown"), params["account"]
	a.acr, a.amr, a.authTime = ACRPassword, []string{"pwd"}, v.At
	return s.approveAsked(v, who, a)
}

// approveAsked records a yes of the page, or asks again.
func (s *Server) approveAsked(v *visit, who Session, a answer) error {
	err := s.approveBackchannel(v, a)
	switch {
	case errors.Is(err, backchannel.ErrNotShown):
		return s.askOnPage(v, who, a.id, changedMeanwhile)
	case errors.Is(err, errNoChoice):
		return s.askOnPage(v, who, a.id, noneChosen)
	}
	return s.answered(v, who, a.id, err)
}

// answered leads to what became of the request. Who was late is told so.
func (s *Server) answered(v *visit, who Session, id string, err error) error {
	if err != nil {
		return s.showOutcome(v, who, id, http.StatusConflict, err)
	}
	return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/device/"+id)
}

// confirm checks the password of somebody who is signed in.
func (s *Server) confirm(v *visit, who Session, password string) (problem, error) {
	err := s.Logins.CheckSubject(v.Request().Context(), v.Tenant.ID, who.Subject, password, v.RealIP(), v.At)
	if wait, ok := errors.AsType[*TryLater](err); ok {
		return soonAgain("password", wait), nil
	}
	if errors.Is(err, ErrWrongPassword) {
		s.noteFailedLogin(v, err)
		return problem{Text: "The password is not right. Nothing is approved yet.", Field: "password", Status: http.StatusBadRequest}, nil
	}
	return problem{}, err
}
