// Package token decides the life of access tokens and refresh tokens.
//
//	          Issue           Revoke
//	(nothing) -----> issued ---------> revoked
//	    |                                 ^
//	    +------------- Revoke ------------+  and then nothing is issued any more
//
// What is to be issued has its id before it is issued, in the event that spends
// the code. So the platform can end it first, and who would issue it is refused.
//
// An issued token is active only while its expiry is ahead and its consent,
// client, issuer, subject and key allow it at that moment; [State.Active]
// judges what its own stream knows.
package token

import (
	"errors"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// Why a command is refused.
var (
	ErrExists      = errors.New("token already exists")
	ErrUnknown     = errors.New("there is no such token")
	ErrRevoked     = errors.New("token was revoked before it was issued")
	ErrOtherClient = errors.New("token belongs to another client")
)

// State is an access token. The zero State was never issued.
type State struct {
	issued  Issued
	exists  bool
	revoked bool
}

// Issued returns what was issued.
func (s State) Issued() Issued { return s.issued }

// Exists reports whether the token was ever issued. One that was revoked before
// never is.
func (s State) Exists() bool { return s.exists }

// Revoked reports whether the token was revoked.
func (s State) Revoked() bool { return s.revoked }

// Active reports whether the token by itself is valid at the given time.
func (s State) Active(now time.Time) bool {
	return s.exists && !s.revoked && now.Before(s.issued.Expires)
}

// Names reports whether an opaque token is this one.
func (s State) Names(a oauth.Artefact) bool {
	return s.exists && s.issued.Digest != "" && a.Matches(s.issued.Digest)
}

// Command is the closed set of things one can ask of an access token.
//
//sumtype:decl
type Command interface{ isCommand() }

type (
	Issue struct{ Issued }
	// Revoke ends a token, or its issue if that has not happened yet.
	Revoke struct {
		Revoked
		Client string // if set, must be the token's own
	}
)

func (Issue) isCommand()  {}
func (Revoke) isCommand() {}

// Decide returns the events that cmd causes, or why it is refused.
func (s State) Decide(cmd Command) ([]Event, error) {
	switch cmd := cmd.(type) {
	case Issue:
		switch {
		case s.exists:
			return nil, ErrExists
		case s.revoked:
			return nil, ErrRevoked
		}
		return []Event{cmd.Issued}, nil
	case Revoke:
		switch {
		case cmd.Client != "" && !s.exists:
			return nil, ErrUnknown
		case cmd.Client != "" && cmd.Client != s.issued.Client:
			return nil, ErrOtherClient
		case s.revoked:
			return nil, nil // RFC 7009 §2.2
		}
		return []Event{cmd.Revoked}, nil
	}
	panic("token: unknown command")
}

// Evolve returns the state after e.
func (s State) Evolve(e Event) State {
	switch e := e.(type) {
	case Issued:
		s.exists, s.issued = true, e
	case Revoked:
		s.revoked = true
	}
	return s
}
