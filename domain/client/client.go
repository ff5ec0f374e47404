// Package client decides the life of a registered client.
//
//	          Register           Suspend
//	(nothing) --------> active <---------> suspended
//	                      |    Reinstate       |
//	                      +------ Delete ------+----> deleted
package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// Event is the closed set of facts about a client.
//
//sumtype:decl
type Event interface{ isEvent() }

type (
	// Registered admits a client to an issuer. Statement and Body are kept as
	// received; Management is the digest of the registration access token.
	Registered struct {
		Issuer     string               `json:"iss"`
		Metadata   oauth.ClientMetadata `json:"metadata"`
		Management string               `json:"management,omitempty"`
		Statement  string               `json:"software_statement,omitempty"`
		Body       string               `json:"body,omitempty"`
		Via        string               `json:"via"` // "registration", "operator"
	}

	// Updated replaces a client's metadata (RFC 7592, Section 2.2).
	Updated struct {
		Metadata  oauth.ClientMetadata `json:"metadata"`
		Statement string               `json:"software_statement,omitempty"`
		Body      string               `json:"body,omitempty"`
		Via       string               `json:"via"`
	}

	// KeySeen records a public key or certificate chain of the client before
	// the first event that names its thumbprint, so that old evidence can be
	// verified after the client has changed its keys.
	KeySeen struct {
		Thumbprint string          `json:"thumbprint"` // RFC 7638, or x5t#S256 of a certificate
		JWK        json.RawMessage `json:"jwk,omitempty"`
		Chain      [][]byte        `json:"x5c,omitempty"` // DER, leaf first
		Source     string          `json:"source"`        // "registration", a jwks_uri, or "tls"
		Fetched    time.Time       `json:"fetched,omitzero"`
		ETag       string          `json:"etag,omitempty"`
	}

	// Suspended stops a client: from then on nothing it holds counts.
	Suspended struct {
		Reason string `json:"reason"`
	}

	// Reinstated lets a suspended client, and what it holds, count again.
	Reinstated struct {
		Reason string `json:"reason"`
	}

	// Flagged records that a customer says the client asked in a name that is
	// not the asker's. It stops nothing: staff look into it.
	Flagged struct {
		Backchannel string `json:"backchannel"` // the request
		Reason      string `json:"reason"`
	}

	// Deleted ends a client (RFC 7592, Section 2.3). It is final.
	Deleted struct {
		By string `json:"by"` // "client" or "operator"
	}
)

func (Registered) isEvent() {}
func (Updated) isEvent()    {}
func (KeySeen) isEvent()    {}
func (Suspended) isEvent()  {}
func (Reinstated) isEvent() {}
func (Flagged) isEvent()    {}
func (Deleted) isEvent()    {}

// Events declares every event of a client.
var Events = []event.Declaration{
	event.Type[Registered]{
		Name: "client.registered",
		Past: []event.Upcaster{event.Added},
		Audit: func(e Registered, _ event.Names) string {
			return fmt.Sprintf("%s was registered by %s", e.Metadata.ClientName, e.Via)
		},
	},
	event.Type[Updated]{
		Name: "client.updated",
		Past: []event.Upcaster{event.Added},
		Audit: func(e Updated, _ event.Names) string {
			return fmt.Sprintf("the registration of %s was changed by %s", e.Metadata.ClientName, e.Via)
		},
	},
	event.Type[KeySeen]{
		Name:  "client.key_seen",
		Audit: func(e KeySeen, _ event.Names) string { return "a key was first used: " + e.Thumbprint },
	},
	event.Type[Suspended]{
		Name:  "client.suspended",
		Audit: func(e Suspended, _ event.Names) string { return "the client was suspended: " + e.Reason },
	},
	event.Type[Reinstated]{
		Name:  "client.reinstated",
		Audit: func(e Reinstated, _ event.Names) string { return "the client was reinstated: " + e.Reason },
	},
	event.Type[Flagged]{
		Name:  "client.flagged",
		Audit: func(e Flagged, _ event.Names) string { return "the client was flagged by a customer: " + e.Reason },
	},
	event.Type[Deleted]{
		Name:  "client.deleted",
		Audit: func(e Deleted, _ event.Names) string { return "the client was deleted by the " + e.By },
	},
}

// Why a command is refused.
var (
	ErrExists       = errors.New("client already exists")
	ErrUnknown      = errors.New("there is no such client")
	ErrDeleted      = errors.New("client was deleted")
	ErrNotSuspended = errors.New("client is not suspended")
)

// State is a client as far as its rules need to know it.
type State struct {
	status     status
	registered Registered
	metadata   oauth.ClientMetadata
	keys       seen
	flagged    seen // for which backchannel requests
}

type status int

const (
	nothing status = iota
	active
	suspended
	deleted
)

func (s State) Exists() bool                   { return s.status == active || s.status == suspended }
func (s State) Active() bool                   { return s.status == active }
func (s State) Suspended() bool                { return s.status == suspended }
func (s State) Issuer() string                 { return s.registered.Issuer }
func (s State) Metadata() oauth.ClientMetadata { return s.metadata }
func (s State) Management() string             { return s.registered.Management }
func (s State) Knows(thumbprint string) bool   { return s.keys.has(thumbprint) }

// Command is the closed set of things one can ask of a client.
//
//sumtype:decl
type Command interface{ isCommand() }

type (
	Register  struct{ Registered }
	Update    struct{ Updated }
	SeeKey    struct{ KeySeen }
	Suspend   struct{ Suspended }
	Reinstate struct{ Reinstated }
	Flag      struct{ Flagged }
	Delete    struct{ Deleted }
)

func (Register) isCommand()  {}
func (Update) isCommand()    {}
func (SeeKey) isCommand()    {}
func (Suspend) isCommand()   {}
func (Reinstate) isCommand() {}
func (Flag) isCommand()      {}
func (Delete) isCommand()    {}

// Decide returns the events that cmd causes, or why it is refused.
func (s State) Decide(cmd Command) ([]Event, error) {
	if register, ok := cmd.(Register); ok {
		if s.status != nothing {
			return nil, ErrExists
		}
		return []Event{register.Registered}, nil
	}
	switch s.status {
	case nothing:
		return nil, ErrUnknown
	case deleted:
		if _, again := cmd.(Delete); again {
			return nil, nil
		}
		return nil, ErrDeleted
	}
	switch cmd := cmd.(type) {
	case Update:
		if reflect.DeepEqual(s.metadata, cmd.Metadata) && cmd.Body == "" {
			return nil, nil
		}
		return []Event{cmd.Updated}, nil
	case SeeKey:
		if s.keys.has(cmd.Thumbprint) {
			return nil, nil
		}
		return []Event{cmd.KeySeen}, nil
	case Suspend:
		if s.status == suspended {
			return nil, nil
		}
		return []Event{cmd.Suspended}, nil
	case Reinstate:
		if s.status != suspended {
			return nil, ErrNotSuspended
		}
		return []Event{cmd.Reinstated}, nil
	case Flag:
		if s.flagged.has(cmd.Backchannel) {
			return nil, nil
		}
		return []Event{cmd.Flagged}, nil
	case Delete:
		return []Event{cmd.Deleted}, nil
	}
	panic("client: unknown command")
}

// Evolve returns the state after e.
func (s State) Evolve(e Event) State {
	switch e := e.(type) {
	case Registered:
		s.status, s.registered, s.metadata = active, e, e.Metadata
	case Updated:
		s.metadata = e.Metadata
	case KeySeen:
		s.keys = s.keys.with(e.Thumbprint)
	case Suspended:
		s.status = suspended
	case Reinstated:
		s.status = active
	case Flagged:
		s.flagged = s.flagged.with(e.Backchannel)
	case Deleted:
		s.status = deleted
	}
	return s
}
