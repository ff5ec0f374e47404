package sqlite

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chirograph/chirograph/eventstore"
)

// TestCategories reads categories that are rare and such that are not, and
// compares both with what a look at the whole log finds.
func TestCategories(t *testing.T) {
	l := open(t)
	for i := range rareStreams + 50 {
		calls := []eventstore.Append{add(fmt.Sprintf("token-%d", i), eventstore.Absent())}
		switch i % 100 {
		case 7:
			calls = append(calls, add(fmt.Sprintf("issuer-%d", i), eventstore.Absent()), add(fmt.Sprintf("issuer-%d", i), eventstore.At(0)))
		case 50:
			calls = append(calls, add("issuer-7", eventstore.Unchecked()), add("issuers-1", eventstore.Unchecked()))
		}
		if _, err := l.Append(t.Context(), calls...); err != nil {
			t.Fatal(err)
		}
	}
	head, err := l.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		categories []string
		rare       bool
		events     int
	}{
		{[]string{"issuer"}, true, 32},
		{[]string{"issuer", "issuers", "issuer"}, true, 42},
		{[]string{"none"}, true, 0},
		{[]string{"issuer-7"}, true, 0},
		{[]string{"token"}, false, rareStreams + 50},
		{[]string{"issuer", "token"}, false, rareStreams + 82},
	} {
		for _, after := range []eventstore.Position{0, 1, head / 2, head} {
			_, rare, err := l.rare(t.Context(), tt.categories, after, head)
			if err != nil || rare != tt.rare {
				t.Fatalf("%v is rare: %t, %v", tt.categories, rare, err)
			}
			f := eventstore.Filter{Categories: tt.categories}
			var want, got []eventstore.Position
			l.yieldBetween(t.Context(), after, head, f, func(e eventstore.Event, err error) bool { want = append(want, e.Position); return err == nil })
			for e, err := range l.ReadAll(t.Context(), after, f) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e.Position)
			}
			if !slices.Equal(got, want) || after == 0 && len(got) != tt.events {
				t.Errorf("%v after %d: got %d events, want %d", tt.categories, after, len(got), len(want))
			}
		}
	}
}
