// Package subject decides the life of a person known to the platform by a
// pseudonymous id: a customer, or one of the bank's own staff.
//
//	          Enroll             Erase (refused while a hold is placed)
//	(nothing) ------> enrolled ----------------------------------------> erased
package subject

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/chirograph/chirograph/domain/event"
)

// Event is the closed set of facts about a subject.
//
//sumtype:decl
type Event interface{ isEvent() }

type (
	// Enrolled makes a person known under a pseudonymous id.
	Enrolled struct {
		Issuer string `json:"iss"`
		Name   string `json:"name,omitempty"` // sealed
		Test   bool   `json:"test,omitempty"` // nobody real; the only customers of an issuer for conformance tests
	}

	// CredentialBound records that a credential was set, and nothing of it.
	CredentialBound struct {
		ID   string `json:"id"`
		Kind string `json:"kind"` // "password", "passkey", …
	}

	// CredentialRemoved ends a credential.
	CredentialRemoved struct {
		ID string `json:"id"`
	}

	// DeviceBound ties a device's key to the person: what it signs is the
	// person's word.
	DeviceBound struct {
		ID         string          `json:"id"`
		Thumbprint string          `json:"jkt"`
		JWK        json.RawMessage `json:"jwk,omitempty"`
		Client     string          `json:"client_id,omitempty"` // the app that registered it
		Receiver   string          `json:"receiver,omitempty"`  // URL that is told of requests
		Name       string          `json:"name,omitempty"`      // that the person gave it; sealed
	}

	// DeviceUnbound ends a device.
	DeviceUnbound struct {
		ID string `json:"id"`
		By string `json:"by"` // "customer" or "operator"
	}

	// RoleGranted makes a person one of the bank's staff.
	RoleGranted struct {
		Role string `json:"role"` // "admin", "auditor", "investigator"
	}

	// RoleWithdrawn takes a role away.
	RoleWithdrawn struct {
		Role string `json:"role"`
	}

	// HoldPlaced forbids erasure until the hold is lifted.
	HoldPlaced struct {
		Hold   string `json:"hold"` // id of the legal hold
		Reason string `json:"reason"`
	}

	// HoldLifted ends a hold; another may remain.
	HoldLifted struct {
		Hold string `json:"hold"`
	}

	// Erased records that the person's keys were destroyed, and with them all
	// personal data in the log. It is final.
	Erased struct {
		Reason string `json:"reason"`
	}
)

func (Enrolled) isEvent()          {}
func (CredentialBound) isEvent()   {}
func (CredentialRemoved) isEvent() {}
func (DeviceBound) isEvent()       {}
func (DeviceUnbound) isEvent()     {}
func (RoleGranted) isEvent()       {}
func (RoleWithdrawn) isEvent()     {}
func (HoldPlaced) isEvent()        {}
func (HoldLifted) isEvent()        {}
func (Erased) isEvent()            {}

// Events declares every event of a subject.
var Events = []event.Declaration{
	event.Type[Enrolled]{
		Name:   "subject.enrolled",
		Past:   []event.Upcaster{event.Added},
		Sealed: []string{"name"},
		Audit: func(e Enrolled, _ event.Names) string {
			if e.Name == "" {
				return "a customer was enrolled"
			}
			return e.Name + " was enrolled"
		},
	},
	event.Type[CredentialBound]{
		Name:  "subject.credential_bound",
		Audit: func(e CredentialBound, _ event.Names) string { return "a " + e.Kind + " was set" },
	},
	event.Type[CredentialRemoved]{
		Name:  "subject.credential_removed",
		Audit: func(e CredentialRemoved, _ event.Names) string { return "a credential was removed: " + e.ID },
	},
	event.Type[DeviceBound]{
		Name:   "subject.device_bound",
		Past:   []event.Upcaster{event.Added},
		Sealed: []string{"name"},
		Audit:  func(e DeviceBound, _ event.Names) string { return "a device was bound: " + e.ID },
	},
	event.Type[DeviceUnbound]{
		Name: "subject.device_unbound",
		Audit: func(e DeviceUnbound, _ event.Names) string {
			return "the device " + e.ID + " was removed by the " + e.By
		},
	},
	event.Type[RoleGranted]{
		Name:  "subject.role_granted",
		Audit: func(e RoleGranted, _ event.Names) string { return "the role " + e.Role + " was granted" },
	},
	event.Type[RoleWithdrawn]{
		Name:  "subject.role_withdrawn",
		Audit: func(e RoleWithdrawn, _ event.Names) string { return "the role " + e.Role + " was withdrawn" },
	},
	event.Type[HoldPlaced]{
		Name:  "subject.hold_placed",
		Audit: func(e HoldPlaced, _ event.Names) string { return "legal hold " + e.Hold + " was placed: " + e.Reason },
	},
	event.Type[HoldLifted]{
		Name:  "subject.hold_lifted",
		Audit: func(e HoldLifted, _ event.Names) string { return "legal hold " + e.Hold + " was lifted" },
	},
	event.Type[Erased]{
		Name:  "subject.erased",
		Audit: func(e Erased, _ event.Names) string { return "the customer's personal data was erased: " + e.Reason },
	},
}

// Roles are what staff may be.
var Roles = []string{"admin", "auditor", "investigator"}

// Why a command is refused.
var (
	ErrExists        = errors.New("subject already exists")
	ErrUnknown       = errors.New("there is no such subject")
	ErrErased        = errors.New("subject was erased")
	ErrHeld          = errors.New("a legal hold forbids erasure")
	ErrActiveConsent = errors.New("active consents must be revoked first")
	ErrUnknownRole   = errors.New("there is no such role")
	ErrDevices       = errors.New("subject has as many devices as it may")
	ErrUnknownHold   = errors.New("there is no such legal hold")
)

// State is a subject as far as its rules need to know it.
type State struct {
	exists bool
	erased bool
	issuer string
	name   string
	roles  map[string]bool
	holds  map[string]bool
	bound  map[string]bool // credentials by id

	devices map[string]DeviceBound
	test    bool
}

// MaxDevices bounds the devices of one person.
const MaxDevices = 8

func (s State) Exists() bool   { return s.exists }
func (s State) Erased() bool   { return s.erased }
func (s State) Active() bool   { return s.exists && !s.erased }
func (s State) Issuer() string { return s.issuer }

// Name is empty once the subject was erased.
func (s State) Name() string { return s.name }

func (s State) Has(role string) bool { return s.roles[role] && !s.erased }
func (s State) Roles() []string      { return slices.Sorted(maps.Keys(s.roles)) }
func (s State) Held() bool           { return len(s.holds) > 0 }

// Test reports whether the person is nobody real.
func (s State) Test() bool { return s.test }

// Bound reports whether a credential is set.
func (s State) Bound(credential string) bool { return s.bound[credential] && !s.erased }

// Device returns a device of the person.
func (s State) Device(id string) (DeviceBound, bool) {
	d, found := s.devices[id]
	return d, found && !s.erased
}

// Devices returns the devices of the person, by id.
func (s State) Devices() []DeviceBound {
	var all []DeviceBound
	for _, id := range slices.Sorted(maps.Keys(s.devices)) {
		if d, found := s.Device(id); found {
			all = append(all, d)
		}
	}
	return all
}

// Command is the closed set of things one can ask of a subject.
//
//sumtype:decl
type Command interface{ isCommand() }

type (
	Enroll struct{ Enrolled }
	// BindCredential records that a credential was set. Unless it was set
	// again, one of its id is recorded once.
	BindCredential struct {
		CredentialBound
		Again bool
	}
	RemoveCredential struct{ CredentialRemoved }
	BindDevice       struct{ DeviceBound }
	UnbindDevice     struct{ DeviceUnbound }
	GrantRole        struct{ RoleGranted }
	WithdrawRole     struct{ RoleWithdrawn }
	PlaceHold        struct{ HoldPlaced }
	LiftHold         struct{ HoldLifted }
	// Erase is refused while ActiveConsents is not zero: they are ended first,
	// each by its own event.
	Erase struct {
		Erased
		ActiveConsents int
	}
)

func (Enroll) isCommand()           {}
func (BindCredential) isCommand()   {}
func (RemoveCredential) isCommand() {}
func (BindDevice) isCommand()       {}
func (UnbindDevice) isCommand()     {}
func (GrantRole) isCommand()        {}
func (WithdrawRole) isCommand()     {}
func (PlaceHold) isCommand()        {}
func (LiftHold) isCommand()         {}
func (Erase) isCommand()            {}

// Decide returns the events that cmd causes, or why it is refused.
func (s State) Decide(cmd Command) ([]Event, error) {
	if enroll, ok := cmd.(Enroll); ok {
		if s.exists {
			return nil, ErrExists
		}
		return []Event{enroll.Enrolled}, nil
	}
	if !s.exists {
		return nil, ErrUnknown
	}
	if erase, ok := cmd.(Erase); ok {
		return s.erase(erase)
	}
	if s.erased {
		return nil, ErrErased
	}
	switch cmd := cmd.(type) {
	case BindCredential:
		return unless(s.bound[cmd.ID] && !cmd.Again, cmd.CredentialBound)
	case RemoveCredential:
		return unless(!s.bound[cmd.ID], cmd.CredentialRemoved)
	case BindDevice:
		if len(s.devices) >= MaxDevices {
			return nil, ErrDevices
		}
		return unless(s.devices[cmd.ID].ID != "", cmd.DeviceBound)
	case UnbindDevice:
		return unless(s.devices[cmd.ID].ID == "", cmd.DeviceUnbound)
	case GrantRole:
		if !slices.Contains(Roles, cmd.Role) {
			return nil, ErrUnknownRole
		}
		return unless(s.roles[cmd.Role], cmd.RoleGranted)
	case WithdrawRole:
		return unless(!s.roles[cmd.Role], cmd.RoleWithdrawn)
	case PlaceHold:
		return unless(s.holds[cmd.Hold], cmd.HoldPlaced)
	case LiftHold:
		if !s.holds[cmd.Hold] {
			return nil, ErrUnknownHold
		}
		return []Event{cmd.HoldLifted}, nil
	}
	panic("subject: unknown command")
}

func (s State) erase(cmd Erase) ([]Event, error) {
	switch {
	case s.erased:
		return nil, nil
	case s.Held():
		return nil, ErrHeld
	case cmd.ActiveConsents > 0:
		return nil, ErrActiveConsent
	}
	return []Event{cmd.Erased}, nil
}

func unless(already bool, e Event) ([]Event, error) {
	if already {
		return nil, nil
	}
	return []Event{e}, nil
}

// Evolve returns the state after e.
func (s State) Evolve(e Event) State {
	switch e := e.(type) {
	case Enrolled:
		s.exists, s.issuer, s.name, s.test = true, e.Issuer, e.Name, e.Test
	case RoleGranted:
		s.roles = with(s.roles, e.Role)
	case RoleWithdrawn:
		s.roles = without(s.roles, e.Role)
	case HoldPlaced:
		s.holds = with(s.holds, e.Hold)
	case HoldLifted:
		s.holds = without(s.holds, e.Hold)
	case Erased:
		s.erased, s.name = true, ""
	case CredentialBound:
		s.bound = with(s.bound, e.ID)
	case CredentialRemoved:
		s.bound = without(s.bound, e.ID)
	case DeviceBound:
		s.devices = maps.Clone(s.devices)
		if s.devices == nil {
			s.devices = map[string]DeviceBound{}
		}
		s.devices[e.ID] = e
	case DeviceUnbound:
		s.devices = maps.Clone(s.devices)
		delete(s.devices, e.ID)
	}
	return s
}

func with(set map[string]bool, v string) map[string]bool {
	set = maps.Clone(set)
	if set == nil {
		set = map[string]bool{}
	}
	set[v] = true
	return set
}

func without(set map[string]bool, v string) map[string]bool {
	set = maps.Clone(set)
	delete(set, v)
	return set
}
