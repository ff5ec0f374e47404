package faults

import (
	"fmt"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// acknowledgedOnce demands that what a client was told has happened is in the
// log, once, and that no event is there twice.
func acknowledgedOnce(x *index) (found []violation) {
	demand := func(o operation, facts []fact, what string) {
		if len(facts) != 1 {
			found = append(found, violation{Rule: onceEach, What: fmt.Sprintf("%s is there %d times", what, len(facts)), Involved: []operation{o}, Facts: facts})
		}
	}
	for _, o := range x.operations {
		if o.Outcome != accepted {
			continue
		}
		switch o.Kind {
		case pushing:
			demand(o, x.of("authorization", o.Journey, "authorization.pushed"), "a pushed request")
		case approving:
			demand(o, x.of("authorization", o.Journey, "authorization.granted"), "an approval")
			codes := x.of("authorization", o.Journey, "authorization.code_issued")
			demand(o, only(codes, func(f fact) bool { return f.Digest == o.Code }), "a code")
		case redeeming:
			demand(o, x.of("authorization", o.Journey, "authorization.code_redeemed"), "a redemption")
			demand(o, x.of("refresh", o.Refresh, "refresh.issued"), "a refresh token")
			demand(o, x.of("token", o.Token, "token.issued"), "a token")
		case issuing, refreshing:
			demand(o, x.of("token", o.Token, "token.issued"), "a token")
		case revoking:
			if o.Refresh != "" {
				demand(o, x.of("refresh", o.Refresh, "refresh.revoked"), "the end of a refresh token")
			} else {
				demand(o, x.of("token", o.Token, "token.revoked"), "the end of a token")
			}
		}
	}
	return append(found, x.repeated()...)
}

// repeated finds events that are in the log twice.
func (x *index) repeated() (found []violation) {
	seen := map[uuid.UUID]fact{}
	for _, f := range x.log {
		if before, twice := seen[f.ID]; twice {
			found = append(found, violation{Rule: onceEach, What: "an event id is there twice", Facts: []fact{before, f}})
		}
		seen[f.ID] = f
	}
	return found
}

// noGaps demands that each stream counts from 0, the log from 1, and that
// recorded time never goes back.
func noGaps(x *index) (found []violation) {
	next := map[eventstore.Stream]eventstore.Revision{}
	for i, f := range x.log {
		if f.Revision != next[f.Stream] {
			found = append(found, violation{Rule: gapFree, What: fmt.Sprintf("revision %d was expected", next[f.Stream]), Facts: []fact{f}})
		}
		next[f.Stream] = f.Revision + 1
		if f.Position != eventstore.Position(i+1) || f.Leaf != int64(i) {
			found = append(found, violation{Rule: gapFree, What: fmt.Sprintf("position %d and leaf %d were expected", i+1, i), Facts: []fact{f}})
		}
		if i > 0 && f.Recorded.Before(x.log[i-1].Recorded) {
			found = append(found, violation{Rule: timeForward, What: "an event is earlier than the one before", Facts: []fact{x.log[i-1], f}})
		}
	}
	return found
}

// available demands that requests fail, or are refused without a reason, only
// while something is broken.
func available(x *index) (found []violation) {
	for _, o := range x.operations {
		if o.Outcome != accepted && !x.excused(o) && !x.lostRace(o) {
			found = append(found, violation{Rule: availability, What: "a request failed while nothing was broken", Involved: []operation{o}})
		}
	}
	return found
}

// lostRace reports whether a refusal is right: somebody else had the code too.
func (x *index) lostRace(o operation) bool {
	return o.Kind == redeeming && usedBefore(o) && len(x.codes[o.Code]) > 1
}
