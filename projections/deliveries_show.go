package projections

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/eventstore"
)

// A DeliveryStory is what the log proves of one delivery: what was sent, where
// to and when, and what the receiver answered each time.
type DeliveryStory struct {
	Delivery
	Media   string         `json:"media_type"`
	Digest  string         `json:"body_digest"`      // SHA-256 of the body, base64url
	Body    string         `json:"body,omitempty"`   // unless it holds secrets
	Secrets bool           `json:"holds_secrets"`    // so only its digest is in the log
	Cause   string         `json:"cause"`            // id of the event that it tells of
	Steps   []DeliveryStep `json:"steps"`            // the oldest first
	Erased  []string       `json:"erased,omitempty"` // fields whose key was destroyed
}

// A DeliveryStep is one event of a delivery.
type DeliveryStep struct {
	Position eventstore.Position `json:"position"`
	Time     time.Time           `json:"time"` // when it was recorded
	Step     string              `json:"step"` // "scheduled", "attempted", "delivered", "parked" or "rescheduled"
	N        int                 `json:"n,omitempty"`
	Status   int                 `json:"status,omitempty"`
	Failure  string              `json:"failure,omitempty"` // why there was no answer
	Answer   string              `json:"answer,omitempty"`  // its beginning
	Took     int64               `json:"took_ms,omitempty"`
	Next     time.Time           `json:"next_at,omitzero"`
	By       string              `json:"by,omitempty"`
	Reason   string              `json:"reason,omitempty"`
	Until    time.Time           `json:"until,omitzero"`
}

// Show tells the whole story of one delivery, from the log.
func (q *Deliveries) Show(ctx context.Context, id string) (story DeliveryStory, found bool, err error) {
	d, asOf, found, err := q.get(ctx, id)
	if err != nil || !found {
		return story, found, err
	}
	story.Delivery = d
	for e, err := range numbered(ctx, q.journal.Log, eventstore.Stream("delivery-"+id), 0) {
		if err != nil {
			return story, true, err
		}
		if e.Position > asOf {
			break
		}
		decoded, err := q.journal.Codec.Decode(ctx, e)
		if err != nil {
			return story, true, err
		}
		story.tell(decoded)
	}
	return story, true, nil
}

func (s *DeliveryStory) tell(e eventstore.Decoded) {
	step := DeliveryStep{Position: e.Position, Time: e.Recorded, Step: strings.TrimPrefix(e.Type, "delivery.")}
	switch body := e.Body.(type) {
	case delivery.Scheduled:
		s.Media, s.Digest, s.Body, s.Secrets, s.Cause = body.Media, body.Digest, body.Body, body.Body == "", body.Cause
		step.Next, step.Until = body.Due, body.Until
	case delivery.Attempted:
		step.N, step.Status, step.Failure, step.Answer = body.N, body.Status, body.Failure, body.Answer
		step.Took, step.Next = body.Took, body.Next
	case delivery.Delivered:
		step.N = body.N
	case delivery.Parked:
		step.By, step.Reason = body.By, body.Reason
	case delivery.Rescheduled:
		step.By, step.Next, step.Until = body.By, body.Due, body.Until
	}
	s.Steps = append(s.Steps, step)
	for _, field := range e.Erased {
		if !slices.Contains(s.Erased, field) {
			s.Erased = append(s.Erased, field)
		}
	}
}
