package standin_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func TestReadStream(t *testing.T) {
	_, c := start(t, standin.Options{})
	for _, kind := range []string{"0", "1", "2", "3"} {
		c.must("s", esdb.Any{}, event(kind))
		c.must("other", esdb.Any{}, event(kind))
	}
	forwards, backwards := esdb.Forwards, esdb.Backwards
	tests := []struct {
		name  string
		way   esdb.Direction
		from  esdb.StreamPosition
		count uint64
		want  string
	}{
		{"from the start", forwards, esdb.Start{}, 9, "0123"},
		{"as many as were asked for", forwards, esdb.Start{}, 2, "01"},
		{"from a revision, with it", forwards, esdb.Revision(2), 9, "23"},
		{"from beyond the end: nothing", forwards, esdb.Revision(4), 9, ""},
		{"from the end: nothing", forwards, esdb.End{}, 9, ""},
		{"backwards from the end", backwards, esdb.End{}, 3, "321"},
		{"backwards from a revision, with it", backwards, esdb.Revision(1), 9, "10"},
		{"backwards from beyond the end", backwards, esdb.Revision(77), 1, "3"},
		{"backwards from the start", backwards, esdb.Start{}, 9, "0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.read("s", esdb.ReadStreamOptions{Direction: tt.way, From: tt.from}, tt.count)
			if k := strings.Join(kinds(got), ""); err != nil || k != tt.want {
				t.Errorf("got %q, %v; want %q", k, err, tt.want)
			}
		})
	}
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	noon := time.Date(2024, 2, 29, 12, 0, 0, 123456789, time.UTC)
	_, c := start(t, standin.Options{Now: func() time.Time { return noon }})
	e := event("kind")
	e.ContentType, e.Data, e.Metadata = esdb.ContentTypeBinary, []byte{0, 255}, []byte{7}
	w := c.must("s", esdb.NoStream{}, event("first"), e)
	got, err := c.read("s", esdb.ReadStreamOptions{From: esdb.Revision(1)}, 1)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if first, err := c.read("s", esdb.ReadStreamOptions{}, 1); err != nil || first[0].ContentType != "application/json" {
		t.Errorf("the first: %+v, %v", first, err)
	}
	r := got[0]
	if r.EventID != e.EventID || r.EventType != "kind" || r.StreamID != "s" || r.EventNumber != 1 || r.ContentType != "application/octet-stream" ||
		!slices.Equal(r.Data, e.Data) || !slices.Equal(r.UserMetadata, e.Metadata) {
		t.Errorf("read %+v", r)
	}
	if !r.CreatedDate.Equal(noon.Truncate(100 * time.Nanosecond)) {
		t.Errorf("created at %v", r.CreatedDate)
	}
	if r.Position.Commit != w.CommitPosition || r.Position.Prepare != w.PreparePosition || r.Position.Commit != r.Position.Prepare {
		t.Errorf("at %v, written at %v", r.Position, w)
	}
}

// Positions of $all are those of records, with gaps; pages overlap by one.
func TestPagesOfAll(t *testing.T) {
	_, c := start(t, standin.Options{StatsEvery: 3})
	for i := range 10 {
		c.must(fmt.Sprintf("s-%d", i%2), esdb.Any{}, event(fmt.Sprint(i)))
	}
	all, err := c.readAll(esdb.ReadAllOptions{From: esdb.Start{}}, 1000)
	if err != nil || len(ours(slices.Clone(all))) != 10 || len(all) < 10+3+5 {
		t.Fatal(len(all), err)
	}
	if all[0].EventType[0] != '$' {
		t.Error("the log does not begin with events of the server")
	}
	for i, e := range all[1:] {
		if e.Position.Commit < all[i].Position.Commit+90 {
			t.Errorf("%d follows %d", e.Position.Commit, all[i].Position.Commit)
		}
	}
	var paged []*esdb.RecordedEvent
	for from := esdb.AllPosition(esdb.Start{}); ; {
		page, err := c.readAll(esdb.ReadAllOptions{From: from}, 4)
		if err != nil {
			t.Fatal(err)
		}
		if len(paged) > 0 {
			page = page[1:]
		}
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
		from = page[len(page)-1].Position
	}
	if !slices.Equal(kinds(paged), kinds(all)) {
		t.Errorf("paged %v, at once %v", kinds(paged), kinds(all))
	}
}

func TestAllBackwards(t *testing.T) {
	_, c := start(t, standin.Options{})
	w := c.must("s", esdb.NoStream{}, event("0"), event("1"), event("2"))
	end := esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}
	if got, err := c.readAll(end, 2); err != nil || strings.Join(kinds(got), "") != "21" {
		t.Error(kinds(got), err)
	}
	from := end
	from.From = esdb.Position{Commit: w.CommitPosition, Prepare: w.PreparePosition}
	if got, err := c.readAll(from, 1); err != nil || strings.Join(kinds(got), "") != "1" {
		t.Errorf("a position is exclusive backwards: %v, %v", kinds(got), err)
	}
	from.Direction = esdb.Forwards
	if got, err := c.readAll(from, 1); err != nil || strings.Join(kinds(got), "") != "2" {
		t.Errorf("and inclusive forwards: %v, %v", kinds(got), err)
	}
}

func TestPositionsThatAreNone(t *testing.T) {
	_, c := start(t, standin.Options{})
	w := c.must("s", esdb.NoStream{}, event("0"), event("1"))
	at := func(commit uint64) esdb.AllPosition { return esdb.Position{Commit: commit, Prepare: commit} }
	tests := []struct {
		name string
		way  esdb.Direction
		from esdb.AllPosition
		want esdb.ErrorCode
		n    int
	}{
		{"the beginning is one", esdb.Forwards, at(0), fine, 7},
		{"one of an event is", esdb.Forwards, at(w.CommitPosition), fine, 1},
		{"the next byte is not", esdb.Forwards, at(w.CommitPosition + 1), esdb.ErrorCodeUnknown, 0},
		{"nor the one before", esdb.Forwards, at(w.CommitPosition - 1), esdb.ErrorCodeUnknown, 0},
		{"nor backwards", esdb.Backwards, at(w.CommitPosition - 1), esdb.ErrorCodeUnknown, 0},
		{"what nobody has written yet is empty", esdb.Forwards, at(1 << 40), fine, 0},
		{"but has nothing before it", esdb.Backwards, at(1 << 40), esdb.ErrorCodeUnknown, 0},
		{"the end of all numbers is the end", esdb.Backwards, at(math.MaxUint64), fine, 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.readAll(esdb.ReadAllOptions{Direction: tt.way, From: tt.from}, 1000)
			refused(t, err, tt.want)
			if len(got) != tt.n {
				t.Errorf("%d events", len(got))
			}
		})
	}
}

func TestAReadIsCut(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	for range 20 {
		c.must("s", esdb.Any{}, event("a"))
	}
	for _, result := range []error{standin.Busy, standin.Drop} {
		heal := cluster.Inject(standin.Message(7, standin.At(standin.ReadMessage, result)))
		got, err := c.read("s", esdb.ReadStreamOptions{}, 100)
		refused(t, err, esdb.ErrorUnavailable)
		if len(got) > 7 || result != standin.Drop && len(got) != 7 {
			t.Errorf("%v: %d events", result, len(got))
		}
		heal()
	}
}
