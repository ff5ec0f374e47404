package consent

import (
	"slices"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// Command is the closed set of things one can ask of a consent. A command
// carries everything the decision needs, the time included.
//
//sumtype:decl
type Command interface{ isCommand() }

type (
	Lodge struct {
		Lodged
		At time.Time
	}
	AuthorizeParty struct {
		PartyAuthorized
		At time.Time
	}
	Authorize struct {
		Authorized
		At time.Time
	}
	Reject         struct{ Rejected }
	Consume        struct{ At time.Time }
	Reauthenticate struct {
		Reauthenticated
		Subject string
		At      time.Time
	}
	Amend struct {
		Amended
		Subject string
		At      time.Time
	}
	Supersede struct{ Superseded }
	Suspend   struct{ Suspended }
	Revoke    struct {
		Revoked
		// Subject or Client, if set, must be the consent's own: a customer
		// stops only her own consents, a client only those given to it.
		Subject, Client string
	}
	NoteExpiry struct{ At time.Time }
)

func (Lodge) isCommand()          {}
func (AuthorizeParty) isCommand() {}
func (Authorize) isCommand()      {}
func (Reject) isCommand()         {}
func (Consume) isCommand()        {}
func (Reauthenticate) isCommand() {}
func (Amend) isCommand()          {}
func (Supersede) isCommand()      {}
func (Suspend) isCommand()        {}
func (Revoke) isCommand()         {}
func (NoteExpiry) isCommand()     {}

// Decide returns the events that cmd causes, or why it is refused. No events
// and no error mean that cmd asks for what is already so.
func (s State) Decide(cmd Command) ([]Event, error) {
	switch cmd := cmd.(type) {
	case Lodge:
		return s.lodge(cmd)
	case AuthorizeParty:
		return s.authorizeParty(cmd)
	case Authorize:
		return s.authorize(cmd)
	case Reject:
		return s.from(Awaiting, ErrNotAwaiting, cmd.Rejected)
	case Consume:
		if s.status == Active && !cmd.At.Before(s.expires) {
			return nil, ErrExpired
		}
		return s.from(Active, ErrNotActive, Consumed{})
	case Reauthenticate:
		return s.reauthenticate(cmd)
	case Amend:
		return s.amend(cmd)
	case Supersede:
		return s.from(Active, ErrNotActive, cmd.Superseded)
	case Suspend:
		if s.status == Stopped {
			return nil, nil
		}
		return s.from(Active, ErrNotActive, cmd.Suspended)
	case Revoke:
		return s.revoke(cmd)
	case NoteExpiry:
		open := s.status == Awaiting || s.status == Active || s.status == Stopped
		if !open || s.noted || cmd.At.Before(s.expires) {
			return nil, nil
		}
		return []Event{Expired{}}, nil
	}
	panic("consent: unknown command")
}

// from permits e in one status only.
func (s State) from(status Status, otherwise error, e Event) ([]Event, error) {
	if s.status != status {
		return nil, otherwise
	}
	return []Event{e}, nil
}

func (s State) lodge(cmd Lodge) ([]Event, error) {
	switch {
	case s.status != Nothing:
		return nil, ErrExists
	case cmd.Client == "":
		return nil, ErrNobody
	case !cmd.At.Before(cmd.Expires):
		return nil, ErrExpired
	}
	return []Event{cmd.Lodged}, nil
}

func (s State) authorizeParty(cmd AuthorizeParty) ([]Event, error) {
	switch {
	case s.status != Awaiting:
		return nil, ErrNotAwaiting
	case cmd.Subject == "":
		return nil, ErrNobody
	case !cmd.At.Before(s.expires):
		return nil, ErrExpired
	case slices.Contains(s.parties, cmd.Subject):
		return nil, nil // the same customer twice counts once
	}
	return []Event{cmd.PartyAuthorized}, nil
}

func (s State) authorize(cmd Authorize) ([]Event, error) {
	switch {
	case s.status != Nothing && s.status != Awaiting:
		return nil, ErrNotAwaiting
	case s.status == Awaiting && s.client != cmd.Client:
		return nil, ErrOtherClient
	case cmd.Client == "" || cmd.Subject == "":
		return nil, ErrNobody
	case !cmd.At.Before(cmd.Expires), s.status == Awaiting && !cmd.At.Before(s.expires):
		return nil, ErrExpired
	case s.status == Awaiting && cmd.Expires.After(s.expires):
		return nil, ErrLonger
	case slices.ContainsFunc(cmd.Details, withoutAccount):
		return nil, ErrNoAccounts
	}
	return []Event{cmd.Authorized}, nil
}

func withoutAccount(d oauth.Detail) bool { return len(d.Accounts) == 0 }

func (s State) reauthenticate(cmd Reauthenticate) ([]Event, error) {
	switch {
	case s.status != Active && s.status != Stopped:
		return nil, ErrNotSuspended
	case cmd.Subject != s.subject:
		return nil, ErrOtherSubject
	case !cmd.At.Before(s.expires):
		return nil, ErrExpired
	}
	return []Event{cmd.Reauthenticated}, nil
}

func (s State) amend(cmd Amend) ([]Event, error) {
	switch {
	case !s.Alive(cmd.At):
		return nil, ErrNotActive
	case cmd.Subject != s.subject:
		return nil, ErrOtherSubject
	case !cmd.At.Before(cmd.Expires):
		return nil, ErrExpired
	case slices.ContainsFunc(cmd.Details, withoutAccount):
		return nil, ErrNoAccounts
	}
	return []Event{cmd.Amended}, nil
}

func (s State) revoke(cmd Revoke) ([]Event, error) {
	switch {
	case cmd.Subject != "" && cmd.Subject != s.subject:
		return nil, ErrOtherSubject
	case cmd.Client != "" && cmd.Client != s.client:
		return nil, ErrOtherClient
	}
	switch s.status {
	case Terminated:
		return nil, nil // revoking twice is not an error: RFC 7009 §2.2
	case Active, Stopped, Awaiting:
		return []Event{cmd.Revoked}, nil
	case Nothing:
		return nil, ErrNotActive
	}
	return nil, ErrEnded
}
