package ledger

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"testing"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// streamed is a log that knows one stream.
type streamed struct {
	eventstore.Log
	Source
	events []eventstore.Event
}

func (s streamed) ReadStream(_ context.Context, _ eventstore.Stream, from eventstore.Revision) iter.Seq2[eventstore.Event, error] {
	return func(yield func(eventstore.Event, error) bool) {
		for _, e := range s.events {
			if e.Revision >= from && !yield(e, nil) {
				return
			}
		}
	}
}

func (s streamed) ID() (id uuid.UUID)                  { return id }
func (s streamed) Size(context.Context) (int64, error) { return 0, nil }

func TestStreamsThatShareAHashAreToldApart(t *testing.T) {
	s := newStreams()
	s.next[maphash.String(s.seed, "test-1")] = 7 // left by another stream
	event := func(r eventstore.Revision, p eventstore.Position) eventstore.Event {
		return eventstore.Event{Stream: "test-1", Revision: r, Position: p}
	}
	log := streamed{events: []eventstore.Event{event(0, 30), event(1, 31), event(3, 33)}}
	for _, tt := range []struct {
		name string
		e    eventstore.Event
		ok   bool
	}{
		{"the first event", event(0, 30), true},
		{"the next", event(1, 31), true},
		{"one after a gap", event(3, 33), false},
		{"one that the stream does not have there", event(1, 32), false},
	} {
		err := s.follow(t.Context(), log, tt.e)
		if altered := (*AlteredError)(nil); errors.As(err, &altered) == tt.ok {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}
