package postgres

import (
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

func TestRest(t *testing.T) {
	tests := []struct {
		name   string
		events eventstore.Position
		want   time.Duration
	}{
		{"nobody waits after a read that brought nothing", 0, 0},
		{"nor long after the few of one request", 3, 30 * time.Millisecond},
		{"a busy log is read ten times a second", 10, company},
		{"and not more seldom, however busy", 1 << 40, company},
	}
	for _, tt := range tests {
		if got := rest(tt.events); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
