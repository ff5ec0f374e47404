package latest

import (
	"context"
	"testing"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// A history that counts how often it is read, with events of a size.
type counted struct{ reads, size int }

func (c *counted) readOn(_ context.Context, after, to eventstore.Position) (leaves []ledger.Leaf, _ error) {
	c.reads++
	for p := after + 1; p <= to; p++ {
		leaves = append(leaves, ledger.Leaf{Event: eventstore.Event{Position: p, Proposed: eventstore.Proposed{Data: make([]byte, c.size)}}})
	}
	return leaves, nil
}

func TestTheLastEventsAreReadOnceForAll(t *testing.T) {
	small := &counted{size: 100}
	r := New()
	for _, step := range []struct {
		name      string
		after, to eventstore.Position
		there     bool
		reads     int
	}{
		{"the first who comes reads", 1000, 1010, true, 1},
		{"the second does not", 1000, 1010, true, 1},
		{"a part is there too", 1004, 1007, true, 1},
		{"what came since is read on", 1004, 1020, true, 2},
		{"what was before is not there", 990, 1020, false, 2},
		{"a long way on begins anew", 9000, 9100, true, 3},
		{"and the old is gone", 1010, 1020, false, 3},
		{"more than is kept is still there from where it is kept", 9100, 10100, true, 4},
		{"and some of before", 9000, 10100, true, 4},
		{"as long as that is not much", 10100, 10300, true, 5},
		{"then it is gone", 9000, 10300, false, 5},
	} {
		leaves, there, err := r.Span(t.Context(), step.after, step.to, small.readOn)
		if err != nil || there != step.there || small.reads != step.reads {
			t.Fatalf("%s: there %v after %d reads, %v", step.name, there, small.reads, err)
		}
		for i, leaf := range leaves {
			if leaf.Position != step.after+1+eventstore.Position(i) {
				t.Fatalf("%s: position %d at %d", step.name, leaf.Position, i)
			}
		}
		if there && len(leaves) != int(step.to-step.after) {
			t.Fatalf("%s: %d events", step.name, len(leaves))
		}
	}
}

func TestLargeEventsAreNotAllKept(t *testing.T) {
	large := &counted{size: 256 << 10}
	r := New()
	if _, there, err := r.Span(t.Context(), 0, 100, large.readOn); there || err != nil {
		t.Errorf("25 MiB are kept: %v", err)
	}
	if r.bytes > MostBytes || len(r.leaves) != 16 {
		t.Errorf("%d events of %d bytes are kept", len(r.leaves), r.bytes)
	}
	if leaves, there, err := r.Span(t.Context(), 90, 100, large.readOn); !there || len(leaves) != 10 || large.reads != 1 {
		t.Errorf("the last ones are not there: %d after %d reads, %v", len(leaves), large.reads, err)
	}
}
