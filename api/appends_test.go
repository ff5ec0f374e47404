package api_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// A flow is something that appends, and what it appends in which order. Begin
// sets the scene. Act is the flow; it reports whether its caller got what it
// asked for. Then goOn is what the caller does next, told what it got and how
// many of the events are in the log.
type flow struct {
	name  string
	order []string
	begin func(*town) (act func() bool, goOn func(answered bool, written int))
}

// A stop is something that happens to the nth append of a flow.
type stop struct {
	name     string
	cuts     func(storetest.Cut) []storetest.Cut
	written  bool // the append is in the log
	answered bool // the caller gets what it asked for all the same
	perhaps  bool // or it may: the flow has read that all is there
}

var errPower = errors.New("the power failed")

func once(c storetest.Cut) []storetest.Cut { return []storetest.Cut{c} }

var stops = []stop{
	{"the node dies before", func(c storetest.Cut) []storetest.Cut { c.Err = errPower; return once(c) }, false, false, false},
	{"the node dies after", func(c storetest.Cut) []storetest.Cut { c.Err = errPower; return once(c) }, true, false, false},
	{"the answer is lost before", once, false, true, false},
	{"the answer is lost after", once, true, true, false},
	{"nobody ever knows before", forever, false, false, false},
	{"nobody ever knows after", forever, true, false, true},
}

// forever cuts every repeat, too.
func forever(c storetest.Cut) []storetest.Cut {
	return append(once(c), slices.Repeat(once(storetest.Cut{At: 1}), 4)...)
}

// TestStops stops every flow before and after each of its appends.
func TestStops(t *testing.T) {
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			sizes := f.undisturbed(t)
			n := 0
			for call, size := range sizes {
				for at := 1; at <= size; at++ {
					for _, s := range stops {
						before := make([]storetest.Cut, call)
						plan := append(before, s.cuts(storetest.Cut{At: at, Written: s.written})...)
						t.Run(fmt.Sprintf("%s %s, append %d", s.name, f.order[n], n+1), func(t *testing.T) {
							synctest.Test(t, func(t *testing.T) { f.stopped(t, plan, n, s) })
						})
					}
					n++
				}
			}
		})
	}
}

// aTownOneByOne has a log that writes the appends of a call one by one.
func aTownOneByOne(t *testing.T) (*town, *storetest.Stepwise) {
	var steps *storetest.Stepwise
	to := newTownOn(t, func(log eventstore.Log) eventstore.Log {
		steps = &storetest.Stepwise{Log: log}
		return &storetest.Shared{Log: steps}
	})
	to.steps = steps
	return to, steps
}

// cutting does something while its first call is cut.
func (to *town) cutting(c storetest.Cut, do func()) {
	to.Helper()
	to.steps.Plan(c)
	do()
	to.steps.Plan()
}

// undisturbed compares the order of what a flow appends with the table, and
// returns how many appends each of its calls has.
func (f flow) undisturbed(t *testing.T) []int {
	t.Helper()
	to, steps := aTownOneByOne(t)
	act, goOn := f.begin(to)
	calls, before := len(steps.Sizes()), to.written()
	if !act() {
		t.Fatal("it does not even work undisturbed")
	}
	sizes, got := steps.Sizes()[calls:], to.written()[len(before):]
	if !slices.Equal(got, f.order) {
		t.Fatalf("it appends %v; the table says %v", got, f.order)
	}
	goOn(true, len(f.order))
	to.lawful()
	return sizes
}

// stopped is the flow with something that happens to its nth append.
func (f flow) stopped(t *testing.T, plan []storetest.Cut, n int, s stop) {
	to, steps := aTownOneByOne(t)
	act, goOn := f.begin(to)
	before := len(to.written())
	steps.Plan(plan...)
	answered := act()
	steps.Plan()
	written, want := len(to.written())-before, n
	switch {
	case s.answered:
		want = len(f.order)
	case s.written:
		want = n + 1
	}
	lucky := s.perhaps && answered && written >= len(f.order)
	if !lucky && (answered != s.answered || written != want) {
		t.Fatalf("answered: %v, with %d events in the log; want %v with %d", answered, written, s.answered, want)
	}
	to.lawful()
	goOn(answered, written)
	to.lawful()
}

// written are the types of all events, in commit order.
func (to *town) written() (types []string) {
	to.Helper()
	for e, err := range to.memory.ReadAll(to.Context(), 0, eventstore.Filter{}) {
		to.must(err)
		types = append(types, e.Type)
	}
	return types
}

// lawful checks what must hold of the log at any moment.
func (to *town) lawful() {
	to.Helper()
	for e, err := range to.Journal.ReadAll(to.Context(), 0, eventstore.Filter{Categories: []string{"authorization", "token", "refresh"}}) {
		to.must(err)
		switch body := e.Body.(type) {
		case authorization.CodeIssued:
			state, _, err := to.Authorizations.Load(to.Context(), e.Stream.ID())
			to.must(err)
			if given, _, _ := to.Consents.Load(to.Context(), state.Grant().Consent); given.Status() == consent.Nothing {
				to.Error("there is a code without a consent")
			}
		case authorization.CodeReplayed:
			to.replayed(e.Stream.ID())
		case token.Issued:
			if e.Revision != 0 {
				to.Errorf("%s was issued after %v", e.Stream, to.kept(string(e.Stream)))
			}
			if body.Subject != "" && body.Refresh == "" {
				to.Errorf("%s names no refresh token", e.Stream)
			}
		}
	}
	for _, kinds := range [][]string{{"granted", "denied"}, {"code_redeemed"}, {"code_replayed"}} {
		to.atMostOnce(kinds...)
	}
}

// replayed checks that the tokens of a journey have ended.
func (to *town) replayed(journey string) {
	to.Helper()
	state, _, err := to.Authorizations.Load(to.Context(), journey)
	to.must(err)
	access, _, err := to.Tokens.Load(to.Context(), state.Redeemed().Token)
	to.must(err)
	refresh, _, err := to.Refreshes.Load(to.Context(), state.Redeemed().Refresh)
	to.must(err)
	if !access.Revoked() || !refresh.Revoked() {
		to.Error("a replay is in the log and its tokens have not ended")
	}
}

// atMostOnce checks that one of some events is at most once in any journey.
func (to *town) atMostOnce(kinds ...string) {
	to.Helper()
	count := map[eventstore.Stream]int{}
	for e, err := range to.memory.ReadAll(to.Context(), 0, eventstore.Filter{Categories: []string{"authorization"}}) {
		to.must(err)
		if slices.Contains(kinds, strings.TrimPrefix(e.Type, "authorization.")) {
			count[e.Stream]++
		}
	}
	for stream, n := range count {
		if n > 1 {
			to.Errorf("%s has %d of %v", stream, n, kinds)
		}
	}
}
