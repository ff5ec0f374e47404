// Package watermill tells others what the log says. The log is the outbox: a
// [Subscriber] makes of a subscription to it one of Watermill's, whose
// acknowledgement is a durable checkpoint, and [Deliveries] are the handlers
// that schedule notifications and send them.
//
//	log --Subscriber--> schedule --> delivery.scheduled --Release--> send --> delivery.attempted
//	        |               |                                |         |
//	   checkpoint    poison: delivery.parked           what is due   POST
//
// Every delivery begins and ends in the log. What waits here in memory is only
// what is looked for again in a second: a crash at any point repeats at most
// an attempt, with the same id and the same body.
//
// Watermill's own means are used where they fit. Retry sleeps in the handler,
// so it is for failures of ours that pass in a moment; the pauses between
// attempts are in the log. A poison queue without a filter would swallow what a
// log that cannot be reached refuses, so ours takes only what never succeeds.
package watermill

import (
	"context"
	"errors"
	"log/slog"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/ThreeDotsLabs/watermill"
)

// passing reports whether an error is one of ours that passes: of the log, or
// of what is kept beside it.
func passing(err error) bool {
	for _, passes := range []error{
		eventstore.ErrUnavailable, eventstore.ErrUnknownOutcome, eventstore.ErrHalted, eventstore.ErrClosed, eventstore.ErrConflict,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, passes) {
			return true
		}
	}
	return false
}

// quietly is a logger of Watermill's that tells errors only: the rest is about
// its own goroutines.
func quietly(l *slog.Logger) watermill.LoggerAdapter {
	return watermill.NewSlogLoggerWithLevelMapping(l, map[slog.Level]slog.Level{slog.LevelInfo: slog.LevelDebug})
}
