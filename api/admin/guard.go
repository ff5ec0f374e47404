package admin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
)

// A Guard says who calls, and keeps a record of what was asked.
type Guard interface {
	// Admit returns who sends a request, or refuses with an [*oauth.Error].
	Admit(w http.ResponseWriter, r *http.Request, scopes []string) (Caller, error)
	// Record appends what was asked and answered. If it fails nothing is sent.
	Record(r *http.Request, c Caller, route string, status int) error
}

// A Caller is somebody who may ask.
type Caller struct {
	Name string // as in the metadata of events, after "operator:"
	pass resource.Pass
}

// Trusted is the guard of who has the data folder itself: commands on a
// stopped server.
type Trusted struct{ Name string }

// Admit implements [Guard].
func (t Trusted) Admit(http.ResponseWriter, *http.Request, []string) (Caller, error) {
	return Caller{Name: t.Name}, nil
}

// Record implements [Guard]: what changes something is in the log anyway.
func (t Trusted) Record(*http.Request, Caller, string, int) error { return nil }

// Tokens is the guard of the admin port: access tokens of the platform's own
// issuer.
type Tokens struct {
	Checker  resource.Checker
	Origin   string // of the admin port
	Subjects func(ctx context.Context, id string) (subject.State, error)
}

// Admit implements [Guard].
func (t Tokens) Admit(w http.ResponseWriter, r *http.Request, scopes []string) (Caller, error) {
	c, err := t.admit(r, scopes)
	if nonce := t.Checker.Nonce(); nonce != "" {
		w.Header().Set("DPoP-Nonce", nonce) // RFC 9449 §8.2
	}
	refusal, refused := errors.AsType[*oauth.Error](err)
	if refused && (resource.Status(refusal.Code) == http.StatusUnauthorized || refusal.Code == oauth.InsufficientScope) {
		resource.Challenge(w.Header(), refusal, strings.Join(scopes, " "), t.Checker.Algorithms())
	}
	return c, err
}

func (t Tokens) admit(r *http.Request, scopes []string) (Caller, error) {
	p, err := resource.Present(r, []string{t.Origin + r.URL.EscapedPath()}, nil)
	if err != nil {
		return Caller{}, err
	}
	if p.Address, _, err = net.SplitHostPort(r.RemoteAddr); err != nil {
		p.Address = r.RemoteAddr
	}
	pass, err := t.Checker.Check(r.Context(), p)
	if err != nil {
		return Caller{}, err
	}
	grant := pass.Grant()
	have := strings.Fields(grant.Scope)
	name := grant.Client
	if grant.Subject != "" {
		name = grant.Subject
		who, err := t.Subjects(r.Context(), grant.Subject)
		if err != nil {
			return Caller{}, err
		}
		have = slices.DeleteFunc(have, func(s string) bool { return !entitled(who, s) })
	}
	if !slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(have, s) }) {
		return Caller{}, oauth.Refuse(oauth.InsufficientScope, "RFC 6750 §3.1", "this needs "+strings.Join(scopes, " or "))
	}
	return Caller{name, pass}, nil
}

// entitled reports whether somebody's roles cover a scope.
func entitled(who subject.State, scope string) bool {
	switch scope {
	case ScopeAdmin:
		return who.Has("admin")
	case ScopeAudit:
		return who.Has("admin") || who.Has("auditor") || who.Has("investigator")
	case ScopeReplay:
		return who.Has("admin") || who.Has("investigator")
	}
	return false
}

// Record implements [Guard].
func (t Tokens) Record(r *http.Request, c Caller, route string, status int) error {
	return c.pass.Record(r.Context(), resource.Access{Route: route, Result: status})
}
