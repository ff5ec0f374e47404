package standin_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestExpectedRevisions(t *testing.T) {
	tests := []struct {
		name     string
		before   int // events in the stream, -1 for metadata only
		expected esdb.ExpectedRevision
		want     esdb.ErrorCode
	}{
		{"a new stream may be expected not to exist", 0, esdb.NoStream{}, fine},
		{"but not one that exists", 2, esdb.NoStream{}, esdb.ErrorCodeWrongExpectedVersion},
		{"anything goes for a new stream", 0, esdb.Any{}, fine},
		{"and for one that exists", 2, esdb.Any{}, fine},
		{"a stream may be expected to exist", 2, esdb.StreamExists{}, fine},
		{"but not a new one", 0, esdb.StreamExists{}, esdb.ErrorCodeWrongExpectedVersion},
		{"unless it has metadata", -1, esdb.StreamExists{}, fine},
		{"the last revision is the one to expect", 2, esdb.Revision(1), fine},
		{"not an earlier one", 2, esdb.Revision(0), esdb.ErrorCodeWrongExpectedVersion},
		{"nor a later one", 2, esdb.Revision(2), esdb.ErrorCodeWrongExpectedVersion},
		{"nor any of a new stream", 0, esdb.Revision(0), esdb.ErrorCodeWrongExpectedVersion},
	}
	_, c := start(t, standin.Options{})
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stream := fmt.Sprintf("s-%d", i)
			for range tt.before {
				c.must(stream, esdb.Any{}, event("before"))
			}
			if tt.before < 0 {
				c.describe(stream, func(*esdb.StreamMetadata) {})
			}
			w, err := c.append(stream, tt.expected, event("new"), event("new"))
			refused(t, err, tt.want)
			if err == nil && w.NextExpectedVersion != uint64(max(0, tt.before)+1) {
				t.Errorf("the last revision is %d", w.NextExpectedVersion)
			}
		})
	}
}

func TestOneOfManyRacersWins(t *testing.T) {
	_, c := start(t, standin.Options{})
	c.must("s", esdb.NoStream{}, event("first"))
	var won atomic.Int32
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			switch _, err := c.append("s", esdb.Revision(0), event("second")); code(err) {
			case fine:
				won.Add(1)
			case esdb.ErrorCodeWrongExpectedVersion:
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d won", won.Load())
	}
}

// A repeat is recognised by what the stream holds after the expected revision,
// whatever came later and however long ago; without a revision only by the ids
// of late.
func TestRepeats(t *testing.T) {
	a, b, other := event("a"), event("b"), event("other")
	tests := []struct {
		name     string
		expected esdb.ExpectedRevision
		events   []esdb.EventData
		late     bool // after the ids were forgotten
		want     esdb.ErrorCode
		last     uint64
	}{
		{"the same again is answered again", esdb.NoStream{}, []esdb.EventData{a, b}, false, fine, 1},
		{"however late", esdb.NoStream{}, []esdb.EventData{a, b}, true, fine, 1},
		{"a part from its place, too", esdb.Revision(0), []esdb.EventData{b}, true, fine, 1},
		{"but not from another place", esdb.Revision(1), []esdb.EventData{a}, false, esdb.ErrorCodeWrongExpectedVersion, 0},
		{"nor with something else in it", esdb.NoStream{}, []esdb.EventData{a, other}, false, esdb.ErrorCodeWrongExpectedVersion, 0},
		{"nor with more than was there", esdb.Revision(1), []esdb.EventData{event("c"), other}, false, esdb.ErrorCodeWrongExpectedVersion, 0},
		{"without a revision the ids count", esdb.Any{}, []esdb.EventData{a, b}, false, fine, 1},
		{"a part of known ids is a conflict", esdb.Any{}, []esdb.EventData{a, other}, false, esdb.ErrorCodeWrongExpectedVersion, 0},
		{"a known id behind a new one is not seen", esdb.Any{}, []esdb.EventData{other, a}, false, fine, 4},
		{"late, the same again is new", esdb.Any{}, []esdb.EventData{a, b}, true, fine, 4},
		{"a stream that exists is no better", esdb.StreamExists{}, []esdb.EventData{a, b}, true, fine, 4},
		{"in time it is", esdb.StreamExists{}, []esdb.EventData{a, b}, false, fine, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, c := start(t, standin.Options{RecentIDs: 5})
			first := c.must("s", esdb.NoStream{}, a, b)
			c.must("s", esdb.Revision(1), event("c"))
			if tt.late {
				for range 5 {
					c.must("elsewhere", esdb.Any{}, event("x"))
				}
			}
			w, err := c.append("s", tt.expected, tt.events...)
			refused(t, err, tt.want)
			if err == nil && w.NextExpectedVersion != tt.last {
				t.Errorf("the last revision is %d", w.NextExpectedVersion)
			}
			if err == nil && tt.last == 1 && *w != *first {
				t.Errorf("answered with %v, at first with %v", w, first)
			}
		})
	}
}

// The answer to a repeat has no position when the events are not shown any
// more.
func TestARepeatOfWhatIsHidden(t *testing.T) {
	_, c := start(t, standin.Options{})
	a := event("a")
	c.must("s", esdb.NoStream{}, a)
	c.must("s", esdb.Revision(0), event("b"))
	c.describe("s", func(m *esdb.StreamMetadata) { m.SetTruncateBefore(1) })
	if w := c.must("s", esdb.NoStream{}, a); w.CommitPosition != 0 || w.NextExpectedVersion != 0 {
		t.Errorf("answered with %v", w)
	}
}

func TestIDsAreForgottenWithTheLeader(t *testing.T) {
	cluster, c := start(t, standin.Options{Nodes: 3})
	a := event("a")
	c.must("s", esdb.Any{}, a)
	cluster.Elect(1)
	if w := c.must("s", esdb.Any{}, a); w.NextExpectedVersion != 1 {
		t.Fatal("the new leader knew the id")
	}
}

func TestALostAcknowledgementIsRepeated(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	cluster.Inject(standin.Next(1, standin.At(standin.AfterCommit, standin.Busy)))
	a := event("pay")
	_, err := c.append("s", esdb.NoStream{}, a)
	refused(t, err, esdb.ErrorUnavailable)
	if w := c.must("s", esdb.NoStream{}, a); w.NextExpectedVersion != 0 {
		t.Fatalf("written twice: %d", w.NextExpectedVersion)
	}
	if got, err := c.read("s", esdb.ReadStreamOptions{}, 9); err != nil || len(got) != 1 {
		t.Fatal(len(got), err)
	}
}

func TestWhoHasGoneIsNotHeard(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	cluster.Inject(standin.At(standin.BeforeCommit, standin.Slow(time.Minute)))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := c.AppendToStream(ctx, "s", esdb.AppendToStreamOptions{}, event("a"))
	refused(t, err, esdb.ErrorCodeDeadlineExceeded)
	cluster.Heal()
	if w := c.must("s", esdb.NoStream{}, event("b")); w.NextExpectedVersion != 0 {
		t.Fatal("it was written")
	}
}

func TestSizeIsLimited(t *testing.T) {
	_, c := start(t, standin.Options{MaxAppendBytes: 1000})
	sized := func(n int) esdb.EventData {
		e := event("ab") // counted twice
		e.Data, e.Metadata = make([]byte, n-10), make([]byte, 6)
		return e
	}
	c.must("s", esdb.NoStream{}, sized(500), sized(500))
	_, err := c.append("s", esdb.Any{}, sized(500), sized(501))
	for code(err) == 0 && strings.Contains(err.Error(), "EOF") { // see TestARefusalIsMaskedByEOF
		_, err = c.append("s", esdb.Any{}, sized(500), sized(501))
	}
	if status.Code(cause(err)) != codes.InvalidArgument || !strings.Contains(err.Error(), "Maximum Append Size of 1000 Exceeded.") {
		t.Fatal(err)
	}
}
