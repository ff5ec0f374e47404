package projections

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/event"
)

func TestUnansweredRequests(t *testing.T) {
	tests := []struct {
		name    string
		then    func(*house, *journey)
		overdue bool
	}{
		{"one that nobody opened", func(*house, *journey) {}, true},
		{"one that somebody signed in for", (*house).signIn, true},
		{"not one that was denied", (*house).deny, false},
		{"not one that was granted", (*house).approve, false},
		{"not one whose end was noted", func(h *house, j *journey) { h.record(j.stream(), event.Meta{}, authorization.Expired{}) }, false},
	}
	for _, tt := range tests {
		for _, together := range []bool{true, false} { // folded in one call, or in two
			t.Run(tt.name, func(t *testing.T) {
				h, ctx := newHouse(t), context.Background()
				j := newJourney(1, "budgetly", "alice")
				end := h.now.Add(90 * time.Second)
				h.push(j)
				if !together {
					h.catchUp()
				}
				tt.then(h, j)
				h.catchUp()
				for at, want := range map[time.Time]bool{end.Add(-1): false, end: tt.overdue} {
					ids, err := h.set.Unanswered.Overdue(ctx, "bank", at)
					if err != nil || slices.Contains(ids, j.id) != want {
						t.Errorf("at %v: %v, %v", at, ids, err)
					}
				}
				if others, err := h.set.Unanswered.Overdue(ctx, "other", end); err != nil || len(others) > 0 {
					t.Errorf("of another issuer: %v, %v", others, err)
				}
			})
		}
	}
}
