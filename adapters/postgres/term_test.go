package postgres

import (
	"context"
	"testing"
	"time"
)

// After a pause a leader may look before any timer has run.
func TestATermEndsWithoutItsTimer(t *testing.T) {
	term := newTerm(t.Context(), time.Now().Add(time.Hour))
	if err := term.Err(); err != nil {
		t.Fatal(err)
	}
	term.timer.Stop()
	term.until = time.Now()
	if term.Err() == nil {
		t.Error("it goes on")
	}
	term.prolong(time.Now().Add(time.Hour))
	derived, done := context.WithCancel(term)
	defer done()
	if term.Err() == nil || derived.Err() == nil {
		t.Error("a renewal that came too late goes on with it")
	}
}
