package access_test

import (
	"testing"
	"time"

	. "github.com/chirograph/chirograph/domain/access"
)

// A day is one of UTC, wherever the clock stands.
func TestStreams(t *testing.T) {
	late := time.Date(2026, 1, 1, 23, 30, 0, 0, time.FixedZone("", -3600))
	tests := []struct{ got, want string }{
		{AccessStream("c1", "budgetly", late), "access-c1-2026-01-02"},
		{AccessStream("", "budgetly", late), "access-client.budgetly-2026-01-02"},
		{RefusalStream("budgetly", late), "refusal-budgetly-2026-01-02"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
}
