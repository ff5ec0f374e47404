package watermill

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/google/uuid"
)

// scheduling schedules what an event obliges to tell, and has it sent at once.
func (d *Deliveries) scheduling(r *release) message.NoPublishHandlerFunc {
	return func(m *message.Message) error {
		e, err := Event(m.Payload)
		if err != nil {
			return err
		}
		decoded, err := d.Journal.Codec.Decode(m.Context(), e)
		if err != nil {
			return err
		}
		ids, err := d.Notices.Schedule(m.Context(), decoded)
		if err != nil {
			return fmt.Errorf("schedule what event %s obliges to: %w", e.ID, err)
		}
		for _, id := range ids {
			if n, err := d.load(m.Context(), id); err == nil { // else it is found when it is looked for
				r.offer(waiting{n.id, origin(n.state.Scheduled().Receiver), n.state.Until()})
			}
		}
		return nil
	}
}

// unreadable is the poison queue: an event that can never be handled is parked
// in the log, as a delivery of its own, so that those after it are handled and
// an operator sees it among the deliveries.
type unreadable struct{ *Deliveries }

var _ message.Publisher = unreadable{}

// Publish implements [message.Publisher]. What cannot be recorded is not
// swallowed either: the event comes again.
func (u unreadable) Publish(_ string, messages ...*message.Message) error {
	for _, m := range messages {
		if err := u.park(m); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [message.Publisher].
func (unreadable) Close() error { return nil }

func (u unreadable) park(m *message.Message) error {
	cause, err := uuid.Parse(m.UUID)
	if err != nil {
		return err
	}
	id := uuid.NewSHA1(cause, []byte(delivery.Unreadable)).String()
	now := u.Now().UTC()
	meta := u.Meta
	meta.Correlation, meta.Causation = m.Metadata[HeaderStream], m.UUID
	told := delivery.Scheduled{
		Kind: delivery.Unreadable, Says: "the event " + m.UUID + " (" + m.Metadata[HeaderType] + ") of " + m.Metadata[HeaderStream],
		Cause: m.UUID, Due: now, Until: now,
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(m.Context()), recordTime) // the message's own has ended with its handler
	defer done()
	state, revision, err := u.streams.Load(ctx, id)
	if err != nil || state.Parked() {
		return err
	}
	events := []any{told, delivery.Parked{By: delivery.System, Reason: "it cannot be handled, so nobody is told of it"}}
	if state.Exists() {
		events = events[1:]
	}
	draft := eventstore.Draft{Stream: u.streams.Stream(id), Expect: eventstore.After(revision), Events: events}
	if _, err := u.Journal.Commit(ctx, meta, draft); err != nil {
		return err
	}
	u.Metrics.Delivery(string(delivery.Unreadable), Parked)
	u.Log.LogAttrs(ctx, slog.LevelError, "an event cannot be handled, and nobody is told of it",
		slog.String("event", m.UUID), slog.String("stream", m.Metadata[HeaderStream]), slog.String("delivery", id),
		slog.String("err", m.Metadata[middleware.ReasonForPoisonedKey]))
	return nil
}
