package api

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"

	"github.com/labstack/echo/v4"
)

// decidePath is not there for who may not use it, by no method.
const decidePath = "/backchannel/decide"

// decideBackchannel answers a request in place of its customer, as test tools
// want. The path is there in development, and else only at an issuer that has
// no customers but those made for tests.
func (s *Server) decideBackchannel(v *visit) error {
	if !s.Dev && v.Tenant.Settings.Purpose != issuer.Conformance {
		s.unrouted(echo.ErrNotFound, v.Context)
		return nil
	}
	params, err := decision(v.Request())
	if err != nil {
		return err
	}
	id, state, err := s.decidable(v, params.Get("auth_req_id"))
	if err != nil {
		return err
	}
	a := answer{id: id, subject: state.Requested().Subject, method: backchannel.Automatic, acr: ACRPassword, authTime: v.At}
	switch params.Get("action") {
	case "allow":
		err = s.allow(v, a)
	case "deny":
		err = s.denyBackchannel(v, a, false)
	default:
		return oauth.Refuse(oauth.InvalidRequest, "", "action must be allow or deny")
	}
	switch {
	case errors.Is(err, backchannel.ErrDecided):
		return &httpError{oauth.Refuse(oauth.InvalidRequest, "", backchannel.ErrDecided.Error()), http.StatusConflict, 0}
	case errors.Is(err, backchannel.ErrExpired):
		return &httpError{oauth.Refuse(oauth.InvalidRequest, "", backchannel.ErrExpired.Error()), http.StatusConflict, 0}
	case err != nil:
		return err
	}
	return v.NoContent(http.StatusNoContent)
}

// decision reads the parameters of a query, a form or both.
func decision(r *http.Request) (url.Values, error) {
	params := r.URL.Query()
	if r.Header.Get("Content-Type") != "" && r.ContentLength != 0 {
		sent, err := pageForm(r)
		if err != nil {
			return nil, err
		}
		for name, values := range sent {
			params[name] = append(params[name], values...)
		}
	}
	for _, values := range params {
		if len(values) > 1 {
			return nil, oauth.Refuse(oauth.InvalidRequest, "RFC 6749 §3.1", "a parameter is sent more than once")
		}
	}
	return params, nil
}

// decidable returns the request of this issuer that an auth_req_id names.
func (s *Server) decidable(v *visit, text string) (string, backchannel.State, error) {
	unknown := &httpError{oauth.Refuse(oauth.InvalidRequest, "", "auth_req_id names no request of this issuer"), http.StatusNotFound, 0}
	named, ok := oauth.ParseArtefact(text)
	if !ok {
		return "", backchannel.State{}, unknown
	}
	ctx := v.Request().Context()
	state, _, err := s.Backchannels.Load(ctx, named.ID)
	if err != nil {
		return "", state, err
	}
	here := false
	if state.Names(named) {
		here, err = s.customerOf(v, state.Requested().Subject)
	}
	if err == nil && !here {
		err = unknown
	}
	return named.ID, state, err
}

// allow approves all that is asked for.
func (s *Server) allow(v *visit, a answer) error {
	p, err := s.presentBackchannel(v, a.id, a.subject, "")
	if err != nil {
		return err
	}
	a.shown = p.shown
	for _, account := range p.offer.accounts {
		a.accounts = append(a.accounts, account.ID)
	}
	return s.approveBackchannel(v, a)
}
