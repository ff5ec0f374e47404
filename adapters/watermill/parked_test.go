package watermill

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
)

func TestAnAttemptThatIsUnderWayWhenItIsParkedIsRecorded(t *testing.T) {
	for status, want := range map[int][]string{
		204: {"parked: enough", "204 ", "delivered"},
		503: {"parked: enough", "503 "},
		401: {"parked: enough", "401 "},
	} {
		synctest.Test(t, func(t *testing.T) {
			var w *world
			w = newWorld(t, func(context.Context, string, int) (delivery.Answer, string) {
				park(t, w)
				return delivery.Answer{Status: status}, ""
			})
			w.running(t)
			w.deny(t, "one")
			time.Sleep(time.Minute)
			if _, told := w.of(t, "one"); !slices.Equal(told, want) {
				t.Errorf("the log tells %q, want %q", told, want)
			}
		})
	}
}

// park has an operator end the one delivery that there is.
func park(t *testing.T, w *world) {
	t.Helper()
	for e, err := range w.Journal.ReadAll(context.Background(), 0, eventstore.Filter{Categories: []string{"delivery"}}) {
		if err == nil {
			_, err = w.streams.Execute(context.Background(), e.Metadata, e.Stream.ID(),
				delivery.Park{Parked: delivery.Parked{By: event.ActorOperator, Reason: "enough"}})
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
}
