package outbox

import (
	"testing"

	"github.com/chirograph/chirograph/eventstore"
)

func TestCheckpoints(t *testing.T) {
	tests := []struct {
		name  string
		saved []eventstore.Position
		head  eventstore.Position
		at    eventstore.Position
		anew  bool
	}{
		{"a new subscriber begins at the head", nil, 7, 7, true},
		{"one that is known goes on", []eventstore.Position{3}, 7, 3, false},
		{"one that is at the head has nothing to do", []eventstore.Position{7}, 7, 7, false},
		{"what is saved late changes nothing", []eventstore.Position{5, 3}, 7, 5, false},
		{"a log that was put back has it begin at its head", []eventstore.Position{9}, 7, 7, true},
	}
	engines(t, func(t *testing.T, fresh func() place) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				p := fresh()
				s := open(t, p)
				for _, at := range tt.saved {
					must(t, s.Save(ctx, "deliveries", at))
				}
				at, anew, err := s.Begin(ctx, "deliveries", tt.head)
				must(t, err)
				if at != tt.at || anew != tt.anew {
					t.Errorf("it begins at %d, anew: %v", at, anew)
				}
				at, anew, err = open(t, p).Begin(ctx, "deliveries", 100)
				must(t, err)
				if at != tt.at || anew {
					t.Errorf("opened again it begins at %d, anew: %v", at, anew)
				}
				if other, _, err := s.Begin(ctx, "export", 2); err != nil || other != 2 {
					t.Errorf("another subscriber begins at %d: %v", other, err)
				}
			})
		}
	})
}
