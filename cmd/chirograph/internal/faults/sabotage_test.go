package faults

import (
	"context"
	"slices"
	"testing"

	"github.com/chirograph/chirograph/eventstore"
)

// Servers that do what must never be done are caught by the same load and the
// same checker.
func TestSabotageIsFound(t *testing.T) {
	tests := []struct {
		name     string
		sabotage func(*eventstore.Journal) // nil for none
		rule     string                    // that is broken
		raced    bool                      // by many at once; else each code is presented once
	}{
		{"when single use is decided by the log, nothing is", nil, "", true},
		{"when single use is decided by a projection", func(j *eventstore.Journal) { j.Log = &projected{Log: j.Log} }, singleUse, true},
		{"when answers are lost and ids are kept, nothing is", func(j *eventstore.Journal) { j.Log = &forgetful{Log: j.Log} }, "", false},
		{"when answers are lost and ids change on retry", func(j *eventstore.Journal) { j.Log = renaming{&forgetful{Log: j.Log}, j.Codec} }, definite, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := check(played(t, tt.sabotage, tt.raced))
			found = only(found, func(v violation) bool { return v.Rule != availability })
			switch {
			case tt.rule == "" && len(found) > 0:
				t.Error(found[0])
			case tt.rule != "" && !slices.ContainsFunc(found, func(v violation) bool { return v.Rule == tt.rule }):
				t.Errorf("not found, but %v", found)
			case tt.rule != "":
				t.Logf("%d violations, among them: %v", len(found), found[0])
			}
		})
	}
}

// played is the record of some journeys over three nodes in this process.
func played(t *testing.T, sabotage func(*eventstore.Journal), raced bool) record {
	t.Helper()
	b := newBank(t)
	nodes, over := inside(t, b, sabotage)
	players := newPlayers(b, over)
	l := &load{players: players}
	w := l.worker(*seed, 0)
	if w.races = 0; raced {
		w.races = 1
	}
	ctx, done := context.WithTimeout(t.Context(), patience/4)
	defer done()
	for range 6 {
		w.journey(ctx)
	}
	return record{operations: players.operations(), log: facts(t, nodes[0].Log)}
}
