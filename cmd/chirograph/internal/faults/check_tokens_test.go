package faults

import (
	"fmt"
	"time"
)

// tokensHaveEvents demands the event of each token that a client has seen.
func tokensHaveEvents(x *index) (found []violation) {
	for token, all := range x.tokens {
		handed := only(all, func(o operation) bool { return o.Outcome == accepted && issues(o.Kind) })
		issued := x.of("token", token, "token.issued")
		if len(handed) > 0 && len(issued) == 0 {
			found = append(found, violation{Rule: tokenEvents, What: "token " + token + " was handed out", Involved: handed})
		}
		if len(issued) > 1 {
			found = append(found, violation{Rule: onceEach, What: fmt.Sprintf("token %s was issued %d times", token, len(issued)), Involved: all, Facts: issued})
		}
		for _, o := range with(handed, redeeming, accepted) {
			spent := x.of("authorization", o.Journey, "authorization.code_redeemed")
			if len(spent) == 0 || spent[0].Token != token {
				found = append(found, violation{Rule: tokenEvents, What: "the code was not redeemed for token " + token, Involved: all, Facts: spent})
			}
		}
	}
	return found
}

func issues(k kind) bool { return k == issuing || k == redeeming || k == refreshing }

// An ending is when a token was known to have ended, and when that began.
type ending struct {
	begun, known time.Duration
	ended, begin bool
}

// ending finds what ended a token: its revocation, that of its refresh token,
// or another use of its code.
func (x *index) ending(token string) (e ending) {
	end := func(o operation, known bool) {
		if !e.begin || o.Begin < e.begun {
			e.begun, e.begin = o.Begin, true
		}
		if known && (!e.ended || o.End < e.known) {
			e.known, e.ended = o.End, true
		}
	}
	refresh, code := "", ""
	for _, o := range x.tokens[token] {
		switch {
		case o.Kind == revoking:
			end(o, o.Outcome == accepted)
		case o.Kind == redeeming:
			refresh, code = o.Refresh, o.Code
		case o.Kind == refreshing:
			refresh = o.Refresh
		}
	}
	for _, o := range x.revoked[refresh] {
		end(o, o.Outcome == accepted)
	}
	for _, o := range x.codes[code] {
		if o.Token != token && code != "" { // whoever else presented it may have ended its token
			end(o, usedBefore(o))
		}
	}
	return e
}

// endedStaysEnded demands that no introspection which began after a token was
// known to have ended finds it active.
func endedStaysEnded(x *index) (found []violation) {
	for token, all := range x.tokens {
		e := x.ending(token)
		for _, o := range with(all, introspecting, accepted) {
			if e.ended && o.Active && o.Begin > e.known {
				found = append(found, violation{
					Rule: endedTokens, What: fmt.Sprintf("token %s is active %v after its end was acknowledged", token, o.Begin-e.known), Involved: all,
				})
			}
		}
	}
	return found
}

// issuedIsKnown demands that a token which nobody has begun to end is active,
// at whatever node it is asked about.
func issuedIsKnown(x *index) (found []violation) {
	for token, all := range x.tokens {
		e := x.ending(token)
		for _, o := range with(all, introspecting, accepted) {
			if !o.Active && (!e.begin || o.End < e.begun) {
				found = append(found, violation{Rule: liveTokens, What: "token " + token + " is not active, and nobody has ended it", Involved: all})
			}
		}
	}
	return found
}
