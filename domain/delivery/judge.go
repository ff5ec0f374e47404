package delivery

import (
	"fmt"
	"time"
)

// An Ending says whether a delivery goes on after an attempt.
type Ending int

const (
	GoesOn  Ending = iota
	Arrived        // the receiver has it
	GivenUp        // nothing more is tried
)

// A Verdict is what follows from an attempt.
type Verdict struct {
	Ends   Ending
	Reason string    // if it is given up
	Next   time.Time // if it goes on
}

// An Answer is what came of sending: a status, or why there was none.
type Answer struct {
	Status     int
	Failure    string
	Refused    bool          // by our own rules, such as an address that is not public
	RetryAfter time.Duration // that the receiver asked for
}

// Judge decides what follows from the n-th attempt. 2xx ends the delivery. 3xx
// and 4xx end it too: a redirect is never followed and a refusal never asked
// again (CIBA, Section 10.2), save that a webhook or device that asks for
// patience with 408, 425 or 429 gets it. Whatever else went wrong is tried
// again, ever less often, until the end of the delivery's life.
func Judge(k Kind, n int, a Answer, now, until time.Time) Verdict {
	switch {
	case a.Status >= 200 && a.Status < 300:
		return Verdict{Ends: Arrived}
	case a.Refused:
		return Verdict{Ends: GivenUp, Reason: a.Failure}
	case a.Status >= 300 && a.Status < 500 && !patience(k, a.Status):
		return Verdict{Ends: GivenUp, Reason: fmt.Sprintf("the receiver answered %d", a.Status)}
	}
	next := now.Add(max(pause(k, n), min(a.RetryAfter, longest(k))))
	if next.After(until) {
		return Verdict{Ends: GivenUp, Reason: "no time is left for another attempt"}
	}
	return Verdict{Next: next}
}

func patience(k Kind, status int) bool {
	return (k == Webhook || k == Device) && (status == 408 || status == 425 || status == 429)
}

// pause doubles from a second.
func pause(k Kind, n int) time.Duration {
	return min(time.Second<<min(max(n-1, 0), 16), longest(k))
}

// longest is how long no attempt is made. Who waits for tokens is told sooner
// than who keeps a ledger.
func longest(k Kind) time.Duration {
	if k == Webhook {
		return time.Hour
	}
	return 30 * time.Second
}
