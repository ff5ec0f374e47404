package eventstoredb

import (
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// grown is an index after a leaf 9 at place 100, with n events ten apart.
func grown(t *testing.T, n int) *index {
	t.Helper()
	x := newIndex(ledger.Row{Leaf: 9, Place: 100, Recorded: time.Unix(50, 0)}, true)
	for i := range n {
		e := placed{place: uint64(110 + 10*i)}
		e.Recorded = time.Unix(int64(40+i), 0)
		if err := x.add([]placed{e}); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

func TestIndexNumbersAfterTheTable(t *testing.T) {
	x := grown(t, 20)
	if head, last, _ := x.head(); head != 30 || last != 300 {
		t.Errorf("head %d at %d", head, last)
	}
	tests := []struct {
		name  string
		place uint64
		where whereabouts
		leaf  int64
		since int64
	}{
		{"the first", 110, known, 10, 50},
		{"one whose writer's clock was late", 200, known, 19, 50},
		{"the last", 300, known, 29, 59},
		{"what the table has", 100, older, -1, 0},
		{"and before", 7, older, -1, 0},
		{"what was not seen", 301, newer, -1, 0},
		{"what cannot be", 205, nowhere, -1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leaf, r, where := x.find(tt.place)
			if where != tt.where || leaf != tt.leaf || where == known && r.recorded != tt.since*1e9 {
				t.Errorf("got leaf %d, %+v, %d", leaf, r, where)
			}
		})
	}
	if err := x.add([]placed{{place: 300}}); err == nil {
		t.Error("two events are at one place")
	}
}

func TestIndexKeepsWhatTheTableHasNot(t *testing.T) {
	x := grown(t, 2*keptRows+100)
	x.trim(9) // the table has not moved
	if _, found := x.at(10); !found {
		t.Error("a row is gone that nobody else has")
	}
	x.trim(10 + 300)
	for leaf, want := range map[int64]bool{309: false, 310: true, 311: true, int64(10 + 2*keptRows + 99): true, int64(10 + 2*keptRows + 100): false} {
		if r, found := x.at(leaf); found != want || found && r.place != uint64(110+10*(leaf-10)) {
			t.Errorf("leaf %d: %+v, %v", leaf, r, found)
		}
	}
	if _, _, where := x.find(110 + 10*300); where != older {
		t.Errorf("the last row that was dropped is %d", where)
	}
	x.trim(1 << 40)
	if len(x.rows) != keptRows {
		t.Errorf("%d rows are left", len(x.rows))
	}
}

func TestIndexKeepsTheNewestEvents(t *testing.T) {
	x := grown(t, 5*keptEvents)
	head, _, _ := x.head()
	if len(x.recent) > 2*keptEvents || x.after(10, head) != nil {
		t.Errorf("%d events are kept", len(x.recent))
	}
	got := x.after(head-5, head-1)
	if len(got) != 4 || got[0].Position != head-4 || got[3].Position != head-1 {
		t.Errorf("got %d events", len(got))
	}
	if x.after(head, head+5) != nil {
		t.Error("events that there are not")
	}
	large := placed{place: 1 << 40, Event: eventstore.Event{Proposed: eventstore.Proposed{Data: make([]byte, 3*keptBytes)}}}
	if err := x.add([]placed{large}); err != nil {
		t.Fatal(err)
	}
	if len(x.recent) != 1 {
		t.Errorf("%d events are kept beside a large one", len(x.recent))
	}
}

// A server that has lost what it showed is believed when it stays so.
func TestALossIsBelievedTheThirdTime(t *testing.T) {
	l, err := newLog(Options{URL: "esdb://127.0.0.1:1?tls=false", Table: noTable{}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.index = grown(t, 3)
	f := feed{Log: l}
	for _, l := range []look{{end: 120, last: 130}, {end: 120, last: 130}, {end: 130, last: 130}, {end: 0, last: 130}, {end: 0, last: 130}} {
		if err := f.judge(l); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.judge(look{end: 120, last: 130}); err == nil || l.Halted() == nil {
		t.Errorf("got %v, halted: %v", err, l.Halted())
	}
}

type noTable struct{ ledger.Table }
