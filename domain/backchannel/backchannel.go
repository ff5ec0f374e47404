// Package backchannel decides one authentication that a client started without
// the customer's browser (OpenID Connect Client-Initiated Backchannel
// Authentication, CIBA), from the request to the redeemed auth_req_id.
//
//	          Request             Show            Approve            Redeem
//	(nothing) -------> requested ------> shown -----------> approved -------> redeemed
//	                       |               |
//	                       +---- Deny -----+------> denied     |
//	                                                           +--- Fail ---> failed
//
// Only what is pushed can fail: nobody redeems it, so somebody must say why not.
// A request that is past its expiry stays in its state but permits nothing.
package backchannel

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// Why a step is refused. Redeem refuses with an [oauth.Error].
var (
	ErrExists       = errors.New("backchannel request already exists")
	ErrUnknown      = errors.New("there is no such backchannel request")
	ErrDecided      = errors.New("the backchannel request has already been decided")
	ErrExpired      = errors.New("the backchannel request has expired")
	ErrOtherSubject = errors.New("the backchannel request is for another customer")
	ErrNotShown     = errors.New("what was approved is not what was shown")
	ErrNotApproved  = errors.New("the customer has not approved the backchannel request")
	ErrNobody       = errors.New("a backchannel request needs a client and a customer")
)

// State is a backchannel authentication as far as its rules need to know it.
type State struct {
	status    status
	requested Requested
	shown     map[sight]Shown
	devices   []string // that were notified
	approved  Approved
	denied    Denied
	spent     Redeemed
	failed    Failed
	noted     bool // that it ran out
}

type status int

const (
	nothing status = iota
	requested
	approved
	denied
	redeemed
	failed
)

// Exists reports whether there was a request.
func (s State) Exists() bool { return s.status != nothing }

// Requested returns what was asked.
func (s State) Requested() Requested { return s.requested }

// Pending reports whether the customer may still answer.
func (s State) Pending(now time.Time) bool {
	return s.status == requested && !s.noted && now.Before(s.requested.Expires)
}

// Decided reports whether the customer or the platform has answered.
func (s State) Decided() bool { return s.status >= approved }

// Approved returns the customer's yes; its Consent is empty without one.
func (s State) Approved() Approved { return s.approved }

// Denied returns the no; its By is empty without one.
func (s State) Denied() Denied { return s.denied }

// Redeemed returns what auth_req_id was redeemed for.
func (s State) Redeemed() Redeemed { return s.spent }

// Failed returns why no tokens are pushed; its Error is empty unless so.
func (s State) Failed() Failed { return s.failed }

// Shown returns what the customer saw under a hash.
func (s State) Shown(hash string) (Shown, bool) {
	for seen, shown := range s.shown {
		if seen.hash == hash {
			return shown, true
		}
	}
	return Shown{}, false
}

// Notified reports whether a device was told.
func (s State) Notified(device string) bool { return slices.Contains(s.devices, device) }

// Status names the state for people.
func (s State) Status() string {
	switch {
	case s.status == requested && len(s.shown) > 0:
		return "shown"
	case s.status == nothing:
		return ""
	}
	return map[status]string{requested: "requested", approved: "approved", denied: "denied", redeemed: "redeemed", failed: "failed"}[s.status]
}

// Names reports whether an auth_req_id is the one of this request.
func (s State) Names(a oauth.Artefact) bool { return s.Exists() && a.Matches(s.requested.Digest) }

// Evolve returns the state after e. It never fails: e has happened.
func (s State) Evolve(e Event) State {
	switch e := e.(type) {
	case Requested:
		s.status, s.requested = requested, e
	case DeviceNotified:
		s.devices = append(slices.Clip(s.devices), e.Device)
	case Shown:
		s.shown = with(s.shown, e)
	case Approved:
		s.status, s.approved = approved, e
	case Denied:
		s.status, s.denied = denied, e
	case Redeemed:
		s.status, s.spent = redeemed, e
	case Failed:
		s.status, s.failed = failed, e
	case Expired:
		s.noted = true
	}
	return s
}

// A sight is what was shown where.
type sight struct{ hash, device string }

func with(all map[sight]Shown, one Shown) map[sight]Shown {
	more := maps.Clone(all)
	if more == nil {
		more = map[sight]Shown{}
	}
	more[sight{one.Shown, one.Device}] = one
	return more
}
