// Package signingkey decides the life of a key that an issuer signs with. Only
// public halves are events.
//
//	          Announce            Activate          Retire            Destroy
//	(nothing) --------> announced --------> active --------> retired --------> destroyed
//	                                   Compromise: from any of them, final but for Destroy
//
// An announced key is published before it signs, a retired one stays published
// as long as something it signed may be verified, and the log keeps it for ever.
package signingkey

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/chirograph/chirograph/domain/event"
)

// Event is the closed set of facts about a signing key.
//
//sumtype:decl
type Event interface{ isEvent() }

type (
	// Announced publishes a key before it signs, so that every verifier knows
	// it in time (OIDC-Core, Section 10.1.1).
	Announced struct {
		Issuer    string          `json:"iss"`
		Algorithm string          `json:"alg"`
		Use       string          `json:"use"` // "sig"
		JWK       json.RawMessage `json:"jwk"`
	}

	// Activated makes the key sign.
	Activated struct{}

	// Retired ends signing. The key stays published as long as what it signed
	// may be verified.
	Retired struct {
		PublishedUntil time.Time `json:"published_until"`
	}

	// Compromised withdraws all trust in the key: what it signed no longer
	// counts. It is final.
	Compromised struct {
		Since  time.Time `json:"since"` // from when on signatures cannot be trusted
		Reason string    `json:"reason"`
	}

	// Destroyed records that the private half is gone.
	Destroyed struct{}
)

func (Announced) isEvent()   {}
func (Activated) isEvent()   {}
func (Retired) isEvent()     {}
func (Compromised) isEvent() {}
func (Destroyed) isEvent()   {}

// Events declares every event of a signing key.
var Events = []event.Declaration{
	event.Type[Announced]{
		Name:  "signingkey.announced",
		Audit: func(e Announced, _ event.Names) string { return "a new " + e.Algorithm + " signing key was published" },
	},
	event.Type[Activated]{
		Name:  "signingkey.activated",
		Audit: func(Activated, event.Names) string { return "the key began to sign" },
	},
	event.Type[Retired]{
		Name:  "signingkey.retired",
		Audit: func(Retired, event.Names) string { return "the key signs no more" },
	},
	event.Type[Compromised]{
		Name: "signingkey.compromised",
		Audit: func(e Compromised, _ event.Names) string {
			return "the key is compromised since " + e.Since.UTC().Format(time.RFC3339) + ": " + e.Reason
		},
	},
	event.Type[Destroyed]{
		Name:  "signingkey.destroyed",
		Audit: func(Destroyed, event.Names) string { return "the private half was destroyed" },
	},
}

// Why a command is refused.
var (
	ErrExists       = errors.New("signing key already exists")
	ErrUnknown      = errors.New("there is no such signing key")
	ErrNotAnnounced = errors.New("signing key is not announced")
	ErrNotActive    = errors.New("signing key is not active")
	ErrInUse        = errors.New("signing key still signs: retire it first")
)

// Status is where a key stands.
type Status string

const (
	Nothing Status = ""
	Waiting Status = "announced"
	Active  Status = "active"
	Old     Status = "retired"
	Lost    Status = "compromised"
	Gone    Status = "destroyed"
)

// State is a signing key.
type State struct {
	status      Status
	announced   Announced
	until       time.Time
	compromised bool
}

func (s State) Status() Status       { return s.status }
func (s State) Announced() Announced { return s.announced }

// Compromised reports whether nothing the key signed counts any more.
func (s State) Compromised() bool { return s.compromised }

// Published reports whether the key belongs into the JWK set.
func (s State) Published(now time.Time) bool {
	switch s.status {
	case Waiting, Active:
		return true
	case Old, Gone: // the private half is gone, signatures are still verified
		return !s.compromised && now.Before(s.until)
	}
	return false
}

// Command is the closed set of things one can ask of a signing key.
//
//sumtype:decl
type Command interface{ isCommand() }

type (
	Announce   struct{ Announced }
	Activate   struct{}
	Retire     struct{ Retired }
	Compromise struct{ Compromised }
	Destroy    struct{}
)

func (Announce) isCommand()   {}
func (Activate) isCommand()   {}
func (Retire) isCommand()     {}
func (Compromise) isCommand() {}
func (Destroy) isCommand()    {}

// Decide returns the events that cmd causes, or why it is refused.
func (s State) Decide(cmd Command) ([]Event, error) {
	if announce, ok := cmd.(Announce); ok {
		if s.status != Nothing {
			return nil, ErrExists
		}
		return []Event{announce.Announced}, nil
	}
	if s.status == Nothing {
		return nil, ErrUnknown
	}
	switch cmd := cmd.(type) {
	case Activate:
		return s.step(Waiting, Active, ErrNotAnnounced, Activated{})
	case Retire:
		return s.step(Active, Old, ErrNotActive, cmd.Retired)
	case Compromise:
		if s.compromised {
			return nil, nil
		}
		return []Event{cmd.Compromised}, nil
	case Destroy:
		switch s.status {
		case Gone:
			return nil, nil
		case Waiting, Active:
			return nil, ErrInUse
		}
		return []Event{Destroyed{}}, nil
	}
	panic("signingkey: unknown command")
}

func (s State) step(from, to Status, otherwise error, e Event) ([]Event, error) {
	switch s.status {
	case from:
		return []Event{e}, nil
	case to:
		return nil, nil
	}
	return nil, otherwise
}

// Evolve returns the state after e.
func (s State) Evolve(e Event) State {
	switch e := e.(type) {
	case Announced:
		s.status, s.announced = Waiting, e
	case Activated:
		s.status = Active
	case Retired:
		s.status, s.until = Old, e.PublishedUntil
	case Compromised:
		s.status, s.compromised = Lost, true
	case Destroyed:
		s.status = Gone
	}
	return s
}
