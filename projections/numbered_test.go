package projections

import (
	"context"
	"iter"
	"testing"

	"github.com/chirograph/chirograph/eventstore"
)

// A late log numbers the events of its streams when it is asked for its head.
type late struct {
	eventstore.Log
	numbered eventstore.Position
}

func (l *late) Head(ctx context.Context) (eventstore.Position, error) {
	head, err := l.Log.Head(ctx)
	l.numbered = head
	return head, err
}

func (l *late) ReadStream(ctx context.Context, s eventstore.Stream, from eventstore.Revision) iter.Seq2[eventstore.Event, error] {
	return func(yield func(eventstore.Event, error) bool) {
		for e, err := range l.Log.ReadStream(ctx, s, from) {
			if e.Position > l.numbered {
				e.Position, e.Leaf = eventstore.Unnumbered, -1
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Another node may have folded in what this one has not numbered yet.
func TestAnswersKnowWhatTheirNodeHasNotNumberedYet(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	alice, _ := h.tell()
	h.catchUp()
	ask := func() (events int, entries []Entry, details int, state any) {
		for e, err := range h.set.Audit.Timeline(ctx, OfConsent, alice.consent) {
			if err != nil {
				t.Fatal(err)
			}
			entries = append(entries, e)
		}
		c, _, err := h.set.Consents.Get(ctx, alice.consent)
		if err != nil {
			t.Fatal(err)
		}
		s := h.stateAt("consent-"+alice.consent, Moment{Position: h.head()})
		return len(s.Events), entries, len(c.Details), s.State["status"]
	}
	wantEvents, wantEntries, wantDetails, wantState := ask()
	log := &late{Log: h.log}
	h.journal.Log = log
	for _, already := range []eventstore.Position{0, 5, 20} {
		log.numbered = already
		c, _, err := h.set.Consents.Get(ctx, alice.consent)
		if err != nil || len(c.Details) != wantDetails {
			t.Errorf("with %d numbered: details %v, %v", already, c.Details, err)
		}
		log.numbered = already
		events, entries, details, state := ask()
		if events != wantEvents || len(entries) != len(wantEntries) || details != wantDetails || state != wantState {
			t.Errorf("with %d numbered: %d events, %d entries, %v", already, events, len(entries), state)
		}
		for i := range entries {
			if entries[i].Position != wantEntries[i].Position || entries[i].Sentence != wantEntries[i].Sentence {
				t.Errorf("with %d numbered: %+v", already, entries[i])
			}
		}
	}
}

// What was appended a moment ago has no position, and is part of no past.
func TestWhatIsNotNumberedIsPartOfNoPast(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	alice, _ := h.tell()
	deaf := &fixed{late{Log: h.log, numbered: 5}}
	for e, err := range numbered(ctx, deaf, eventstore.Stream("consent-"+alice.consent), 0) {
		t.Errorf("it shows %+v, %v", e, err)
	}
}

// fixed numbers nothing more.
type fixed struct{ late }

func (f *fixed) Head(context.Context) (eventstore.Position, error) { return f.numbered, nil }

func TestWaitingForWhatIsNotNumberedIsWaitingForTheHead(t *testing.T) {
	h := newHouse(t)
	h.tell()
	h.catchUp()
	if err := h.set.WaitFor(context.Background(), eventstore.Unnumbered); err != nil {
		t.Error(err)
	}
}

func TestNothingWithoutAPositionIsFolded(t *testing.T) {
	h := newHouse(t)
	h.tell()
	events := h.events()
	events[3].Position = eventstore.Unnumbered
	_, err := h.set.db.apply(context.Background(), build{Projection: auditProjection}, batch{events: events, mark: h.head()})
	if err == nil {
		t.Error("an event without a position was folded")
	}
}
