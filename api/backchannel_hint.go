package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// oldestHint is how old an ID token may be that names a customer. It may have
// expired (CIBA, Section 7.1).
const oldestHint = 180 * 24 * time.Hour

// askedCustomer returns the customer whom a request means, who may be asked:
// not too often, and only with the right user code.
func (s *Server) askedCustomer(v *visit, c *caller, r oauth.BackchannelRequest) (string, error) {
	id, err := s.namedCustomer(v, c, r)
	if err != nil {
		return "", err
	}
	if wait := s.Limits.Wait("subject:"+id, v.At); wait > 0 {
		e := oauth.Refuse(oauth.AccessDenied, "CIBA §13", "the customer is asked too often")
		return "", &httpError{e, http.StatusForbidden, wait}
	}
	return id, s.checkUserCode(v, id, r)
}

// namedCustomer returns the customer whom a request names. Whoever is unknown,
// of another issuer, erased, or a real person at an issuer for tests is equally
// unknown. A client that named too many of those is told of nobody for a while,
// so that it cannot find out who is a customer. Each request counts as one until
// it has named somebody, or many at once would all pass.
func (s *Server) namedCustomer(v *visit, c *caller, r oauth.BackchannelRequest) (string, error) {
	guess := "unknown:" + c.ID
	if wait := s.Limits.Wait(guess, v.At); wait > 0 {
		return "", tooMany(wait)
	}
	id, err := s.hintedCustomer(v, c, r)
	known := false
	if err == nil {
		known, err = s.customerOf(v, id)
	}
	if err != nil || known {
		s.Limits.Return(guess)
		return id, err
	}
	s.Log.InfoContext(v.Request().Context(), "a client names a customer who is unknown", "client", c.ID, "issuer", v.Tenant.ID)
	return "", oauth.Refuse(oauth.UnknownUserID, "CIBA §13", "the hint names no customer of this issuer")
}

// nobody is the id of no subject, for looking up as long for an unknown name as
// for a known one.
const nobody = "(nobody)"

// hintedCustomer returns the subject that the hint of a request names, or
// nobody.
func (s *Server) hintedCustomer(v *visit, c *caller, r oauth.BackchannelRequest) (string, error) {
	ctx := v.Request().Context()
	switch {
	case r.LoginHint != "":
		return s.goesBy(ctx, v.Tenant, r.LoginHint)
	case r.IDTokenHint != "":
		return s.hintedByIDToken(ctx, v, c, r.IDTokenHint)
	}
	hint, err := s.HintTokens.Verify(ctx, v.Tenant, r.LoginHintToken, v.At)
	switch {
	case errors.Is(err, ErrHintExpired):
		return "", &oauth.Error{Code: oauth.ExpiredLoginHintToken, By: "CIBA §13", Description: "login_hint_token has expired", Cause: err}
	case err != nil:
		return "", &oauth.Error{Code: oauth.InvalidRequest, By: "CIBA §7.1", Description: "login_hint_token is not one of an issuer that this issuer trusts", Cause: err}
	case hint.Subject != "":
		return plausible(hint.Subject), nil
	}
	return s.goesBy(ctx, v.Tenant, hint.Login)
}

// goesBy returns whose sign-in name it is.
func (s *Server) goesBy(ctx context.Context, t Tenant, name string) (string, error) {
	id, err := s.Logins.Subject(ctx, t.ID, name)
	if errors.Is(err, ErrNobody) {
		return nobody, nil
	}
	return id, err
}

// hintedByIDToken returns whom an ID token of this issuer for this client
// names.
func (s *Server) hintedByIDToken(ctx context.Context, v *visit, c *caller, hint string) (string, error) {
	token, err := s.ownIDToken(ctx, v.Tenant, hint)
	if err != nil {
		return "", err
	}
	switch {
	case token.Audience != c.ID:
		return "", oauth.Refuse(oauth.InvalidRequest, "CIBA §7.1", "id_token_hint was issued to another client")
	case token.Issued < v.At.Add(-oldestHint).Unix():
		return "", oauth.Refuse(oauth.InvalidRequest, "CIBA §7.1", "id_token_hint is older than 180 days")
	}
	return plausible(token.Subject), nil
}

// plausible returns an id that came from outside, if it could be a subject's.
func plausible(id string) string {
	if id == "" || printableASCII(id, 128) != id {
		return nobody
	}
	return id
}

// checkUserCode asks for the code of a customer who has one, of every client
// (CIBA, Section 7.1.2). A wrong one is counted as a failed login is.
func (s *Server) checkUserCode(v *visit, subject string, r oauth.BackchannelRequest) error {
	ctx := v.Request().Context()
	if !v.Tenant.Settings.UserCodes {
		return nil
	}
	if r.UserCode == "" {
		has, err := s.UserCodes.HasUserCode(ctx, subject)
		if err == nil && has {
			err = oauth.Refuse(oauth.MissingUserCode, "CIBA §13", "the customer's user_code is required")
		}
		return err
	}
	err := s.UserCodes.CheckUserCode(ctx, subject, r.UserCode, v.At)
	if !errors.Is(err, ErrNoUserCode) && !errors.Is(err, ErrWrongUserCode) {
		return err
	}
	refusal := oauth.Refuse(oauth.InvalidUserCode, "CIBA §13", "user_code is wrong, or was wrong too often")
	s.refusals.countLogin(v.Tenant.ID, subject, v.endpoint, refusal, v.At)
	return refusal
}
