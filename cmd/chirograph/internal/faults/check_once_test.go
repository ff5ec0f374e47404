package faults

import (
	"fmt"
	"math"
	"strings"

	"github.com/anishathalye/porcupine"
)

// usedOnce demands that at most one redemption of a code succeeded, that at
// most one approval of a request did, and that the log agrees.
func usedOnce(x *index) (found []violation) {
	for code, all := range x.codes {
		if won := with(all, redeeming, accepted); len(won) > 1 {
			found = append(found, violation{Rule: singleUse, What: fmt.Sprintf("%d redemptions of code %.8s succeeded", len(won), code), Involved: won})
		}
	}
	for journey, all := range x.journeys {
		if won := with(all, approving, accepted); len(won) > 1 {
			found = append(found, violation{Rule: singleUse, What: fmt.Sprintf("%d approvals of request %s succeeded", len(won), journey), Involved: won})
		}
	}
	for stream := range x.streams {
		for _, typ := range []string{"authorization.granted", "authorization.code_redeemed"} {
			if stream.Category() != "authorization" {
				continue
			}
			if all := x.of("authorization", stream.ID(), typ); len(all) > 1 {
				found = append(found, violation{
					Rule: singleUse, What: fmt.Sprintf("the log has %d times %s of one journey", len(all), typ), Involved: x.journeys[stream.ID()], Facts: all,
				})
			}
		}
	}
	return found
}

// usedBefore reports whether a refusal says that the code was spent.
func usedBefore(o operation) bool { return strings.Contains(o.Why, "used before") }

// register is the sequential object that a code is: spent once. An attempt of
// unknown outcome may have spent it or not; one that is told "used before" may
// have spent it itself, and been overtaken by another's replay.
var register = porcupine.NondeterministicModel{
	Init: func() []any { return []any{false} },
	Step: func(state, _, output any) []any {
		spent, o := state.(bool), output.(operation)
		switch {
		case o.Outcome == accepted && spent:
			return nil
		case o.Outcome == accepted || usedBefore(o):
			return []any{true}
		case o.Outcome == unknown && !spent:
			return []any{false, true}
		}
		return []any{spent}
	},
}

// linearizable demands that the answers about each code are those of a register
// that is spent once, in an order that time allows.
func linearizable(x *index) (found []violation) {
	model := register.ToModel()
	for code, all := range x.codes {
		var history []porcupine.Operation
		for i, o := range all {
			op := porcupine.Operation{ClientId: i, Call: int64(o.Begin), Output: o, Return: int64(o.End)}
			if o.Outcome == unknown {
				op.Return = math.MaxInt64 // it may happen at any time later
			}
			history = append(history, op)
		}
		if !porcupine.CheckOperations(model, history) {
			found = append(found, violation{Rule: singleUse, What: fmt.Sprintf("the answers about code %.8s have no order", code), Involved: all})
		}
	}
	return found
}

// refusedIsAbsent demands that a code which was presented once, and refused, is
// not spent.
func refusedIsAbsent(x *index) (found []violation) {
	for code, all := range x.codes {
		if len(all) != 1 || all[0].Outcome != refused {
			continue
		}
		if spent := x.of("authorization", all[0].Journey, "authorization.code_redeemed"); len(spent) > 0 {
			found = append(found, violation{
				Rule: definite, What: fmt.Sprintf("code %.8s was presented once and refused, and is spent", code), Involved: all, Facts: spent,
			})
		}
	}
	return found
}
