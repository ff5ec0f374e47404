package delivery_test

import (
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/delivery"
)

// Whatever is asked of a delivery in whatever order: attempts are counted
// without gaps, it is parked at most once between two schedules, what is delivered
// stays so, and no attempt is planned after the end of its life.
func FuzzHistory(f *testing.F) {
	f.Add([]byte{0, 0, 1, 200, 5, 0})
	f.Add([]byte{0, 0, 1, 100, 1, 144, 3, 0, 1, 204})
	f.Add([]byte{0, 3, 1, 250, 1, 250, 2, 0, 3, 9, 4, 1})
	f.Fuzz(func(t *testing.T, script []byte) {
		var s delivery.State
		now := noon
		for i := 0; i+1 < len(script) && i < 200; i += 2 {
			what, how := script[i]%5, script[i+1]
			now = now.Add(time.Duration(how) * time.Second)
			events, err := s.Decide(command(s, what, how, now))
			if err != nil && len(events) > 0 {
				t.Fatalf("refused with %v, and did %v", err, events)
			}
			for _, e := range events {
				before := s
				s = s.Evolve(e)
				lawful(t, before, s, e)
			}
		}
	})
}

func command(s delivery.State, what, how byte, now time.Time) delivery.Command {
	kind := delivery.Kinds[int(how)%len(delivery.Kinds)]
	switch what {
	case 0:
		return delivery.Schedule{Scheduled: delivery.Scheduled{Kind: kind, Due: now, Until: now.Add(time.Minute)}}
	case 1, 4:
		n := s.Attempts() + int(what)/2*int(how%2) + 1
		answer := delivery.Answer{Status: int(how) * 3, Refused: how == 255, RetryAfter: time.Duration(int8(how)) * time.Minute}
		return delivery.Attempt{
			Attempted: delivery.Attempted{N: n, Status: answer.Status},
			Verdict:   delivery.Judge(s.Scheduled().Kind, n, answer, now, s.Until()),
		}
	case 2:
		return delivery.Park{Parked: delivery.Parked{By: "operator"}}
	}
	return delivery.Reschedule{At: now, Rescheduled: delivery.Rescheduled{By: "operator", Due: now, Until: now.Add(time.Duration(how) * time.Second)}}
}

func lawful(t *testing.T, before, now delivery.State, e delivery.Event) {
	t.Helper()
	switch e := e.(type) {
	case delivery.Scheduled:
		if before.Exists() {
			t.Fatal("scheduled twice")
		}
	case delivery.Attempted:
		if before.Delivered() || e.N != before.Attempts()+1 || now.Attempts() != e.N {
			t.Fatalf("attempt %d of a delivery that is %s after %d", e.N, before.Status(), before.Attempts())
		}
		if e.Next.After(before.Until()) {
			t.Fatalf("the next attempt is at %s, its life ends at %s", e.Next, before.Until())
		}
		if before.Parked() && !e.Next.IsZero() {
			t.Fatal("what is parked is to be attempted again")
		}
	case delivery.Delivered:
		if before.Delivered() || !now.Delivered() {
			t.Fatalf("delivered while it was %s", before.Status())
		}
	case delivery.Parked:
		if !before.Pending() || now.Pending() {
			t.Fatalf("parked while it was %s", before.Status())
		}
	case delivery.Rescheduled:
		if !before.Parked() || !now.Pending() {
			t.Fatalf("taken up while it was %s", before.Status())
		}
	}
	if before.Delivered() && !now.Delivered() {
		t.Fatal("what was delivered is not any more")
	}
}
