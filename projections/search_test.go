package projections

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

func (h *house) search(q Query) Listing[Entry] {
	h.t.Helper()
	l, err := h.set.Audit.Search(context.Background(), q)
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

func positions(all []Entry) []eventstore.Position {
	var at []eventstore.Position
	for _, e := range all {
		at = append(at, e.Position)
	}
	return at
}

func TestSearch(t *testing.T) {
	h := newHouse(t)
	alice, _ := h.tell()
	h.catchUp()
	revoked := h.search(Query{Type: "consent.revoked"}).Items[0]
	tests := []struct {
		name  string
		q     Query
		count int
		check func(Entry) bool
	}{
		{"everything", Query{}, int(h.head()), func(Entry) bool { return true }},
		{"by client", Query{Client: "payzip"}, 10, func(e Entry) bool { return e.Client.ID == "payzip" }},
		{"by customer", Query{Customer: "ben"}, 10, func(e Entry) bool { return e.Subject.ID == "ben" }},
		{"by consent", Query{Consent: alice.consent}, 14, func(e Entry) bool { return e.Consent == alice.consent }},
		{"by type", Query{Type: "token.issued"}, 3, func(e Entry) bool { return e.Type == "token.issued" }},
		{"by what was refused", Query{Result: Refused}, 2, func(e Entry) bool { return e.Result == "403" || e.Result == "invalid_grant" }},
		{"by what was not refused", Query{Result: OK}, int(h.head()) - 2, func(e Entry) bool { return e.Result == "" || e.Result == "200" }},
		{"by an exact result", Query{Result: "403"}, 1, func(e Entry) bool { return e.Result == "403" }},
		{"by interaction", Query{Interaction: "fapi-t1b"}, 2, func(e Entry) bool { return e.Interaction == "fapi-t1b" }},
		{"from an instant on, it included", Query{From: revoked.Time}, 4, func(e Entry) bool { return !e.Time.Before(revoked.Time) }},
		{"up to an instant, it excluded", Query{To: revoked.Time}, int(h.head()) - 4, func(e Entry) bool { return e.Time.Before(revoked.Time) }},
		{"before anything happened", Query{To: begin}, 0, nil},
		{"after everything happened", Query{From: h.now.Add(time.Second)}, 0, nil},
		{"by all at once", Query{
			Client: "budgetly", Customer: "alice", Consent: alice.consent, Type: "access.recorded", Result: "200", From: begin, To: revoked.Time,
		}, 2, func(e Entry) bool { return e.Type == "access.recorded" && e.Result == "200" }},
		{"by two that exclude each other", Query{Client: "payzip", Customer: "alice"}, 0, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.q.Limit = MaxLimit
			got := h.search(test.q).Items
			if len(got) != test.count {
				t.Fatalf("found %d events, want %d: %v", len(got), test.count, positions(got))
			}
			for _, e := range got {
				if !test.check(e) {
					t.Errorf("found %+v", e)
				}
			}
			if !slices.IsSortedFunc(got, func(a, b Entry) int { return int(b.Position) - int(a.Position) }) {
				t.Error("the newest is not first")
			}
			test.q.Oldest = true
			turned := positions(h.search(test.q).Items)
			slices.Reverse(turned)
			if !slices.Equal(turned, positions(got)) {
				t.Error("the oldest first is not the reverse")
			}
		})
	}
}

func TestSearchPagesStayAsTheyWereWhileEventsArrive(t *testing.T) {
	for _, oldest := range []bool{false, true} {
		h := newHouse(t)
		j := newJourney(9, "budgetly", "alice")
		h.tell()
		h.push(j)
		h.signIn(j)
		h.catchUp()
		q := Query{Customer: "alice", Oldest: oldest}
		q.Limit = MaxLimit
		want := positions(h.search(q).Items)
		q.Limit = 4
		var got []eventstore.Position
		for {
			l := h.search(q)
			got = append(got, positions(l.Items)...)
			if q.Cursor = l.Next; q.Cursor == "" {
				break
			}
			h.access(j, "t1", 200)
			h.catchUp()
		}
		if !slices.Equal(got, want) {
			t.Errorf("oldest first %v: pages gave %v, want %v", oldest, got, want)
		}
	}
}

func TestSearchSaysHowFarItHasSeen(t *testing.T) {
	h := newHouse(t)
	h.tell()
	h.catchUp()
	seen := h.head()
	h.register("late", "Late")
	l := h.search(Query{})
	if l.AsOf != seen || l.Lag != 1 {
		t.Errorf("as of %d with a lag of %d, want %d and 1", l.AsOf, l.Lag, seen)
	}
	if len(l.Items) != defaultLimit && len(l.Items) != int(seen) {
		t.Errorf("%d items", len(l.Items))
	}
	if _, err := h.set.Audit.Search(context.Background(), Query{AsOf: seen + 1}); !errors.Is(err, ErrBehind) {
		t.Errorf("a position it has not seen gives %v", err)
	}
}

func TestSearchTakesNoCursorOfAnotherQuestion(t *testing.T) {
	h := newHouse(t)
	h.tell()
	h.catchUp()
	q := Query{Client: "budgetly"}
	q.Limit = 1
	next := h.search(q).Next
	for _, other := range []Query{
		{Client: "payzip"}, {}, {Client: "budgetly", Oldest: true}, {Client: "budgetly", Result: OK}, {Client: "budgetly", From: begin},
	} {
		other.Cursor = next
		if _, err := h.set.Audit.Search(context.Background(), other); !errors.Is(err, ErrCursor) {
			t.Errorf("%+v takes it: %v", other, err)
		}
	}
}

func TestListingsAreBounded(t *testing.T) {
	for limit, want := range map[int]int{-1: defaultLimit, 0: defaultLimit, 1: 1, MaxLimit: MaxLimit, MaxLimit + 1: MaxLimit} {
		if got := (Page{Limit: limit}).limit(); got != want {
			t.Errorf("a limit of %d becomes %d, want %d", limit, got, want)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(cursor{question("audit"), 1234, 56}.String(), question("audit"))
	f.Add("", uint64(0))
	f.Add("AQAAAAAAAAAAAAA", uint64(0))
	f.Fuzz(func(t *testing.T, text string, asked uint64) {
		c, err := parseCursor(text, asked)
		if err != nil {
			return
		}
		if c.String() != text || c.question != asked || c.last > c.asOf {
			t.Errorf("%q is read as %+v", text, c)
		}
	})
}
