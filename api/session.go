package api

import (
	"context"
	"errors"
	"net/http"
)

// sessionCookie names the cookie of an issuer's sessions. Issuers that share a
// host do not share their sessions.
func sessionCookie(t Tenant) string { return "__Host-session-" + t.ID }

// session returns who is signed in at the issuer, or [ErrNoSession]. Who was
// erased, or is a customer of another issuer, is not.
func (s *Server) session(v *visit) (Session, error) {
	c, err := v.Request().Cookie(sessionCookie(v.Tenant))
	if err != nil || c.Value == "" {
		return Session{}, ErrNoSession
	}
	ctx := v.Request().Context()
	who, err := s.Sessions.Find(ctx, v.Tenant.ID, c.Value, v.At)
	if err != nil {
		return Session{}, err
	}
	return s.current(ctx, v.Tenant, who)
}

// peek is session for what a page does by itself.
func (s *Server) peek(ctx context.Context, v *visit) (Session, error) {
	c, err := v.Request().Cookie(sessionCookie(v.Tenant))
	if err != nil || c.Value == "" {
		return Session{}, ErrNoSession
	}
	who, err := s.Sessions.Peek(ctx, v.Tenant.ID, c.Value, s.Now())
	if err != nil {
		return Session{}, err
	}
	return s.current(ctx, v.Tenant, who)
}

func (s *Server) current(ctx context.Context, t Tenant, who Session) (Session, error) {
	state, _, err := s.Subjects.Get(ctx, who.Subject)
	if err == nil && (!t.serves(state) || who.Realm != t.ID) {
		err = ErrNoSession
	}
	if err != nil {
		return Session{}, err
	}
	return who, nil
}

// customerOf reports whether a subject is a customer of the issuer.
func (s *Server) customerOf(v *visit, subject string) (bool, error) {
	state, _, err := s.Subjects.Get(v.Request().Context(), subject)
	return v.Tenant.serves(state), err
}

// startSession signs a customer in. The browser gets a new session id in any
// case, so that nobody can have planted the one it came with.
func (s *Server) startSession(v *visit, subject string) error {
	if err := s.endSession(v); err != nil {
		return err
	}
	value, err := s.Sessions.Start(v.Request().Context(), Session{
		Realm: v.Tenant.ID, Subject: subject, AuthTime: v.At, ACR: ACRPassword, AMR: []string{"pwd"}}, v.At)
	if err != nil {
		return err
	}
	setCookie(v, sessionCookie(v.Tenant), value)
	return nil
}

// endSession ends the browser's session at the issuer, if it has one.
func (s *Server) endSession(v *visit) error {
	c, err := v.Request().Cookie(sessionCookie(v.Tenant))
	if err != nil {
		return nil
	}
	return s.Sessions.End(v.Request().Context(), v.Tenant.ID, c.Value)
}

// A customerPage is for customers who are signed in.
type customerPage func(*Server, *visit, Session) error

// signedIn sends everybody else to the login page.
func signedIn(serve customerPage) func(*Server, *visit) error {
	return func(s *Server, v *visit) error {
		who, err := s.session(v)
		if errors.Is(err, ErrNoSession) {
			return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/login"+returning(v.Request().URL.Path))
		}
		if err != nil {
			return err
		}
		return serve(s, v, who)
	}
}
