package standin_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// describe sets the metadata of a stream.
func (c client) describe(stream string, set func(*esdb.StreamMetadata)) {
	c.t.Helper()
	var m esdb.StreamMetadata
	set(&m)
	if _, err := c.SetStreamMetadata(context.Background(), stream, esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, m); err != nil {
		c.t.Fatal(err)
	}
}

func (c client) delete(stream string, expected esdb.ExpectedRevision) error {
	_, err := c.DeleteStream(context.Background(), stream, esdb.DeleteStreamOptions{ExpectedRevision: expected})
	return err
}

func (c client) tombstone(stream string, expected esdb.ExpectedRevision) error {
	_, err := c.TombstoneStream(context.Background(), stream, esdb.TombstoneStreamOptions{ExpectedRevision: expected})
	return err
}

// Metadata hides events from readers of the stream at once, from readers of
// $all when it is scavenged.
func TestMetadataHides(t *testing.T) {
	var clock atomic.Int64
	clock.Store(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	cluster, c := start(t, standin.Options{Now: func() time.Time { return time.Unix(0, clock.Load()) }})
	tests := []struct {
		stream string
		set    func(*esdb.StreamMetadata)
		want   string
	}{
		{"counted", func(m *esdb.StreamMetadata) { m.SetMaxCount(2) }, "34"},
		{"aged", func(m *esdb.StreamMetadata) { m.SetMaxAge(25 * time.Second) }, "34"},
		{"cut", func(m *esdb.StreamMetadata) { m.SetTruncateBefore(4) }, "4"},
		{"counted and cut", func(m *esdb.StreamMetadata) { m.SetMaxCount(4); m.SetTruncateBefore(3) }, "34"},
		{"all", func(m *esdb.StreamMetadata) { m.SetTruncateBefore(5) }, ""},
		{"untouched", func(m *esdb.StreamMetadata) {}, "01234"},
	}
	for _, kind := range []string{"0", "1", "2", "3", "4"} {
		for _, tt := range tests {
			c.must(tt.stream, esdb.Any{}, event(kind))
		}
		clock.Add(int64(10 * time.Second))
	}
	shown := 0
	for _, tt := range tests {
		c.describe(tt.stream, tt.set)
		got, err := c.read(tt.stream, esdb.ReadStreamOptions{}, 100)
		if k := strings.Join(kinds(got), ""); err != nil || k != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.stream, k, err, tt.want)
		}
		shown += max(1, len(tt.want)) // the last event of a stream stays
	}
	all := func() int {
		got, err := c.readAll(esdb.ReadAllOptions{From: esdb.Start{}}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		return len(ours(got))
	}
	if n := all(); n != 5*len(tests) {
		t.Errorf("$all shows %d", n)
	}
	cluster.Scavenge()
	if n := all(); n != shown {
		t.Errorf("after a scavenge $all shows %d, want %d", n, shown)
	}
	if w := c.must("cut", esdb.Revision(4), event("5")); w.NextExpectedVersion != 5 {
		t.Errorf("the next revision is %d", w.NextExpectedVersion)
	}
}

func TestMetadataIsReadBack(t *testing.T) {
	_, c := start(t, standin.Options{})
	c.describe("s", func(m *esdb.StreamMetadata) { m.SetMaxCount(7) })
	c.describe("s", func(m *esdb.StreamMetadata) { m.SetMaxCount(8) })
	m, err := c.GetStreamMetadata(context.Background(), "s", esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}})
	if err != nil || *m.MaxCount() != 8 {
		t.Fatal(m, err)
	}
	if got, err := c.read("$$s", esdb.ReadStreamOptions{}, 9); err != nil || len(got) != 1 {
		t.Errorf("%d events of metadata are shown, %v", len(got), err)
	}
}

func TestADeletedStreamBeginsAgain(t *testing.T) {
	_, c := start(t, standin.Options{})
	c.must("s", esdb.NoStream{}, event("0"), event("1"))
	if err := c.delete("s", esdb.Revision(0)); status.Code(cause(err)) != codes.FailedPrecondition || !strings.Contains(err.Error(), "WrongExpectedVersion") {
		t.Errorf("deleted at a wrong revision: %v", err)
	}
	if err := c.delete("s", esdb.Revision(1)); err != nil {
		t.Fatal(err)
	}
	_, err := c.read("s", esdb.ReadStreamOptions{}, 9)
	refused(t, err, esdb.ErrorCodeResourceNotFound)
	_, err = c.append("s", esdb.StreamExists{}, event("x"))
	refused(t, err, esdb.ErrorCodeStreamDeleted)
	if w := c.must("s", esdb.NoStream{}, event("2")); w.NextExpectedVersion != 2 {
		t.Errorf("the numbering begins at %d", w.NextExpectedVersion)
	}
	if got, err := c.read("s", esdb.ReadStreamOptions{}, 9); err != nil || strings.Join(kinds(got), "") != "2" {
		t.Errorf("after that it holds %v, %v", kinds(got), err)
	}
}

func TestMetadataBringsADeletedStreamBack(t *testing.T) {
	_, c := start(t, standin.Options{})
	c.must("s", esdb.NoStream{}, event("0"))
	if err := c.delete("s", esdb.Any{}); err != nil {
		t.Fatal(err)
	}
	c.describe("s", func(m *esdb.StreamMetadata) { m.SetMaxCount(3) })
	if got, err := c.read("s", esdb.ReadStreamOptions{}, 9); err != nil || len(got) != 0 {
		t.Fatal(got, err)
	}
	if w := c.must("s", esdb.Revision(0), event("1")); w.NextExpectedVersion != 1 {
		t.Fatal(w)
	}
}

func TestATombstoneIsFinal(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	c.must("s", esdb.NoStream{}, event("0"), event("1"))
	if err := c.tombstone("s", esdb.Any{}); err != nil {
		t.Fatal(err)
	}
	_, err := c.append("s", esdb.Any{}, event("x"))
	refused(t, err, esdb.ErrorCodeStreamDeleted)
	_, err = c.read("s", esdb.ReadStreamOptions{}, 9)
	refused(t, err, esdb.ErrorCodeStreamDeleted)
	if err := c.delete("s", esdb.Any{}); code(err) != esdb.ErrorCodeStreamDeleted {
		t.Errorf("deleted again: %v", err)
	}
	if n := cluster.Scavenge(); n != 2 {
		t.Errorf("a scavenge removes %d events", n)
	}
}

func TestWhatWasNeverThere(t *testing.T) {
	_, c := start(t, standin.Options{})
	_, err := c.read("s", esdb.ReadStreamOptions{}, 9)
	refused(t, err, esdb.ErrorCodeResourceNotFound)
	if err := c.delete("s", esdb.Any{}); status.Code(cause(err)) != codes.FailedPrecondition {
		t.Errorf("deleted: %v", err)
	}
}
