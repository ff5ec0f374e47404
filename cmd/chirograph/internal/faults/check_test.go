package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// A fact is an event of the log, as far as the checker reads it.
type fact struct {
	Position eventstore.Position
	Leaf     int64
	Stream   eventstore.Stream
	Revision eventstore.Revision
	ID       uuid.UUID
	Type     string
	Recorded time.Time

	Token   string // that a code was redeemed for
	Refresh string // that came with a token, or led to it
	Digest  string // of a code
}

// A record is what the checker judges: what clients did, what the log holds,
// and when requests could fail.
type record struct {
	operations []operation
	log        []fact
	windows    []window
}

// A violation is an invariant that a record breaks.
type violation struct {
	Rule, What string
	Involved   []operation
	Facts      []fact
}

func (v violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", v.Rule, v.What)
	for _, o := range v.Involved {
		fmt.Fprintf(&b, "\n\t%v", o)
	}
	for _, f := range v.Facts {
		fmt.Fprintf(&b, "\n\tat %d: %s revision %d %s, event %s, jti=%s refresh=%s code=%.8s",
			f.Position, f.Stream, f.Revision, f.Type, f.ID, f.Token, f.Refresh, f.Digest)
	}
	return b.String()
}

// Rules, by the names under which violations are reported.
const (
	singleUse    = "a code and a request_uri are used once"
	tokenEvents  = "no token without its event"
	endedTokens  = "what was revoked stays ended"
	liveTokens   = "what was issued is known everywhere"
	onceEach     = "every acknowledged event is there once"
	definite     = "what was refused is not recorded"
	gapFree      = "streams and positions have no gap"
	timeForward  = "recorded time never decreases"
	availability = "requests fail only while something is broken"
)

// A judge finds violations of some rules.
type judge func(*index) []violation

var judges = []judge{
	usedOnce, linearizable, tokensHaveEvents, endedStaysEnded, issuedIsKnown, acknowledgedOnce, refusedIsAbsent, noGaps, available,
}

// check returns every violation.
func check(r record) (all []violation) {
	x := newIndex(r)
	for _, j := range judges {
		all = append(all, j(x)...)
	}
	return all
}

// An index finds operations and facts by what they are about.
type index struct {
	record
	streams  map[eventstore.Stream][]fact
	codes    map[string][]operation // redemptions, by digest
	journeys map[string][]operation
	tokens   map[string][]operation // by jti
	revoked  map[string][]operation // revocations, by refresh token
}

func newIndex(r record) *index {
	x := &index{
		record: r, streams: map[eventstore.Stream][]fact{}, codes: map[string][]operation{},
		journeys: map[string][]operation{}, tokens: map[string][]operation{}, revoked: map[string][]operation{},
	}
	for _, f := range r.log {
		x.streams[f.Stream] = append(x.streams[f.Stream], f)
	}
	slices.SortStableFunc(x.operations, func(a, b operation) int { return int(a.Begin - b.Begin) })
	for _, o := range x.operations {
		if o.Kind == redeeming {
			x.codes[o.Code] = append(x.codes[o.Code], o)
		}
		if o.Kind == revoking && o.Refresh != "" {
			x.revoked[o.Refresh] = append(x.revoked[o.Refresh], o)
		}
		if o.Journey != "" {
			x.journeys[o.Journey] = append(x.journeys[o.Journey], o)
		}
		if o.Token != "" {
			x.tokens[o.Token] = append(x.tokens[o.Token], o)
		}
	}
	return x
}

// of returns the facts of one type in a stream.
func (x *index) of(category, id, typ string) []fact {
	return only(x.streams[eventstore.Stream(category+"-"+id)], func(f fact) bool { return f.Type == typ })
}

func only[T any](all []T, wanted func(T) bool) (some []T) {
	for _, v := range all {
		if wanted(v) {
			some = append(some, v)
		}
	}
	return some
}

func with(all []operation, k kind, what outcome) []operation {
	return only(all, func(o operation) bool { return o.Kind == k && o.Outcome == what })
}

// excused reports whether something was broken while an operation went on.
func (x *index) excused(o operation) bool {
	return slices.ContainsFunc(x.windows, func(w window) bool { return w.excuses(o) })
}
