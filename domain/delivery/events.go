package delivery

import (
	"fmt"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// Event is the closed set of facts about one delivery.
//
//sumtype:decl
type Event interface{ isEvent() }

type (
	// Scheduled records that somebody is to be told something, where and until
	// when. What is sent is here only if it holds no secret; its digest always
	// is, so that a receiver's copy can be compared.
	Scheduled struct {
		Kind        Kind       `json:"kind"`
		Client      string     `json:"client_id,omitempty"`
		Backchannel string     `json:"backchannel,omitempty"`
		Consent     string     `json:"consent,omitempty"`
		Device      string     `json:"device,omitempty"`
		Receiver    string     `json:"receiver"`        // URL
		Media       string     `json:"media_type"`      // of the body
		Digest      string     `json:"body_digest"`     // SHA-256 of the body, base64url
		Body        string     `json:"body,omitempty"`  // if it holds no secret
		Error       oauth.Code `json:"error,omitempty"` // code that is pushed instead of tokens, CIBA §12
		Says        string     `json:"says"`            // what it tells, for people
		Cause       string     `json:"cause"`           // id of the event that it tells of
		Due         time.Time  `json:"due"`
		Until       time.Time  `json:"until"` // no attempt begins later, save the first
	}

	// Attempted records one attempt and the receiver's answer.
	Attempted struct {
		Kind    Kind      `json:"kind"`              // as scheduled
		N       int       `json:"n"`                 // from 1
		Status  int       `json:"status,omitempty"`  // HTTP status, 0 if there was none
		Failure string    `json:"failure,omitempty"` // why there was no answer
		Answer  string    `json:"answer,omitempty"`  // its beginning, printable; sealed
		Took    int64     `json:"took_ms"`
		Next    time.Time `json:"next,omitzero"` // of the next attempt, if there is to be one
	}

	// Delivered ends a delivery: the receiver has it.
	Delivered struct {
		Kind Kind `json:"kind"` // as scheduled
		N    int  `json:"n"`
	}

	// Parked ends a delivery without success, until somebody reschedules it.
	Parked struct {
		Kind   Kind   `json:"kind"` // as scheduled
		By     string `json:"by"`   // [System] or "operator"
		Reason string `json:"reason"`
	}

	// Rescheduled takes a parked delivery up again.
	Rescheduled struct {
		Kind  Kind      `json:"kind"` // as scheduled
		By    string    `json:"by"`
		Due   time.Time `json:"due"`
		Until time.Time `json:"until"`
	}
)

func (Scheduled) isEvent()   {}
func (Attempted) isEvent()   {}
func (Delivered) isEvent()   {}
func (Parked) isEvent()      {}
func (Rescheduled) isEvent() {}

// System parks what cannot be delivered.
const System = "system"

// Events declares every event of a delivery.
var Events = []event.Declaration{
	event.Type[Scheduled]{
		Name:  "delivery.scheduled",
		Class: event.Traffic,
		Audit: func(e Scheduled, n event.Names) string {
			return fmt.Sprintf(e.Kind.words().future, e.Kind.receiver(e.Client, n)) + ": " + e.Says
		},
	},
	event.Type[Attempted]{
		Name:   "delivery.attempted",
		Class:  event.Traffic,
		Sealed: []string{"answer"},
		Audit: func(e Attempted, n event.Names) string {
			return fmt.Sprintf("attempt %d to %s %s: %s", e.N, e.Kind.words().verb, e.Kind.receiver("", n), e.outcome())
		},
	},
	event.Type[Delivered]{
		Name:  "delivery.delivered",
		Class: event.Traffic,
		Audit: func(e Delivered, n event.Names) string {
			return fmt.Sprintf(e.Kind.words().past, e.Kind.receiver("", n))
		},
	},
	event.Type[Parked]{
		Name:  "delivery.parked",
		Class: event.Traffic,
		Audit: func(e Parked, n event.Names) string {
			return fmt.Sprintf("the %s to %s was parked by the %s: %s", e.Kind.words().noun, e.Kind.receiver("", n), e.By, e.Reason)
		},
	},
	event.Type[Rescheduled]{
		Name:  "delivery.rescheduled",
		Class: event.Traffic,
		Audit: func(e Rescheduled, n event.Names) string {
			return fmt.Sprintf("the %s to %s was taken up again by the %s", e.Kind.words().noun, e.Kind.receiver("", n), e.By)
		},
	},
}

// phrases are how one speaks of a kind.
type phrases struct{ noun, verb, future, past string }

// Noun is what a delivery of the kind is called.
func (k Kind) Noun() string { return k.words().noun }

func (k Kind) words() phrases {
	switch k {
	case Ping:
		return phrases{"ping", "ping", "%s is to be pinged", "%s was pinged"}
	case Push:
		return phrases{"push", "push to", "an answer is to be pushed to %s", "%s received what was pushed"}
	case Device:
		return phrases{"notification", "notify", "%s is to be notified", "%s was notified"}
	case Webhook:
		return phrases{"webhook", "tell", "%s is to be told by webhook", "%s was told by webhook"}
	}
	return phrases{"delivery", "tell", "%s is to be told", "%s was told"}
}

// receiver says who is told: a client, that of the event if none is named, or
// the device.
func (k Kind) receiver(client string, n event.Names) string {
	if k == Device {
		return "the customer's device"
	}
	return n.Client(client)
}

func (e Attempted) outcome() string {
	if e.Status == 0 {
		return e.Failure
	}
	return fmt.Sprintf("answered %d", e.Status)
}
