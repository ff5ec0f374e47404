package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// A binary with one more migration upgrades the data while one without it goes
// on; many of both may start at once.
func TestTwoVersionsAtOnce(t *testing.T) {
	url := pgtest.New(t)
	older, err := Open(t.Context(), Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer older.Close()
	append1 := func(e eventstore.Expect) {
		t.Helper()
		a := eventstore.Append{Stream: "test-a", Expect: e, Events: []eventstore.Proposed{{ID: uuid.New(), Type: "test.happened", Version: 1}}}
		if _, err := older.Append(t.Context(), a); err != nil {
			t.Errorf("the older one: %v", err)
		}
	}
	append1(eventstore.Absent())
	newer := append(slices.Clone(logMigrations), "ALTER TABLE event ADD COLUMN added integer; CREATE TABLE added();")
	config, err := configure(url, DefaultSchema)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := prepared(context.Background(), config, DefaultSchema, newer, uuid.Nil); err != nil {
				t.Errorf("the newer one: %v", err)
			}
		})
	}
	wg.Wait()
	append1(eventstore.At(0))
	n := 0
	for _, err := range older.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("the older one reads %d events", n)
	}
	var format *FormatError
	if _, err := Open(t.Context(), Options{URL: url}); !errors.As(err, &format) {
		t.Errorf("an older one that starts later: %v", err)
	}
}

func TestAMigrationThatFailsChangesNothing(t *testing.T) {
	url := pgtest.New(t)
	config, err := configure(url, DefaultSchema)
	if err != nil {
		t.Fatal(err)
	}
	broken := append(slices.Clone(logMigrations), "CREATE TABLE added(); SELECT nonsense")
	if err := prepared(t.Context(), config, DefaultSchema, broken, uuid.Nil); err == nil {
		t.Fatal("it did not fail")
	}
	if _, err := Open(t.Context(), Options{URL: url, ReadOnly: true}); !errors.Is(err, ErrNoLog) {
		t.Errorf("got %v", err)
	}
}
