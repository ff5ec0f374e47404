package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// A network that swallows everything holds up no reader for long.
func TestReadsOverASilentNetwork(t *testing.T) {
	line := pgtest.Connect(t, pgtest.New(t))
	log := opened(t, postgres.Options{URL: line.URL})
	table, err := postgres.OpenTable(t.Context(), postgres.TableOptions{URL: line.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { table.Close() })
	must(t, log, add("test-a", eventstore.Absent(), 1, 10))
	line.Die()
	reads := map[string]func(context.Context) error{
		"the head": func(ctx context.Context) error { _, err := log.Head(ctx); return err },
		"a stream": func(ctx context.Context) (last error) {
			for _, err := range log.ReadStream(ctx, "test-a", 0) {
				last = err
			}
			return last
		},
		"a table":      func(ctx context.Context) error { _, _, err := table.Tail(ctx); return err },
		"what claimed": func(ctx context.Context) error { _, err := ledger.Claimer(log).Claimed(ctx); return err },
	}
	type answer struct {
		name string
		err  error
		took time.Duration
	}
	answers := make(chan answer)
	for name, read := range reads {
		start := time.Now()
		go func() { err := read(t.Context()); answers <- answer{name, err, time.Since(start)} }()
	}
	for range reads {
		if a := <-answers; a.took > 7*time.Second || !errors.Is(a.err, eventstore.ErrUnavailable) {
			t.Errorf("%s: after %v: %v", a.name, a.took, a.err)
		}
	}
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := log.Head(soon); errors.Is(err, eventstore.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("whoever waits no longer is told %v", err)
	}
}
