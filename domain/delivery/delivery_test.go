package delivery_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/delivery"
)

var (
	noon  = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	later = noon.Add(2 * time.Minute)

	ping = delivery.Scheduled{
		Kind: delivery.Ping, Client: "till", Backchannel: "b-1", Receiver: "https://till.example/ping",
		Media: "application/json", Says: "the customer approved", Cause: "e-1", Due: noon, Until: later,
	}
	failed    = delivery.Attempted{Kind: delivery.Ping, N: 1, Status: 503, Took: 12, Next: noon.Add(time.Second)}
	arrived   = delivery.Attempted{Kind: delivery.Ping, N: 1, Status: 204, Took: 12}
	refused   = delivery.Attempted{Kind: delivery.Ping, N: 1, Status: 401, Took: 12}
	delivered = delivery.Delivered{Kind: delivery.Ping, N: 1}
	parked    = delivery.Parked{Kind: delivery.Ping, By: delivery.System, Reason: "the receiver answered 401"}
	stopped   = delivery.Parked{Kind: delivery.Ping, By: "operator", Reason: "the receiver is gone"}
	taken     = delivery.Rescheduled{Kind: delivery.Ping, By: "operator", Due: noon, Until: later}

	goesOn  = delivery.Verdict{Next: noon.Add(time.Second)}
	ends    = delivery.Verdict{Ends: delivery.Arrived}
	givesUp = delivery.Verdict{Ends: delivery.GivenUp, Reason: "the receiver answered 401"}
)

func attempt(n, status int, v delivery.Verdict) delivery.Attempt {
	return delivery.Attempt{Attempted: delivery.Attempted{N: n, Status: status, Took: 12}, Verdict: v}
}

func TestDecide(t *testing.T) {
	type events = []delivery.Event
	reschedule := delivery.Reschedule{Rescheduled: delivery.Rescheduled{By: "operator", Due: noon, Until: later}, At: noon}
	park := delivery.Park{Parked: delivery.Parked{By: "operator", Reason: "the receiver is gone"}}
	unrepeated := delivery.Attempted{Kind: delivery.Ping, N: 1, Status: 503, Took: 12}
	second := delivery.Attempted{Kind: delivery.Ping, N: 2, Status: 204, Took: 12}
	tests := []struct {
		name  string
		given events
		when  delivery.Command
		then  events
		err   error
	}{
		{"somebody is to be told", nil, delivery.Schedule{Scheduled: ping}, events{ping}, nil},
		{"but only once", events{ping}, delivery.Schedule{Scheduled: ping}, nil, delivery.ErrExists},
		{"not again after the end", events{ping, arrived, delivered}, delivery.Schedule{Scheduled: ping}, nil, delivery.ErrExists},

		{"an attempt that arrives ends it", events{ping}, attempt(1, 204, ends), events{arrived, delivered}, nil},
		{"one that fails says when the next is", events{ping}, attempt(1, 503, goesOn), events{failed}, nil},
		{"the next is counted", events{ping, failed}, attempt(2, 204, ends), events{second, delivery.Delivered{Kind: delivery.Ping, N: 2}}, nil},
		{"one that is refused parks it", events{ping}, attempt(1, 401, givesUp), events{refused, parked}, nil},
		{"nothing is attempted that nobody scheduled", nil, attempt(1, 204, ends), nil, delivery.ErrUnknown},
		{"an attempt is recorded once", events{ping, failed}, attempt(1, 204, ends), nil, delivery.ErrNumber},
		{"and none is left out", events{ping}, attempt(2, 204, ends), nil, delivery.ErrNumber},
		{"not after it was delivered", events{ping, arrived, delivered}, attempt(2, 204, ends), nil, delivery.ErrEnded},
		{"one that is under way when an operator stops it is recorded", events{ping, stopped}, attempt(1, 503, goesOn), events{unrepeated}, nil},
		{"also if it is refused", events{ping, stopped}, attempt(1, 401, givesUp), events{refused}, nil},
		{"and if it arrives, it has arrived", events{ping, stopped}, attempt(1, 204, ends), events{arrived, delivered}, nil},
		{"but not one that somebody else has recorded", events{ping, refused, parked}, attempt(1, 204, ends), nil, delivery.ErrNumber},

		{"an operator may stop it", events{ping, failed}, park, events{stopped}, nil},
		{"not what was delivered", events{ping, arrived, delivered}, park, nil, delivery.ErrEnded},
		{"not twice", events{ping, stopped}, park, nil, delivery.ErrEnded},
		{"not what nobody scheduled", nil, park, nil, delivery.ErrUnknown},

		{"what is parked may be taken up again", events{ping, refused, parked}, reschedule, events{taken}, nil},
		{"and arrive then", events{ping, refused, parked, taken}, attempt(2, 204, ends), events{second, delivery.Delivered{Kind: delivery.Ping, N: 2}}, nil},
		{"not what was delivered already", events{ping, arrived, delivered}, reschedule, nil, delivery.ErrEnded},
		{"not what is still being tried", events{ping}, reschedule, nil, delivery.ErrPending},
		{"not what nobody asked for", nil, reschedule, nil, delivery.ErrUnknown},
		{"not when its time is over", events{ping, refused, parked}, delivery.Reschedule{Rescheduled: taken, At: later}, nil, delivery.ErrLate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := after(tt.given).Decide(tt.when)
			if !errors.Is(err, tt.err) || !reflect.DeepEqual(got, tt.then) {
				t.Errorf("got %+v, %v; want %+v, %v", got, err, tt.then, tt.err)
			}
		})
	}
}

// What a delivery knows of itself is what its senders and lists go by.
func TestEvolve(t *testing.T) {
	type events = []delivery.Event
	tests := []struct {
		name     string
		given    events
		status   string
		attempts int
		due      time.Time
		reason   string
	}{
		{"nothing", nil, "", 0, time.Time{}, ""},
		{"scheduled", events{ping}, "scheduled", 0, noon, ""},
		{"tried once", events{ping, failed}, "scheduled", 1, noon.Add(time.Second), ""},
		{"delivered", events{ping, arrived, delivered}, "delivered", 1, time.Time{}, ""},
		{"parked", events{ping, refused, parked}, "parked", 1, time.Time{}, "the receiver answered 401"},
		{"taken up again", events{ping, refused, parked, taken}, "scheduled", 1, noon, ""},
		{"delivered after all", events{ping, stopped, arrived, delivered}, "delivered", 1, time.Time{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := after(tt.given)
			if s.Status() != tt.status || s.Attempts() != tt.attempts || !s.Due().Equal(tt.due) || s.Reason() != tt.reason {
				t.Errorf("got %s, %d, %s, %q", s.Status(), s.Attempts(), s.Due(), s.Reason())
			}
			if s.Pending() != (tt.status == "scheduled") || s.Delivered() != (tt.status == "delivered") || s.Parked() != (tt.status == "parked") {
				t.Errorf("%s: pending %t, delivered %t, parked %t", tt.status, s.Pending(), s.Delivered(), s.Parked())
			}
			if s.Exists() && (s.Scheduled() != ping || !s.Until().Equal(later)) {
				t.Errorf("%+v until %s", s.Scheduled(), s.Until())
			}
		})
	}
}

func after(events []delivery.Event) (s delivery.State) {
	for _, e := range events {
		s = s.Evolve(e)
	}
	return s
}
