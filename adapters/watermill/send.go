package watermill

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/ThreeDotsLabs/watermill/message"
)

// PostTime bounds one attempt: look-up, handshake, answer.
const PostTime = 5 * time.Second

// recordTime bounds the writing down of what came of it.
const recordTime = 5 * time.Second

// errUnrecorded means that something was sent, but that what came of it is not
// in the log. It is sent again.
var errUnrecorded = errors.New("an attempt was made but not recorded")

// send makes one attempt at a delivery, if one is due, and records it. What is
// past its time is parked, but not before a first attempt.
func (d *Deliveries) send(m *message.Message) error {
	ctx := m.Context()
	n, err := d.load(ctx, m.UUID)
	if err != nil {
		return err
	}
	now := d.Now()
	switch late := now.After(n.state.Until()); {
	case !n.state.Pending() || now.Before(n.state.Due()):
		return nil
	case late && n.state.Attempts() > 0:
		return d.park(ctx, n, "no time is left for another attempt")
	case late: // the first attempt is made whatever is known of the receiver
		return d.attempt(ctx, n, func(error) {})
	}
	done, allowed := d.breakers.allow(origin(n.state.Scheduled().Receiver))
	if !allowed {
		d.Metrics.Delivery(string(n.state.Scheduled().Kind), Postponed)
		return nil
	}
	return d.attempt(ctx, n, done)
}

func (d *Deliveries) attempt(ctx context.Context, n notification, done func(error)) error {
	what, err := d.Notices.Compose(ctx, n.id, n.state)
	if err != nil {
		done(errNothing)
		switch {
		case errors.Is(err, api.ErrGone):
			return d.park(ctx, n, gone(err))
		case !passing(err):
			return errors.Join(err, d.park(ctx, n, "what was to be sent cannot be made"))
		}
		return err
	}
	began := d.Now()
	posting, cancel := context.WithTimeout(ctx, PostTime)
	answer, said := d.Poster.Post(posting, what)
	cancel()
	if ctx.Err() != nil && answer.Status == 0 {
		done(errNothing) // it is we who gave up
		return ctx.Err()
	}
	done(learned(answer))
	now := d.Now()
	number := n.state.Attempts() + 1
	kind := n.state.Scheduled().Kind
	verdict := delivery.Judge(kind, number, answer, now, n.state.Until())
	return d.record(ctx, n, delivery.Attempt{Verdict: verdict, Attempted: delivery.Attempted{
		N: number, Status: answer.Status, Failure: printable(answer.Failure), Answer: printable(withheld(said, what)),
		Took: now.Sub(began).Milliseconds(), Next: verdict.Next,
	}})
}

// gone is why nothing is sent any more.
func gone(err error) string {
	if _, why, more := strings.Cut(err.Error(), api.ErrGone.Error()+": "); more {
		return why
	}
	return "what was to be sent is no longer kept"
}

// learned is what an answer tells of a receiver: that it refuses is an answer.
func learned(a delivery.Answer) error {
	if a.Refused || a.Status > 0 && a.Status < 500 {
		return nil
	}
	return errNoAnswer
}

// record writes an attempt down, also if the time of its handler is over. The
// answer of a receiver belongs to a customer, and is dropped if they are erased.
func (d *Deliveries) record(ctx context.Context, n notification, a delivery.Attempt) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	after, err := d.execute(ctx, n, a)
	if errors.Is(err, eventstore.ErrErased) {
		a.Answer = ""
		after, err = d.execute(ctx, n, a)
	}
	if errors.Is(err, delivery.ErrEnded) || errors.Is(err, delivery.ErrNumber) {
		return nil // somebody else has ended it, or recorded an attempt, meanwhile
	}
	if err != nil {
		return fmt.Errorf("%w: delivery %s: %w", errUnrecorded, n.id, err)
	}
	if after.Parked() && after.Reason() != a.Verdict.Reason {
		return nil // it was parked meanwhile, which was told then
	}
	outcome := map[delivery.Ending]string{delivery.GoesOn: Failed, delivery.Arrived: Delivered, delivery.GivenUp: Parked}[a.Verdict.Ends]
	d.say(ctx, n, outcome, a.Verdict.Reason, a.N)
	return nil
}

// execute repeats what fails on our side, as long as there is time.
func (d *Deliveries) execute(ctx context.Context, n notification, cmd delivery.Command) (delivery.State, error) {
	for pause := minPause; ; pause *= 2 {
		after, err := d.streams.Execute(ctx, d.metaOf(n), n.id, cmd)
		if err == nil || !passing(err) || !waited(ctx, pause) {
			return after, err
		}
	}
}

func (d *Deliveries) park(ctx context.Context, n notification, reason string) error {
	_, err := d.streams.Execute(ctx, d.metaOf(n), n.id, delivery.Park{Parked: delivery.Parked{By: event.ActorSystem, Reason: reason}})
	if errors.Is(err, delivery.ErrEnded) {
		return nil
	}
	if err == nil {
		d.say(ctx, n, Parked, reason, n.state.Attempts())
	}
	return err
}

// say counts an outcome, and tells of one that needs somebody's attention.
func (d *Deliveries) say(ctx context.Context, n notification, outcome, reason string, attempts int) {
	told := n.state.Scheduled()
	d.Metrics.Delivery(string(told.Kind), outcome)
	if outcome == Parked {
		d.Log.LogAttrs(ctx, slog.LevelWarn, "a delivery is parked", slog.String("delivery", n.id), slog.String("kind", string(told.Kind)),
			slog.String("client", told.Client), slog.String("receiver", origin(told.Receiver)), slog.Int("attempts", attempts), slog.String("reason", reason))
	}
}
