package faults

import (
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// forge is a record that grows by hand.
type forge struct{ record }

// at adds an operation that lasts half a second, some seconds after the start.
func (f *forge) at(second float64, o operation) {
	o.Begin = time.Duration(second * float64(time.Second))
	o.End, o.Attempt, o.Node = o.Begin+time.Second/2, 1, "node-1"
	if o.Outcome == "" {
		o.Outcome = accepted
	}
	f.operations = append(f.operations, o)
}

func (f *forge) logs(stream eventstore.Stream, typ string, body fact) {
	body.Stream, body.Type, body.ID = stream, typ, uuid.New()
	for _, e := range f.log {
		if e.Stream == stream {
			body.Revision++
		}
	}
	body.Leaf, body.Position = int64(len(f.log)), eventstore.Position(len(f.log)+1)
	body.Recorded = time.Unix(int64(len(f.log)), 0)
	f.log = append(f.log, body)
}

// honest is a record of one journey, of one that was raced for, and of a token
// of the client itself.
func honest() *forge {
	f := &forge{}
	f.at(0, operation{Kind: pushing, Journey: "j"})
	f.at(1, operation{Kind: approving, Journey: "j", Code: "c"})
	f.at(2, operation{Kind: redeeming, Journey: "j", Code: "c", Token: "t", Refresh: "r"})
	f.at(3, operation{Kind: introspecting, Token: "t", Active: true})
	f.at(4, operation{Kind: refreshing, Token: "t2", Refresh: "r"})
	f.at(5, operation{Kind: introspecting, Token: "t2", Active: true})
	f.at(6, operation{Kind: revoking, Refresh: "r"})
	f.at(7, operation{Kind: introspecting, Token: "t2"})
	f.logs("authorization-j", "authorization.pushed", fact{})
	f.logs("authorization-j", "authorization.granted", fact{})
	f.logs("authorization-j", "authorization.code_issued", fact{Digest: "c"})
	f.logs("authorization-j", "authorization.code_redeemed", fact{Token: "t", Refresh: "r"})
	f.logs("token-t", "token.issued", fact{Refresh: "r"})
	f.logs("refresh-r", "refresh.issued", fact{})
	f.logs("token-t2", "token.issued", fact{Refresh: "r"})
	f.logs("refresh-r", "refresh.revoked", fact{})

	f.at(1.9, operation{Kind: redeeming, Journey: "k", Code: "d", Outcome: unknown})
	f.at(2, operation{Kind: redeeming, Journey: "k", Code: "d", Token: "u", Refresh: "s"})
	f.at(2.1, operation{Kind: redeeming, Journey: "k", Code: "d", Outcome: refused, Status: 400, Why: "the code was used before"})
	f.at(3, operation{Kind: introspecting, Token: "u"})
	f.logs("authorization-k", "authorization.code_redeemed", fact{Token: "u", Refresh: "s"})
	f.logs("token-u", "token.issued", fact{Refresh: "s"})
	f.logs("refresh-s", "refresh.issued", fact{})

	f.at(0, operation{Kind: issuing, Token: "v"})
	f.at(1, operation{Kind: introspecting, Token: "v", Active: true})
	f.at(2, operation{Kind: revoking, Token: "v"})
	f.at(3, operation{Kind: introspecting, Token: "v"})
	f.logs("token-v", "token.issued", fact{})
	f.logs("token-v", "token.revoked", fact{})
	f.windows = []window{{Name: "a fault", Begin: 1900 * time.Millisecond, Healed: 2 * time.Second}}
	return f
}

// drop takes an event out, and closes the gap.
func (f *forge) drop(stream eventstore.Stream, typ string) {
	kept := f.log
	f.log = nil
	for _, e := range kept {
		if e.Stream != stream || e.Type != typ {
			f.logs(e.Stream, e.Type, fact{Token: e.Token, Refresh: e.Refresh, Digest: e.Digest})
		}
	}
}

// change changes the operation on a kind of thing that begins at a second.
func (f *forge) change(k kind, second float64, change func(*operation)) {
	i := slices.IndexFunc(f.operations, func(o operation) bool { return o.Kind == k && o.Begin.Seconds() == second })
	change(&f.operations[i])
}

func TestAnHonestRecordPasses(t *testing.T) {
	for _, v := range check(honest().record) {
		t.Error(v)
	}
}

func TestTheCheckerSees(t *testing.T) {
	tests := []struct {
		name, rule string
		forge      func(*forge)
	}{
		{"a code that two redeemed", singleUse, func(f *forge) {
			f.at(2.2, operation{Kind: redeeming, Journey: "j", Code: "c", Token: "t", Refresh: "r"})
		}},
		{"a code that was redeemed after somebody was told that it was spent", singleUse, func(f *forge) {
			f.at(1.1, operation{Kind: redeeming, Journey: "j", Code: "c", Outcome: refused, Why: "the code was used before"})
		}},
		{"a code that is spent twice in the log", singleUse, func(f *forge) {
			f.logs("authorization-j", "authorization.code_redeemed", fact{Token: "t", Refresh: "r"})
		}},
		{"a request that was approved twice", singleUse, func(f *forge) { f.at(1.2, operation{Kind: approving, Journey: "j", Code: "c"}) }},
		{"a request that was granted twice in the log", singleUse, func(f *forge) { f.logs("authorization-j", "authorization.granted", fact{}) }},
		{"a token that the log does not have", tokenEvents, func(f *forge) { f.drop("token-t2", "token.issued") }},
		{"a code that was redeemed for another token", tokenEvents, func(f *forge) { f.log[3].Token = "other" }},
		{"a token that is active after its revocation", endedTokens, func(f *forge) {
			f.change(introspecting, 3, func(o *operation) {
				*o = operation{Kind: introspecting, Token: "v", Active: true, Outcome: accepted, Begin: o.Begin, End: o.End}
			})
		}},
		{"a token that is active after its refresh token was revoked", endedTokens, func(f *forge) {
			f.change(introspecting, 7, func(o *operation) { o.Active = true })
		}},
		{"a token that is active after its code was seen to be replayed", endedTokens, func(f *forge) {
			f.at(3, operation{Kind: introspecting, Token: "u", Active: true})
		}},
		{"a token that a node does not know", liveTokens, func(f *forge) { f.change(introspecting, 5, func(o *operation) { o.Active = false }) }},
		{"an approval that is not in the log", onceEach, func(f *forge) { f.drop("authorization-j", "authorization.granted") }},
		{"a request that is not in the log", onceEach, func(f *forge) { f.drop("authorization-j", "authorization.pushed") }},
		{"another code than the one in the log", onceEach, func(f *forge) { f.log[2].Digest = "other" }},
		{"a refresh token that is not in the log", onceEach, func(f *forge) { f.drop("refresh-r", "refresh.issued") }},
		{"a revocation that is not in the log", onceEach, func(f *forge) { f.drop("token-v", "token.revoked") }},
		{"a token that was issued twice", onceEach, func(f *forge) { f.logs("token-t2", "token.issued", fact{Refresh: "r"}) }},
		{"an event id that is there twice", onceEach, func(f *forge) { f.log[9].ID = f.log[4].ID }},
		{"a code that was refused and is spent", definite, func(f *forge) {
			f.at(2, operation{Kind: redeeming, Journey: "l", Code: "e", Outcome: refused, Why: "the code was used before"})
			f.logs("authorization-l", "authorization.code_redeemed", fact{Token: "w"})
		}},
		{"a stream with a gap", gapFree, func(f *forge) { f.log[3].Revision++ }},
		{"a position that is left out", gapFree, func(f *forge) { f.log[len(f.log)-1].Position++ }},
		{"a leaf that is left out", gapFree, func(f *forge) { f.log[len(f.log)-1].Leaf++ }},
		{"time that goes back", timeForward, func(f *forge) { f.log[5].Recorded = f.log[4].Recorded.Add(-1) }},
		{"a request that failed without a fault", availability, func(f *forge) { f.at(20, operation{Kind: issuing, Outcome: unknown, Status: 503}) }},
		{"a request that was refused without a reason", availability, func(f *forge) { f.at(20, operation{Kind: pushing, Outcome: refused, Status: 400}) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := honest()
			tt.forge(f)
			found := check(f.record)
			if !slices.ContainsFunc(found, func(v violation) bool { return v.Rule == tt.rule }) {
				t.Errorf("not %q but %v", tt.rule, found)
			}
		})
	}
}

// Every rule is seen to fail by its own means: no other finds what only it can.
func TestTheRegisterNeedsOrder(t *testing.T) {
	early := operation{Kind: redeeming, Code: "c", Outcome: unknown, Begin: 0, End: 1}
	won := operation{Kind: redeeming, Code: "c", Outcome: accepted, Token: "t", Begin: 2, End: 3}
	if found := linearizable(newIndex(record{operations: []operation{early, won}})); len(found) > 0 {
		t.Errorf("an attempt of unknown outcome forbids nothing: %v", found)
	}
	early.Outcome, early.Why = refused, "the code was used before"
	if found := linearizable(newIndex(record{operations: []operation{early, won}})); len(found) != 1 {
		t.Error("spent, and then won")
	}
	early.End = 3 // it may have come second
	if found := linearizable(newIndex(record{operations: []operation{early, won}})); len(found) > 0 {
		t.Errorf("at the same time: %v", found)
	}
}
