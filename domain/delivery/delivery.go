// Package delivery decides the life of one notification to somebody outside:
// a ping or a push of CIBA, a word to a customer's device, a webhook.
//
//	          Schedule             Attempt: 2xx
//	(nothing) --------> scheduled --------------> delivered
//	                    |       ^
//	     no more to try |       | Reschedule
//	                    v       |
//	                     parked
//
// At least once: what was sent but not recorded is sent again, with the same
// id and the same body. What comes of an attempt that was under way when the
// delivery was parked is recorded too: if it arrived, the delivery did.
package delivery

import (
	"errors"
	"time"
)

// Kind is what a delivery is.
type Kind string

const (
	Ping    Kind = "ping"    // CIBA, Section 10.2
	Push    Kind = "push"    // CIBA, Section 10.3
	Device  Kind = "device"  // to the app of a customer's device
	Webhook Kind = "webhook" // a security event token, RFC 8417 and RFC 8935

	// Unreadable is no notification: an event that nobody could handle, so
	// that nobody is told of it. It is parked from the start.
	Unreadable Kind = "unreadable"
)

// Kinds lists what a delivery can be.
var Kinds = []Kind{Ping, Push, Device, Webhook}

// Why a command is refused.
var (
	ErrExists  = errors.New("delivery already exists")
	ErrUnknown = errors.New("there is no such delivery")
	ErrEnded   = errors.New("delivery has ended")
	ErrNumber  = errors.New("another attempt was recorded meanwhile")
	ErrPending = errors.New("delivery is still being tried")
	ErrLate    = errors.New("what was to be delivered has expired")
)

// State is a delivery as far as its rules need to know it.
type State struct {
	status    status
	scheduled Scheduled
	attempts  int
	last      Attempted
	due       time.Time
	until     time.Time
	reason    string
}

type status int

const (
	nothing status = iota
	scheduled
	delivered
	parked
)

func (s State) Exists() bool         { return s.status != nothing }
func (s State) Scheduled() Scheduled { return s.scheduled }
func (s State) Pending() bool        { return s.status == scheduled }
func (s State) Delivered() bool      { return s.status == delivered }
func (s State) Parked() bool         { return s.status == parked }
func (s State) Attempts() int        { return s.attempts }
func (s State) Last() Attempted      { return s.last }
func (s State) Due() time.Time       { return s.due }
func (s State) Until() time.Time     { return s.until }

// Reason returns why the delivery was parked.
func (s State) Reason() string { return s.reason }

// Status names the state for people.
func (s State) Status() string {
	return map[status]string{nothing: "", scheduled: "scheduled", delivered: "delivered", parked: "parked"}[s.status]
}

// Command is the closed set of things one can ask of a delivery.
//
//sumtype:decl
type Command interface{ isCommand() }

type (
	Schedule struct{ Scheduled }
	// Attempt records what came of sending. Its verdict says when the next is.
	Attempt struct {
		Attempted
		Verdict Verdict
	}
	Park       struct{ Parked }
	Reschedule struct {
		Rescheduled
		At time.Time
	}
)

func (Schedule) isCommand()   {}
func (Attempt) isCommand()    {}
func (Park) isCommand()       {}
func (Reschedule) isCommand() {}

// Decide returns the events that cmd causes, or why it is refused.
func (s State) Decide(cmd Command) ([]Event, error) {
	if schedule, ok := cmd.(Schedule); ok {
		if s.Exists() {
			return nil, ErrExists
		}
		return []Event{schedule.Scheduled}, nil
	}
	if !s.Exists() {
		return nil, ErrUnknown
	}
	switch cmd := cmd.(type) {
	case Attempt:
		return s.attempt(cmd)
	case Park:
		if !s.Pending() {
			return nil, ErrEnded
		}
		cmd.Kind = s.scheduled.Kind
		return []Event{cmd.Parked}, nil
	case Reschedule:
		switch {
		case s.Pending():
			return nil, ErrPending
		case s.Delivered():
			return nil, ErrEnded
		case !cmd.At.Before(cmd.Until):
			return nil, ErrLate
		}
		cmd.Kind = s.scheduled.Kind
		return []Event{cmd.Rescheduled}, nil
	}
	panic("delivery: unknown command")
}

func (s State) attempt(cmd Attempt) ([]Event, error) {
	switch {
	case s.Delivered():
		return nil, ErrEnded
	case cmd.N != s.attempts+1:
		return nil, ErrNumber
	case s.Parked() && cmd.Verdict.Ends != Arrived:
		cmd.Verdict = Verdict{} // it has ended already
	}
	cmd.Next = cmd.Verdict.Next
	kind := s.scheduled.Kind
	cmd.Kind = kind
	switch cmd.Verdict.Ends {
	case Arrived:
		return []Event{cmd.Attempted, Delivered{kind, cmd.N}}, nil
	case GivenUp:
		return []Event{cmd.Attempted, Parked{kind, System, cmd.Verdict.Reason}}, nil
	}
	return []Event{cmd.Attempted}, nil
}

// Evolve returns the state after e.
func (s State) Evolve(e Event) State {
	switch e := e.(type) {
	case Scheduled:
		s.status, s.scheduled, s.due, s.until = scheduled, e, e.Due, e.Until
	case Attempted:
		s.attempts, s.last, s.due = e.N, e, e.Next
	case Delivered:
		s.status, s.reason = delivered, ""
	case Parked:
		s.status, s.reason = parked, e.Reason
	case Rescheduled:
		s.status, s.due, s.until, s.reason = scheduled, e.Due, e.Until, ""
	}
	return s
}
