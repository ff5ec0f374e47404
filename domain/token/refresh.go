package token

import (
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// Refresh is a refresh token. It is never rotated: it lives as long as its
// consent, and each use issues an access token that names it.
type Refresh struct {
	issued  RefreshIssued
	exists  bool
	revoked bool
}

// Issued returns what was issued.
func (s Refresh) Issued() RefreshIssued { return s.issued }

// Exists reports whether the refresh token was ever issued. One that was
// revoked before never is.
func (s Refresh) Exists() bool { return s.exists }

// Revoked reports whether the refresh token was revoked.
func (s Refresh) Revoked() bool { return s.revoked }

// Active reports whether the refresh token by itself is valid.
func (s Refresh) Active(now time.Time) bool {
	return s.exists && !s.revoked && now.Before(s.issued.Expires)
}

// Names reports whether a refresh token is this one.
func (s Refresh) Names(a oauth.Artefact) bool { return s.exists && a.Matches(s.issued.Digest) }

// Check returns why a client may not use the refresh token (RFC 6749,
// Section 6), or nil. All refusals look alike to who does not hold it.
func (s Refresh) Check(a oauth.Artefact, client string, now time.Time) error {
	switch {
	case !s.Names(a), client != s.issued.Client:
		return oauth.Refuse(oauth.InvalidGrant, "RFC 6749 §6", "the refresh token is not valid")
	case !s.Active(now):
		return oauth.Refuse(oauth.InvalidGrant, "RFC 6749 §6", "the refresh token has ended")
	}
	return nil
}

// RefreshCommand is the closed set of things one can ask of a refresh token.
//
//sumtype:decl
type RefreshCommand interface{ isRefreshCommand() }

type (
	IssueRefresh struct{ RefreshIssued }
	// RevokeRefresh ends a refresh token, or its issue if that has not happened
	// yet.
	RevokeRefresh struct {
		RefreshRevoked
		Client string // if set, must be the token's own
	}
)

func (IssueRefresh) isRefreshCommand()  {}
func (RevokeRefresh) isRefreshCommand() {}

// Decide returns the events that cmd causes, or why it is refused.
func (s Refresh) Decide(cmd RefreshCommand) ([]RefreshEvent, error) {
	switch cmd := cmd.(type) {
	case IssueRefresh:
		switch {
		case s.exists:
			return nil, ErrExists
		case s.revoked:
			return nil, ErrRevoked
		}
		return []RefreshEvent{cmd.RefreshIssued}, nil
	case RevokeRefresh:
		switch {
		case cmd.Client != "" && !s.exists:
			return nil, ErrUnknown
		case cmd.Client != "" && cmd.Client != s.issued.Client:
			return nil, ErrOtherClient
		case s.revoked:
			return nil, nil
		}
		return []RefreshEvent{cmd.RefreshRevoked}, nil
	}
	panic("token: unknown refresh command")
}

// Evolve returns the state after e.
func (s Refresh) Evolve(e RefreshEvent) Refresh {
	switch e := e.(type) {
	case RefreshIssued:
		s.exists, s.issued = true, e
	case RefreshRevoked:
		s.revoked = true
	}
	return s
}
