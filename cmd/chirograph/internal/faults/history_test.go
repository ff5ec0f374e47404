package faults

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// A kind is what a client asked for.
type kind string

const (
	issuing       kind = "client_credentials"
	pushing       kind = "push"
	approving     kind = "approve"
	redeeming     kind = "redeem"
	refreshing    kind = "refresh"
	revoking      kind = "revoke"
	introspecting kind = "introspect"
)

// An outcome is what a client knows afterwards.
type outcome string

const (
	accepted outcome = "ok"
	refused  outcome = "refused"
	unknown  outcome = "unknown" // no answer, or one that says to try again
)

// An operation is one request of a client, or one approval of a customer, and
// what came of it. Times are since the history began.
type operation struct {
	Kind       kind
	Node       string
	Begin, End time.Duration
	Outcome    outcome
	Status     int // 0 without an answer
	Why        string
	Attempt    int // of the same step, from 1

	Journey string // id of the authorization: of its request_uri and its code
	Code    string // digest of the code
	Token   string // jti
	Refresh string // id
	Active  bool   // what introspection said
}

func (o operation) String() string {
	return fmt.Sprintf("%9.3fs to %9.3fs %-6s %-18s #%d %-7s %3d journey=%s code=%.8s token=%s refresh=%s active=%t %s",
		o.Begin.Seconds(), o.End.Seconds(), o.Node, o.Kind, o.Attempt, o.Outcome, o.Status, o.Journey, o.Code, o.Token, o.Refresh, o.Active, o.Why)
}

// A window is a time in which requests may fail.
type window struct {
	Name                   string
	Begin, Healed, Settled time.Duration
}

// recovery is how long after a fault requests may still fail.
const recovery = 10 * time.Second

func (w window) excuses(o operation) bool { return o.End >= w.Begin && o.Begin <= w.Healed+recovery }

// A history is everything clients did.
type history struct {
	start time.Time

	mu      sync.Mutex
	all     []operation
	windows []window
}

func newHistory() *history { return &history{start: time.Now()} }

func (h *history) now() time.Duration { return time.Since(h.start) }

func (h *history) add(o operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, o)
}

func (h *history) operations() []operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.all)
}

func (h *history) fault(w window) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.windows = append(h.windows, w)
}

// figures says how requests fared in a window: how many were answered, how many
// were not, and for how long at most none succeeded.
func (h *history) figures(w window) string {
	var ok, failed int
	var first, last time.Duration
	gap, at := time.Duration(0), w.Begin
	all := h.operations()
	slices.SortFunc(all, func(a, b operation) int { return int(a.End - b.End) })
	for _, o := range all {
		if o.End < w.Begin || o.Begin > w.Settled {
			continue
		}
		if o.Outcome == unknown {
			if failed++; failed == 1 {
				first = o.Begin
			}
			last = o.End
			continue
		}
		ok++
		gap, at = max(gap, o.End-at), o.End
	}
	return fmt.Sprintf("%-60s %6.1fs fault, %5.2fs until all nodes answered again; %5d answered, %4d failed over %5.2fs, longest time without an answer %5.2fs",
		w.Name, (w.Healed - w.Begin).Seconds(), (w.Settled - w.Healed).Seconds(), ok, failed, (last - first).Seconds(), gap.Seconds())
}
