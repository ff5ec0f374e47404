package delivery

import (
	"fmt"
	"time"

	"github.com/chirograph/chirograph/domain/event"
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
		Kind        Kind      `json:"kind"`
		Client      string    `json:"client_id,omitempty"`
		Backchannel string    `json:"backchannel,omitempty"`
		Consent     string    `json:"consent,omitempty"`
		Device      string    `json:"device,omitempty"`
		Receiver    string    `json:"receiver"`       // URL
		Media       string    `json:"media_type"`     // of the body
		Digest      string    `json:"body_digest"`    // SHA-256 of the body, base64url
		Body        string    `json:"body,omitempty"` // if it holds no secret
		Says        string    `json:"says"`           // what it tells, for people
		Cause       string    `json:"cause"`          // id of the event that it tells of
		Due         time.Time `json:"due"`
		Until       time.Time `json:"until"` // no attempt begins later, save the first
	}

	// Attempted records one attempt and the receiver's answer.
	Attempted struct {
		N       int       `json:"n"`                 // from 1
		Status  int       `json:"status,omitempty"`  // HTTP status, 0 if there was none
		Failure string    `json:"failure,omitempty"` // why there was no answer
		Answer  string    `json:"answer,omitempty"`  // its beginning, printable; sealed
		Took    int64     `json:"took_ms"`
		Next    time.Time `json:"next,omitzero"` // of the next attempt, if there is to be one
	}

	// Delivered ends a delivery: the receiver has it.
	Delivered struct {
		N int `json:"n"`
	}

	// Parked ends a delivery without success, until somebody reschedules it.
	Parked struct {
		By     string `json:"by"` // [System] or "operator"
		Reason string `json:"reason"`
	}

	// Rescheduled takes a parked delivery up again.
	Rescheduled struct {
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
		Audit: func(e Scheduled, n event.Names) string { return e.to(n) + " is to be told: " + e.Says },
	},
	event.Type[Attempted]{
		Name:   "delivery.attempted",
		Class:  event.Traffic,
		Sealed: []string{"answer"},
		Audit: func(e Attempted, n event.Names) string {
			return fmt.Sprintf("attempt %d to tell %s: %s", e.N, n.Client(""), e.outcome())
		},
	},
	event.Type[Delivered]{
		Name:  "delivery.delivered",
		Class: event.Traffic,
		Audit: func(e Delivered, n event.Names) string { return n.Client("") + " was told" },
	},
	event.Type[Parked]{
		Name:  "delivery.parked",
		Class: event.Traffic,
		Audit: func(e Parked, _ event.Names) string {
			return "the delivery was parked by the " + e.By + ": " + e.Reason
		},
	},
	event.Type[Rescheduled]{
		Name:  "delivery.rescheduled",
		Class: event.Traffic,
		Audit: func(e Rescheduled, _ event.Names) string { return "the delivery was taken up again by the " + e.By },
	},
}

func (e Scheduled) to(n event.Names) string {
	if e.Kind == Device {
		return "the customer's device " + e.Device
	}
	return n.Client(e.Client)
}

func (e Attempted) outcome() string {
	if e.Status == 0 {
		return e.Failure
	}
	return fmt.Sprintf("answered %d", e.Status)
}
