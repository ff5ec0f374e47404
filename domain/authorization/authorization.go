// Package authorization decides one authorization journey, from the pushed
// request to the redeemed code.
//
//	          Push           Authenticate                Grant           IssueCode        Redeem
//	(nothing) ----> pushed ---------------> identified --------> granted ---------> coded --------> redeemed
//	                  |                         |
//	                  +--------- Deny ----------+--------> denied
//
// Opening the request writes nothing; the first browser in which a customer is
// authenticated is bound; grant or denial uses the request up.
package authorization

import (
	"errors"
	"net/url"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// Why a step is refused. The first ones end on an error page, because they do
// not come from the client; Redeem refuses with an [oauth.Error].
var (
	ErrExists       = errors.New("authorization request already exists")
	ErrUnknown      = errors.New("there is no such authorization request")
	ErrDecided      = errors.New("the authorization request has already been decided")
	ErrOtherBrowser = errors.New("the authorization request belongs to another browser")
	ErrOtherSubject = errors.New("the authorization request belongs to another customer")
	ErrNobody       = errors.New("no customer is signed in for the authorization request")
	ErrExpired      = errors.New("what was asked for has expired")
	ErrNotGranted   = errors.New("the authorization request has not been granted")
)

// State is a journey as far as its rules need to know it.
type State struct {
	status  status
	pushed  Pushed
	request oauth.AuthorizationRequest
	person  SubjectAuthenticated
	granted Granted
	code    CodeIssued
	spent   CodeRedeemed
	replays int
	noted   bool // that nobody completed it
}

type status int

const (
	nothing status = iota
	pushed
	denied
	granted
	coded
	redeemed
)

// Client returns the client that pushed the request.
func (s State) Client() string { return s.pushed.Client }

// Request returns the request as it was pushed.
func (s State) Request() oauth.AuthorizationRequest { return s.request }

// Expires returns the end of the request_uri.
func (s State) Expires() time.Time { return s.pushed.Expires }

// Names reports whether a request_uri is the one of this journey.
func (s State) Names(a oauth.Artefact) bool { return s.status != nothing && a.Matches(s.pushed.Digest) }

// Exists reports whether a request was pushed.
func (s State) Exists() bool { return s.status != nothing }

// Decided reports whether the request was granted or denied.
func (s State) Decided() bool { return s.status >= denied }

// Completable reports whether the customer said yes and the code was not yet
// redeemed, so that a code may be issued once more.
func (s State) Completable() bool { return s.status == granted || s.status == coded }

// Person returns how the customer was authenticated; its Subject is empty
// before.
func (s State) Person() SubjectAuthenticated { return s.person }

// Grant returns what the customer agreed to.
func (s State) Grant() Granted { return s.granted }

// Redeemed returns what the code was redeemed for.
func (s State) Redeemed() CodeRedeemed { return s.spent }

// Evolve returns the state after e. It never fails: e has happened.
func (s State) Evolve(e Event) State {
	switch e := e.(type) {
	case Pushed:
		s.status, s.pushed = pushed, e
		form, _ := url.ParseQuery(e.Body + e.Personal)
		s.request = oauth.ParseAuthorizationRequest(form)
	case SubjectAuthenticated:
		s.person = e
	case Granted:
		s.status, s.granted = granted, e
	case Denied:
		s.status = denied
	case CodeIssued:
		s.status, s.code = coded, e
	case CodeRedeemed:
		s.status, s.spent = redeemed, e
	case CodeReplayed:
		s.replays++
	case Expired:
		s.noted = true
	}
	return s
}
