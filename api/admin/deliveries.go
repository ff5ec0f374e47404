package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/projections"
)

// deliveryStates are those by which deliveries can be listed.
var deliveryStates = []string{"", "scheduled", "delivered", "parked"}

func (s *Server) listDeliveries(c *call) (any, error) {
	page, err := s.paged(c, "status", "kind", "client", "consent", "backchannel")
	if err != nil {
		return nil, err
	}
	q := projections.DeliveryQuery{
		Status: c.param("status"), Kind: delivery.Kind(c.param("kind")), Client: c.param("client"),
		Consent: c.param("consent"), Backchannel: c.param("backchannel"), Page: page,
	}
	switch {
	case !slices.Contains(deliveryStates, q.Status):
		return nil, invalid("status must be scheduled, delivered or parked")
	case q.Kind != "" && q.Kind != delivery.Unreadable && !slices.Contains(delivery.Kinds, q.Kind):
		return nil, invalid("kind must be ping, push, device, webhook or unreadable")
	}
	return s.Projections.Deliveries.List(c.Context(), q)
}

func (s *Server) deliveryBacklog(c *call) (any, error) {
	if err := s.Current(c.Context()); err != nil {
		return nil, err
	}
	return s.Projections.Deliveries.Backlog(c.Context())
}

func (s *Server) showDelivery(c *call) (any, error) {
	return s.delivery(c.Context(), c.PathValue("delivery"))
}

// delivery tells one delivery as the log has it now.
func (s *Server) delivery(ctx context.Context, id string) (projections.DeliveryStory, error) {
	if err := s.Current(ctx); err != nil {
		return projections.DeliveryStory{}, err
	}
	story, found, err := s.Projections.Deliveries.Show(ctx, id)
	if err == nil && !found {
		err = notFound("there is no delivery " + id)
	}
	return story, err
}

// redeliver takes a parked delivery up again, for a receiver that has healed.
func (s *Server) redeliver(c *call) (any, error) {
	before, err := s.delivery(c.Context(), c.PathValue("delivery"))
	if err != nil {
		return nil, err
	}
	err = s.API.Redeliver(c.Context(), c.about(before.Delivery), before.ID)
	if err != nil {
		return nil, plainly(err, before.Delivery)
	}
	return s.delivery(c.Context(), before.ID)
}

// plainly says why a delivery cannot be taken up again in words for whom it
// concerns.
func plainly(err error, d projections.Delivery) error {
	over := errors.Is(err, delivery.ErrLate) || errors.Is(err, api.ErrGone)
	switch {
	case over && d.Kind == delivery.Unreadable:
		return conflict("nobody is told of what cannot be handled: " + d.Says)
	case errors.Is(err, delivery.ErrLate):
		return conflict(fmt.Sprintf("the request expired at %s: nobody waits for this %s any more", d.Until.Format(time.RFC3339), d.Kind.Noun()))
	case errors.Is(err, delivery.ErrPending):
		return conflict("the delivery is still being tried, next at " + d.Due.Format(time.RFC3339))
	case errors.Is(err, delivery.ErrEnded):
		return conflict("the delivery arrived at " + d.Ended.Format(time.RFC3339))
	case errors.Is(err, api.ErrGone):
		return conflict("what was to be sent cannot be sent any more: " + err.Error())
	}
	return err
}

// park ends a delivery that goes on failing.
func (s *Server) park(c *call) (any, error) {
	why, err := c.reason()
	if err != nil {
		return nil, err
	}
	before, err := s.delivery(c.Context(), c.PathValue("delivery"))
	if err != nil {
		return nil, err
	}
	if _, err := s.API.Deliveries.Execute(c.Context(), c.about(before.Delivery), before.ID, delivery.Park{
		Parked: delivery.Parked{By: event.ActorOperator, Reason: why}}); err != nil {
		return nil, err
	}
	return s.delivery(c.Context(), before.ID)
}

// about is the metadata of what an operator does to a delivery.
func (c *call) about(d projections.Delivery) event.Meta {
	m := c.meta()
	m.Issuer, m.Client = d.Issuer, d.Client
	if d.Backchannel != "" {
		m.Correlation = "backchannel-" + d.Backchannel
	}
	return m
}
