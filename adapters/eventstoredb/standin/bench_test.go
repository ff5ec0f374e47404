package standin_test

import (
	"fmt"
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func BenchmarkAppend(b *testing.B) {
	_, c := start(b, standin.Options{})
	for i := range b.N {
		c.must(fmt.Sprintf("s-%d", i), esdb.NoStream{}, event("a"))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
}

func BenchmarkReadAll(b *testing.B) {
	const total = 20_000
	_, c := start(b, standin.Options{})
	for range total / 100 {
		var events []esdb.EventData
		for range 100 {
			events = append(events, event("a"))
		}
		c.must("s", esdb.Any{}, events...)
	}
	for b.Loop() {
		got, err := c.readAll(esdb.ReadAllOptions{From: esdb.Start{}}, 1<<40)
		if err != nil || len(got) < total {
			b.Fatal(len(got), err)
		}
	}
	b.ReportMetric(float64(b.N)*total/b.Elapsed().Seconds(), "events/s")
}
