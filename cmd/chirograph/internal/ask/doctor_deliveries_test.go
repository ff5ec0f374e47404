package ask

import (
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/projections"
)

func TestBacklogIsJudged(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name                       string
		delivered, parked, waiting int
		oldest                     time.Duration
		result, detail             string
	}{
		{"nobody is owed anything", 0, 0, 0, 0, Good, "0 arrived, 0 parked, 0 waiting"},
		{"one waits for its receiver", 9, 0, 1, time.Minute, Good, "9 arrived, 0 parked, 1 waiting, the oldest for 1m0s"},
		{"one waits for long", 9, 0, 2, 2 * time.Hour, Mind, "2 waiting, the oldest for 2h0m0s: delivery list --status scheduled"},
		{"one is parked", 9, 1, 0, 0, Mind, "1 parked, 0 waiting: delivery list --status parked"},
	}
	for _, tt := range tests {
		b := projections.Backlog{Count: map[string]int{"delivered": tt.delivered, "parked": tt.parked, "scheduled": tt.waiting}}
		if tt.waiting > 0 {
			b.Oldest = now.Add(-tt.oldest)
		}
		if result, detail := judgeBacklog(b, now); result != tt.result || !strings.Contains(detail, tt.detail) {
			t.Errorf("%s: %s, %s", tt.name, result, detail)
		}
	}
}
