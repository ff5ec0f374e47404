package projections

import (
	"context"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

func TestAccessesAreCountedByDayPermissionAndResult(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	j := newJourney(1, "budgetly", "alice")
	h.access(j, "t1", 200)
	h.access(j, "t1", 200)
	h.access(j, "t1", 403)
	h.now = h.now.Add(24 * time.Hour)
	h.access(j, "t1", 200)
	h.access(newJourney(2, "budgetly", "alice"), "t2", 200)
	h.catchUp()
	got, err := h.set.Accesses.Of(ctx, j.consent)
	if err != nil || len(got) != 3 {
		t.Fatalf("got %v, %v", got, err)
	}
	want := []struct {
		day, result string
		count       int
		answered    bool
	}{{"2026-03-03", "200", 1, true}, {"2026-03-02", "200", 2, true}, {"2026-03-02", "403", 1, false}}
	for i, w := range want {
		a := got[i]
		if a.Day != w.day || a.Result != w.result || a.Count != w.count || a.Answered() != w.answered || a.Permission != oauth.ReadBalances {
			t.Errorf("row %d is %+v, want %+v", i, a, w)
		}
		if a.Last.Before(a.First) || a.Count == 2 && !a.Last.After(a.First) {
			t.Errorf("row %d lasts from %v to %v", i, a.First, a.Last)
		}
	}
	ofClient, err := h.set.Accesses.OfClient(ctx, "budgetly", begin.Add(24*time.Hour), h.now)
	if err != nil || len(ofClient) != 2 {
		t.Errorf("the client's on the second day: %v, %v", ofClient, err)
	}
}
