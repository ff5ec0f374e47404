package projections

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
)

func TestOpenAndOverdueConsents(t *testing.T) {
	tests := []struct {
		name          string
		event         any
		open, overdue bool // overdue once it has run out
	}{
		{"an authorized one", nil, true, true},
		{"a suspended one", consent.Suspended{By: consent.Bank}, true, true},
		{"not one that was revoked", consent.Revoked{By: consent.Customer}, false, false},
		{"nor one whose end was noted", consent.Expired{}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, ctx := newHouse(t), context.Background()
			j := newJourney(1, "budgetly", "alice")
			h.approve(j)
			if tt.event != nil {
				h.record("consent-"+j.consent, event.Meta{}, tt.event)
			}
			h.catchUp()
			open, err := h.set.Consents.OpenOf(ctx, "alice")
			if err != nil || slices.Contains(ids(open), j.consent) != tt.open {
				t.Errorf("open are %v, %v", ids(open), err)
			}
			if others, err := h.set.Consents.OpenOf(ctx, "ben"); err != nil || len(others) > 0 {
				t.Errorf("of somebody else: %v, %v", ids(others), err)
			}
			before, err := h.set.Consents.Overdue(ctx, j.expires.Add(-time.Nanosecond))
			if err != nil || len(before) > 0 {
				t.Errorf("overdue before its end: %v, %v", before, err)
			}
			after, err := h.set.Consents.Overdue(ctx, j.expires)
			if err != nil || slices.Contains(after, j.consent) != tt.overdue {
				t.Errorf("overdue at its end: %v, %v", after, err)
			}
		})
	}
}
