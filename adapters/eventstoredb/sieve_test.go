package eventstoredb_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb"
	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/eventstore"
)

// mixed fills a log with streams of many categories, of which a few are rare.
func mixed(t testing.TB, log *eventstoredb.Log, n, rare int) {
	t.Helper()
	for i := 0; i < n; i += 100 {
		a := add(fmt.Sprintf("token-%d", i), eventstore.Absent())
		for k := range 100 {
			a.Events = append(a.Events, event(i+k, 300))
		}
		if _, err := log.Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if i%(n/rare) == 0 {
			if _, err := log.Append(t.Context(), add(fmt.Sprintf("issuer-%d", i), eventstore.Absent(), event(i, 300))); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var issuers = eventstore.Filter{Categories: []string{"issuer", "client"}}

// sifted is what a filter selects of all events.
func sifted(events []eventstore.Event, f eventstore.Filter) (some []eventstore.Event) {
	for _, e := range events {
		if f.Selects(e.Stream, e.Type) {
			some = append(some, e)
		}
	}
	return some
}

func mustEqual(t *testing.T, got, want []eventstore.Event) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i, e := range got {
		if e.ID != want[i].ID || e.Position != want[i].Position || e.Leaf != want[i].Leaf || !e.Recorded.Equal(want[i].Recorded) {
			t.Errorf("event %d is %s at %d, want %s at %d", i, e.ID, e.Position, want[i].ID, want[i].Position)
		}
	}
}

// Whatever happens to its source, a sieve brings what there is, in order and
// once.
func TestASieveBringsWhatThereIs(t *testing.T) {
	tests := map[string]func(w *world){
		"when all is well":               func(*world) {},
		"when it breaks again and again": func(w *world) { w.Inject(standin.Message(7, standin.At(standin.SubscriptionMessage, standin.Busy))) },
		"when it is refused":             func(w *world) { w.Inject(standin.At(standin.SubscriptionMessage, standin.Denied)) },
		"when it says nothing":           func(w *world) { w.Inject(standin.Message(9, standin.At(standin.SubscriptionMessage, standin.Silent))) },
	}
	for name, fault := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			w.options.Patience = 1500 * time.Millisecond
			log := w.open(t)
			mixed(t, log, 3000, 10)
			settle(t, log)
			all := read(t, log, 0)
			log.ReadNear(200)
			fault(w)
			for _, after := range []eventstore.Position{0, 1500, 2900, eventstore.Position(len(all))} {
				var got []eventstore.Event
				for e, err := range log.ReadAll(t.Context(), after, issuers) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, e)
				}
				mustEqual(t, got, sifted(all[after:], issuers))
			}
			follows(t, log, all)
		})
	}
}

// follows demands of a subscription to a few categories that its marks move on
// and that it is live at the end.
func follows(t *testing.T, log *eventstoredb.Log, all []eventstore.Event) {
	t.Helper()
	var got []eventstore.Event
	mark := eventstore.Position(0)
	for item, err := range log.Subscribe(t.Context(), 0, issuers) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Mark < mark || item.Live && item.Mark < all[len(all)-1].Position {
			t.Errorf("mark %d after %d, live %v", item.Mark, mark, item.Live)
		}
		mark = item.Mark
		if item.Event != nil {
			got = append(got, *item.Event)
		}
		if item.Live {
			break
		}
	}
	mustEqual(t, got, sifted(all, issuers))
}

// A category costs what it has.
func TestASieveLeavesOutTheRest(t *testing.T) {
	w := newWorld(t, 1)
	log := w.open(t)
	mixed(t, log, 20_000, 10)
	settle(t, log)
	want := sifted(read(t, log, 0), issuers)
	var messages atomic.Int64
	w.Inject(func(at standin.Point, s string, _ int) error {
		if at == standin.SubscriptionMessage || at == standin.ReadMessage && strings.HasPrefix(s, "$all") {
			messages.Add(1)
		}
		return nil
	})
	var got []eventstore.Event
	for e, err := range log.ReadAll(t.Context(), 0, issuers) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	mustEqual(t, got, want)
	if n := messages.Load(); n > 3000 {
		t.Errorf("the server sent %d messages for %d events", n, len(want))
	}
}
