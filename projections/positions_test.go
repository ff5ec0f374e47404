package projections

import (
	"context"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

func TestParseMoment(t *testing.T) {
	morning := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		name, text string
		want       Moment
		bad        bool
	}{
		{"a position", "1234", Moment{Position: 1234}, false},
		{"an instant", "2026-03-04T10:00:00Z", Moment{Time: morning}, false},
		{"an instant in another zone", "2026-03-04T11:00:00+01:00", Moment{Time: morning}, false},
		{"an instant with a fraction", "2026-03-04T10:00:00.5Z", Moment{Time: morning.Add(time.Second / 2)}, false},
		{"an instant without seconds", "2026-03-04T10:00Z", Moment{Time: morning}, false},
		{"an instant without a zone is UTC", "2026-03-04T10:00", Moment{Time: morning}, false},
		{"a day", "2026-03-04", Moment{Time: morning.Add(-10 * time.Hour)}, false},
		{"now", "now", Moment{}, false},
		{"nothing", "", Moment{}, true},
		{"zero", "0", Moment{}, true},
		{"a position beyond any", "99999999999999999999", Moment{}, true},
		{"a negative position", "-1", Moment{}, true},
		{"a word", "yesterday", Moment{}, true},
		{"no such day", "2026-02-30", Moment{}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseMoment(test.text)
			if (err != nil) != test.bad || got.Position != test.want.Position || !got.Time.Equal(test.want.Time) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func FuzzParseMoment(f *testing.F) {
	for _, seed := range []string{"1", "now", "2026-03-04T10:00Z", "2026-03-04", "0001-01-01"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMoment(text)
		if err != nil {
			return
		}
		again, err := ParseMoment(m.String())
		if err != nil || again.Position != m.Position || !again.Time.Equal(m.Time) {
			t.Errorf("%q is %v, written %q, read again as %v, %v", text, m, m.String(), again, err)
		}
	})
}

// At any instant the position is that of the last event recorded by then, also
// where several were recorded at once.
func TestAnInstantIsTheLastPositionRecordedByThen(t *testing.T) {
	h := newHouse(t)
	randomHistory(h, 5, 60)
	h.now = h.now.Add(-time.Minute) // the next one is recorded at the same instant
	h.register("twin", "Twin")
	h.catchUp()
	all := h.events()
	for instant := begin; instant.Before(h.now.Add(2 * time.Minute)); instant = instant.Add(30 * time.Second) {
		var want eventstore.Position
		for _, e := range all {
			if !e.Recorded.After(instant) {
				want = e.Position
			}
		}
		got, err := (Moment{Time: instant}).Resolve(context.Background(), h.log)
		if err != nil || got != want {
			t.Fatalf("at %v: %d, %v, want %d", instant, got, err, want)
		}
	}
}

func TestLastWhereCopesWithGaps(t *testing.T) {
	positions := []eventstore.Position{3, 4, 9, 20, 21, 50}
	for bound := eventstore.Position(0); bound < 60; bound++ {
		for _, head := range []eventstore.Position{0, 2, 3, 10, 50, 60} {
			var want eventstore.Position
			for _, p := range positions {
				if p <= bound && p <= head {
					want = p
				}
			}
			got, err := lastWhere(head, func(after eventstore.Position) (eventstore.Position, bool, error) {
				for _, p := range positions {
					if p > after {
						return p, p <= bound, nil
					}
				}
				return 0, false, nil
			})
			if err != nil || got != want {
				t.Errorf("up to %d of %d: %d, %v, want %d", bound, head, got, err, want)
			}
		}
	}
}
