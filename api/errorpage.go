package api

import (
	"net/http"
	"strconv"

	"github.com/chirograph/chirograph/domain/oauth"
)

// writeErrorPage is the only place where an error becomes a page. It is for
// what cannot be told to a client by a redirect.
func (s *Server) writeErrorPage(v *visit, err error) {
	refusal, status, after := refused(err)
	if status == http.StatusUnauthorized {
		status = http.StatusBadRequest // a browser has no scheme to answer with
	}
	s.note(v, refusal, status, err)
	reference := newID()
	s.Log.InfoContext(v.Request().Context(), "error page", "reference", reference, "endpoint", v.endpoint, "status", status)
	if after > 0 {
		v.Response().Header().Set("Retry-After", strconv.FormatInt(wholeSeconds(after), 10))
	}
	words := explanation(refusal.Code, status)
	view := errorView{words[0], words[1], string(refusal.Code), refusal.Description, string(refusal.By), reference}
	if err := s.show(v, status, "error", words[0], view, ""); err != nil {
		s.Log.ErrorContext(v.Request().Context(), "the error page cannot be written", "err", err)
	}
}

type errorView struct {
	Heading, Advice       string
	Code, Description, By string
	Reference             string
}

// explanation tells a customer what happened and what to do, in two sentences.
func explanation(code oauth.Code, status int) [2]string {
	switch {
	case code == oauth.InvalidRequestURI:
		return [2]string{"This link can no longer be used", "It has expired, was used before, or does not belong here. Please go back to the app or website you came from and start again."}
	case status == http.StatusForbidden:
		return [2]string{"This cannot be answered here", "Please go back to the app or website you came from and start again, in one browser and with cookies switched on."}
	case status == http.StatusNotFound:
		return [2]string{"There is nothing here", "Please check the address, or go to what you share."}
	case status == http.StatusTooManyRequests:
		return [2]string{"Please wait a moment", "Too many requests came from your network. Nothing was lost: try again shortly."}
	case status == http.StatusServiceUnavailable:
		return [2]string{"We cannot do this right now", "Nothing was recorded as far as we know. Please try again in a moment."}
	case status >= http.StatusInternalServerError:
		return [2]string{"Something went wrong on our side", "Please try again. If it happens again, tell us the reference below."}
	}
	return [2]string{"This request cannot be completed", "The app or website you came from sent something that we cannot accept. Please go back and tell them."}
}
