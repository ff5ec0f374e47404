package api

import (
	"context"

	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
)

// Redeliver takes a parked delivery up again, from now on and for as long as
// somebody may wait for it. It is refused with [ErrGone] if what was to be sent
// is no longer kept, and with [delivery.ErrLate] if nobody waits any more.
func (s *Server) Redeliver(ctx context.Context, m event.Meta, id string) error {
	state, _, err := s.Deliveries.Load(ctx, id)
	if err != nil {
		return err
	}
	now := s.Now().UTC()
	again := delivery.Reschedule{At: now, Rescheduled: delivery.Rescheduled{By: "operator", Due: now, Until: state.Until()}}
	if state.Scheduled().Kind == delivery.Webhook {
		again.Until = now.Add(webhookLife)
	}
	if _, err := state.Decide(again); err != nil {
		return err
	}
	if _, err := s.Compose(ctx, id, state); err != nil {
		return err
	}
	_, err = s.Deliveries.Execute(ctx, m, id, again)
	return err
}
