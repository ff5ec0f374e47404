package sqlite

import (
	"bytes"
	"testing"

	"github.com/chirograph/chirograph/adapters/internal/latest"
	"github.com/chirograph/chirograph/eventstore"
)

// TestWhatIsReadForAllIsBounded reads on where events are large.
func TestWhatIsReadForAllIsBounded(t *testing.T) {
	l := open(t)
	const events = 40
	for range events {
		large := add("thing-1", eventstore.Unchecked())
		large.Events[0].Data = append(append([]byte(`{"x":"`), bytes.Repeat([]byte("x"), 200<<10)...), `"}`...)
		if _, err := l.Append(t.Context(), large); err != nil {
			t.Fatal(err)
		}
	}
	leaves, err := l.readOn(t.Context(), 0, events)
	if n := latest.Bytes(leaves); err != nil || n <= latest.MostBytes || n > latest.MostBytes+2*pageBytes {
		t.Errorf("%d bytes are read, %v", n, err)
	}
	var s subscription
	s.Log, s.live = l, true
	if leaves, end, err := s.lately(t.Context(), events); err != nil || len(leaves) == 0 || end != leaves[len(leaves)-1].Position {
		t.Errorf("%d events up to %d, %v", len(leaves), end, err)
	}
}
