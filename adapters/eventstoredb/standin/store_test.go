package standin

import (
	"context"
	"testing"

	"github.com/google/uuid"
)

// Between the last fault and the commit a caller may go.
func TestNothingIsWrittenForWhoHasGone(t *testing.T) {
	var o Options
	o.setDefaults()
	s := newStore(o)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.append(ctx, "s", noStream, []proposal{{id: uuid.New(), kind: "a"}}); err == nil || len(s.log) > 0 {
		t.Errorf("appended: %d events, %v", len(s.log), err)
	}
	if _, err := s.delete(ctx, "s", anyRevision, true); err == nil || len(s.log) > 0 {
		t.Errorf("deleted: %d events, %v", len(s.log), err)
	}
}
