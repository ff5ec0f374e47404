//go:build linux

package projections

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/google/uuid"
)

var journeys = flag.Int("journeys", 6_000, "how often a log of benchmarks holds the main job")

// events is how many events the main job has.
const events = 17

// mainJob is what "chirograph dev" records of the main job, unsealed.
//
//go:embed testdata/journey.jsonl
var mainJob []byte

// A recorded is an event of the main job.
type recorded struct {
	Stream  eventstore.Stream `json:"stream"`
	Type    string            `json:"type"`
	Version int               `json:"version"`
	Data    json.RawMessage   `json:"data"`
	Meta    event.Meta        `json:"meta"`
}

// replica returns the main job with fresh ids, by one of a thousand customers
// with one of thirty clients.
func replica(b *testing.B, n int) []recorded {
	b.Helper()
	fresh := strings.NewReplacer(
		"01a20728-fc75-7bce-822b-de74da3ae113", uuid.Must(uuid.NewV7()).String(),
		"01a20728-fc96-7a7e-b0f5-309bb7f48c30", uuid.Must(uuid.NewV7()).String(),
		"01a20728-fc98-7920-9e49-da4762efd192", uuid.Must(uuid.NewV7()).String(),
		"01a20728-fc98-7917-8f8c-ce7d48fcebdb", uuid.Must(uuid.NewV7()).String(),
		"a11ce000-0000-4000-8000-000000000001", fmt.Sprintf("a11ce000-0000-4000-8000-%012d", n%1000),
		`"budgetly"`, fmt.Sprintf(`"budgetly-%d"`, n%30),
	)
	var all []recorded
	for lines := bufio.NewScanner(strings.NewReader(fresh.Replace(string(mainJob)))); lines.Scan(); {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			b.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// copied is how many main jobs one append takes.
const copied = 25

// filled returns a journal over a log that holds the main job many times.
func filled(b *testing.B, log eventstore.Log) *eventstore.Journal {
	b.Helper()
	j := &eventstore.Journal{Log: log, Codec: &eventstore.Codec{Registry: catalogue.Events, Keys: &memory.Keys{}, Log: log.ID()}}
	ctx := context.Background()
	var appends []eventstore.Append
	for n := range *journeys {
		for _, r := range replica(b, n) {
			body, err := j.Codec.Registry.Decode(r.Type, r.Version, r.Data)
			if err != nil {
				b.Fatal(err)
			}
			p, err := j.Codec.Encode(ctx, r.Stream, uuid.Must(uuid.NewV7()), body, r.Meta)
			if err != nil {
				b.Fatal(err)
			}
			appends = append(appends, eventstore.Append{Stream: r.Stream, Expect: eventstore.Unchecked(), Events: []eventstore.Proposed{p}})
		}
		if n%copied == copied-1 || n == *journeys-1 {
			if _, err := log.Append(ctx, appends...); err != nil {
				b.Fatal(err)
			}
			appends = appends[:0]
		}
	}
	return j
}

func sqliteLog(b *testing.B) eventstore.Log {
	b.Helper()
	log, err := sqlite.Open(sqlite.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { log.Close() })
	return log
}

func postgresLog(b *testing.B) eventstore.Log {
	b.Helper()
	log, err := postgres.Open(context.Background(), postgres.Options{URL: pgtest.New(b)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { log.Close() })
	return log
}

// rate reports how many events a second a benchmark handled, and how many of
// each second of CPU that this process used, which says more on a busy machine.
func rate(b *testing.B, events int, of func()) {
	b.Helper()
	for b.Loop() {
		began, used := time.Now(), cpu()
		of()
		b.ReportMetric(float64(events)/time.Since(began).Seconds(), "events/s")
		b.ReportMetric(float64(events)/(cpu()-used).Seconds(), "events/cpu-s")
	}
	b.ReportMetric(0, "ns/op")
}

func cpu() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
