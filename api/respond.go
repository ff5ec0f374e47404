package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/labstack/echo/v4"
)

// An httpError is a refusal whose status is not the usual one of its code.
type httpError struct {
	Refusal *oauth.Error
	Status  int
	After   time.Duration // Retry-After
}

func (e *httpError) Error() string { return e.Refusal.Error() }
func (e *httpError) Unwrap() error { return e.Refusal }

// refused turns any error into what may be told. What is not an [oauth.Error]
// is our fault or the log's: it is logged in full and told to nobody.
func refused(err error) (*oauth.Error, int, time.Duration) {
	if special, ok := errors.AsType[*httpError](err); ok {
		return special.Refusal, special.Status, special.After
	}
	if known, ok := errors.AsType[*oauth.Error](err); ok {
		return known, status(known.Code), 0
	}
	if errors.Is(err, eventstore.ErrTooLarge) {
		e := &oauth.Error{Code: oauth.InvalidRequest, By: "RFC 9126 §2.3", Description: "the request is too long to be recorded", Cause: err}
		return e, http.StatusRequestEntityTooLarge, 0
	}
	if why := unavailable(err); why != "" {
		return &oauth.Error{Code: oauth.TemporarilyUnavailable, Description: why, Cause: err}, http.StatusServiceUnavailable, time.Second
	}
	return &oauth.Error{Code: oauth.ServerError, Description: "try again later", Cause: err}, http.StatusInternalServerError, 0
}

// unavailable says what a log that did not record a request can promise, "" if
// that is not what went wrong. A client that left is not the server's failure.
func unavailable(err error) string {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case is(eventstore.ErrUnknownOutcome):
		return "nobody knows whether the request was recorded, so it is not answered: try again"
	case is(eventstore.ErrHalted), is(eventstore.ErrUnavailable), is(eventstore.ErrClosed), is(eventstore.ErrConflict),
		is(context.DeadlineExceeded), is(context.Canceled):
		return "the request could not be recorded, so it is not answered: try again"
	}
	return ""
}

// status is 400 unless a specification says otherwise.
func status(code oauth.Code) int {
	switch code {
	case oauth.InvalidClient, oauth.InvalidToken: // RFC 6749 §5.2, RFC 6750 §3.1
		return http.StatusUnauthorized
	case oauth.InsufficientScope: // RFC 6750 §3.1
		return http.StatusForbidden
	case oauth.ServerError:
		return http.StatusInternalServerError
	case oauth.TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// writeError is the only place where an error becomes a response to a client.
func (s *Server) writeError(v *visit, err error) {
	refusal, status, after := refused(err)
	s.note(v, refusal, status, err)
	h := v.Response().Header()
	if after > 0 {
		h.Set("Retry-After", strconv.FormatInt(max(1, int64((after+time.Second-1)/time.Second)), 10))
	}
	if refusal.Code == oauth.UseDPoPNonce && h.Get("DPoP-Nonce") == "" { // RFC 9449 §8
		h.Set("DPoP-Nonce", s.Nonces.Issue(v.Tenant.ID, roleAS, v.At))
	}
	if status == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" && v.Request().Header.Get("Authorization") != "" { // RFC 6749 §5.2
		h.Set("WWW-Authenticate", challenge(v.Request().Header.Get("Authorization"), refusal))
	}
	v.JSON(status, errorResponse{string(refusal.Code), describe(refusal)})
}

// note logs, measures and, for an authenticated client, records a refusal.
func (s *Server) note(v *visit, refusal *oauth.Error, status int, err error) {
	s.Metrics.Refused(v.endpoint, string(refusal.Code))
	level := slog.LevelInfo
	waits := refusal.Code == oauth.AuthorizationPending || refusal.Code == oauth.SlowDown // CIBA §11: not the end, and not an event
	switch {
	case status >= http.StatusInternalServerError: // our fault, and somebody must know
		level = slog.LevelError
	case waits:
		level = slog.LevelDebug
	}
	s.Log.Log(v.Request().Context(), level, "refused", "endpoint", v.endpoint, "issuer", v.Tenant.ID, "client_id", v.caller,
		"status", status, "code", string(refusal.Code), "by", string(refusal.By), "err", err)
	if v.caller != "" && status < 500 && !waits {
		s.refusals.count(v.Tenant.ID, v.caller, v.endpoint, refusal, v.At)
	}
}

// errorResponse is RFC 6749, Section 5.2.
type errorResponse struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

func describe(e *oauth.Error) string { return resource.Describe(e) }

// challenge answers the scheme that was tried.
func challenge(authorization string, e *oauth.Error) string {
	scheme, _, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "DPoP") && !strings.EqualFold(scheme, "Bearer") {
		scheme = "Basic realm=\"none\""
		return scheme
	}
	return scheme + ` error="` + string(e.Code) + `", error_description="` + describe(e) + `"`
}

// unrouted answers what no row of the table serves.
func (s *Server) unrouted(err error, c echo.Context) {
	v := &visit{Context: c, Tenant: tenantOf(c.Request().Context()), At: s.Now(), endpoint: "none"}
	setHeaders(v)
	status := http.StatusNotFound
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		status = e.Code
	}
	refusal := oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.5", "there is nothing at this path")
	if status == http.StatusMethodNotAllowed {
		refusal = oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.6", "this endpoint does not answer that method")
	}
	s.writeError(v, &httpError{refusal, status, 0})
}
