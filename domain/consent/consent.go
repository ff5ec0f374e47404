// Package consent decides what may happen to a customer's consent. The consent
// is the OAuth grant: every token names it, and none outlives it.
//
//	          Lodge            Authorize               Revoke, Consume, Supersede
//	(nothing) -----> awaiting ----------> authorized ----------------------------> ended
//	    |                |                 |      ^                                  ^
//	    |    Authorize   | Reject  Suspend |      | Reauthenticate         Revoke    |
//	    +--> authorized  +--> rejected     +-> suspended ----------------------------+
//
// A consent that is past its expiry stays in its state but permits nothing.
package consent

import (
	"errors"
	"slices"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// Party is who acted on a consent.
type Party string

const (
	Customer Party = "customer"
	Client   Party = "client"
	Bank     Party = "bank"
)

// Why a command is refused. Callers match these with errors.Is.
var (
	ErrExists       = errors.New("consent already exists")
	ErrNotAwaiting  = errors.New("consent is not awaiting authorization")
	ErrNotActive    = errors.New("consent is not authorized")
	ErrNotSuspended = errors.New("consent is not suspended")
	ErrExpired      = errors.New("consent has expired")
	ErrNoAccounts   = errors.New("consent needs at least one account")
	ErrNobody       = errors.New("consent needs a customer and a client")
	ErrOtherClient  = errors.New("consent belongs to another client")
	ErrOtherSubject = errors.New("consent belongs to another customer")
	ErrEnded        = errors.New("consent has ended")
	ErrLonger       = errors.New("consent would last longer than was asked for")
)

// State is a consent as far as its rules need to know it. The zero State is a
// consent that nobody has asked for.
type State struct {
	status  Status
	client  string
	subject string
	parties []string
	scope   string
	details []oauth.Detail
	expires time.Time
	acr     string
	auth    time.Time
	noted   bool // that it expired
}

// Status is where a consent stands, expiry apart.
type Status string

const (
	Nothing    Status = ""
	Awaiting   Status = "awaiting"
	Active     Status = "authorized"
	Stopped    Status = "suspended"
	Refused    Status = "rejected"
	UsedUp     Status = "consumed"
	Replaced   Status = "superseded"
	Terminated Status = "revoked"
)

// Status returns where the consent stands, expiry apart.
func (s State) Status() Status { return s.status }

// Client returns the client that was given access.
func (s State) Client() string { return s.client }

// Subject returns the customer who gave access.
func (s State) Subject() string { return s.subject }

// Scope returns the granted scope.
func (s State) Scope() string { return s.scope }

// Details returns the granted authorization details, accounts included. It is
// empty once the customer was erased.
func (s State) Details() []oauth.Detail { return s.details }

// Authentication returns how and when the customer last proved identity for
// the consent.
func (s State) Authentication() (acr string, at time.Time) { return s.acr, s.auth }

// Expires returns the instant from which the consent permits nothing.
func (s State) Expires() time.Time { return s.expires }

// Alive reports whether tokens of the consent count at the given time.
func (s State) Alive(now time.Time) bool { return s.status == Active && now.Before(s.expires) }

// Permits reports whether the consent covers a permission on an account at the
// given time. An empty account asks about any.
func (s State) Permits(permission, account string, now time.Time) bool {
	return s.Alive(now) && slices.ContainsFunc(s.details, func(d oauth.Detail) bool {
		current := d.ExpiresAt == nil || now.Before(*d.ExpiresAt)
		return current && slices.Contains(d.Permissions, permission) &&
			(account == "" && len(d.Accounts) > 0 || slices.Contains(d.Accounts, account))
	})
}

// Accounts returns the accounts on which a permission holds at the given time.
func (s State) Accounts(permission string, now time.Time) []string {
	var all []string
	for _, d := range s.details {
		for _, a := range d.Accounts {
			if s.Permits(permission, a, now) {
				all = append(all, a)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// HistoryFrom returns the first day of transactions that the consent covers on
// an account at the given time, "" for no limit. It says nothing about an
// account on which transactions are not permitted.
func (s State) HistoryFrom(account string, now time.Time) string {
	from, found := "", false
	for _, d := range s.details {
		ended := d.ExpiresAt != nil && !now.Before(*d.ExpiresAt)
		if ended || !slices.Contains(d.Accounts, account) || !slices.Contains(d.Permissions, oauth.ReadTransactions) {
			continue
		}
		if !found || d.HistoryFrom < from {
			from, found = d.HistoryFrom, true
		}
	}
	return from
}

// Evolve returns the state after e. It never fails: e has happened.
func (s State) Evolve(e Event) State {
	switch e := e.(type) {
	case Lodged:
		s.status, s.client, s.scope, s.details, s.expires = Awaiting, e.Client, e.Scope, e.Details, e.Expires
	case PartyAuthorized:
		s.parties = append(slices.Clip(s.parties), e.Subject)
	case Authorized:
		s.status, s.client, s.subject = Active, e.Client, e.Subject
		s.scope, s.details, s.expires = e.Scope, e.Details, e.Expires
		s.acr, s.auth = e.ACR, e.AuthTime
	case Rejected:
		s.status = Refused
	case Consumed:
		s.status = UsedUp
	case Reauthenticated:
		s.status, s.acr, s.auth = Active, e.ACR, e.AuthTime
	case Amended:
		s.scope, s.details, s.expires = e.Scope, e.Details, e.Expires
	case Superseded:
		s.status = Replaced
	case Suspended:
		s.status = Stopped
	case Revoked:
		s.status = Terminated
	case Expired:
		s.noted = true
	}
	return s
}
