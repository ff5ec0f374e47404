package eventstoredb_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
)

func BenchmarkAppend(b *testing.B) {
	log := newWorld(b, 1).open(b)
	for i := 0; b.Loop(); i++ {
		if _, err := log.Append(b.Context(), add(fmt.Sprintf("test-%d", i), eventstore.Absent(), event(i, 500))); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRedeem is three appends and two replay keys, as for a token.
func BenchmarkRedeem(b *testing.B) {
	log := newWorld(b, 1).open(b)
	for i := 0; b.Loop(); i++ {
		call := []eventstore.Append{
			add(fmt.Sprintf("authorization-%d", i), eventstore.Absent(), event(i, 500)),
			add(fmt.Sprintf("token-%d", i), eventstore.Absent(), event(i, 500)),
			add(fmt.Sprintf("refresh-%d", i), eventstore.Absent(), event(i, 500)),
		}
		call[0].Once = []eventstore.Once{once(fmt.Sprint("assertion", i)), once(fmt.Sprint("proof", i))}
		if _, err := log.Append(b.Context(), call...); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendByMany(b *testing.B) {
	log := newWorld(b, 1).open(b)
	b.SetParallelism(32)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			e := event(1, 500)
			if _, err := log.Append(b.Context(), add("test-"+e.ID.String(), eventstore.Absent(), e)); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkReadStream(b *testing.B) {
	log := newWorld(b, 1).open(b)
	if _, err := log.Append(b.Context(), add("test-1", eventstore.Absent(), event(1, 500), event(2, 500), event(3, 500), event(4, 500), event(5, 500))); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, err := range log.ReadStream(b.Context(), "test-1", 0) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkHead(b *testing.B) {
	log := newWorld(b, 1).open(b)
	fill(b, log, 10)
	for b.Loop() {
		if _, err := log.Head(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// history are events as another log has them, in streams of five.
func history(n int) (events []eventstore.Event) {
	for i := range n {
		events = append(events, eventstore.Event{
			Proposed: event(i, 500), Stream: eventstore.Stream(fmt.Sprintf("test-%d", i/5)), Revision: eventstore.Revision(i % 5),
			Position: eventstore.Position(i + 1), Leaf: int64(i), Recorded: time.Unix(int64(i), 0).UTC(),
		})
	}
	return events
}

// BenchmarkHistory imports, numbers and reads 20,000 events and tells each as
// events a second.
func BenchmarkHistory(b *testing.B) {
	const events = 20_000
	rate := func(name string, of func()) {
		began := time.Now()
		of()
		b.ReportMetric(float64(events)/time.Since(began).Seconds(), name+"/s")
	}
	for range b.N {
		w := newWorld(b, 1)
		log := w.open(b)
		all := history(events)
		rate("imported", func() {
			for i := 0; i < events; i += 1000 {
				if err := log.Import(b.Context(), all[i:i+1000]); err != nil {
					b.Fatal(err)
				}
			}
		})
		fresh := opened(b, eventstoredb.Options{URL: w.options.URL, Table: &memory.Table{}})
		rate("read", func() { read(b, fresh, 0) })
		rate("numbered", func() { settle(b, fresh) })
		log.Close()
		fresh.Close()
	}
}
