package bench

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
)

var timed = flag.Int("timed", 1000, "how many requests of each kind are timed")

// BenchmarkLatency measures how long one caller waits, alone on a node: for an
// append, for a client's own token and for those of a code.
func BenchmarkLatency(b *testing.B) {
	b.Run("PostgreSQL", func(b *testing.B) {
		share(b, pgtest.Start(b, pgtest.Settings{Fsync: true}).New(b), "")
		latencies(b)
	})
	b.Run("EventStoreDB stand-in", func(b *testing.B) {
		database := pgtest.Start(b, pgtest.Settings{Fsync: true}).New(b)
		share(b, database, standin.New(b, standin.Options{Nodes: 3, CaughtUp: true}).URL())
		latencies(b)
	})
}

func latencies(b *testing.B) {
	s := joined(b)
	took := map[string][]time.Duration{}
	measure := func(what string, f func()) {
		began := time.Now()
		f()
		took[what] = append(took[what], time.Since(began))
	}
	for range *timed {
		draft := eventstore.Draft{Stream: eventstore.Stream("token-" + newID()), Expect: eventstore.Absent(), Events: []any{tokenOf(time.Now(), "", "")}}
		own, code := s.asking(), s.redeeming(b) // signed, and granted, before the clock starts
		measure("append", func() {
			if _, err := s.platform.Journal.Commit(b.Context(), event.Meta{Issuer: "fapi2", Client: "bench"}, draft); err != nil {
				b.Fatal(err)
			}
		})
		measure("token", func() { s.ask(b, own) })
		measure("redemption", func() { s.ask(b, code) })
	}
	for what, all := range took {
		slices.Sort(all)
		b.ReportMetric(millis(all[len(all)/2]), what+"-ms-p50")
		b.ReportMetric(millis(all[len(all)*99/100]), what+"-ms-p99")
	}
	b.ReportMetric(0, "ns/op")
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
