package postgres_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"

	"github.com/google/uuid"
)

func TestLog(t *testing.T) {
	url := pgtest.New(t)
	var o postgres.Options // of the log that was opened last
	schemas := 0
	fresh := func(now func() time.Time) postgres.Options {
		schemas++
		return postgres.Options{URL: url, Schema: fmt.Sprintf("log_%d", schemas), Now: now}
	}
	storetest.Run(t, storetest.Engine{
		Atomic: true,
		Open: func(t *testing.T, now func() time.Time) (eventstore.Log, func() eventstore.Log) {
			o = fresh(now)
			var log *postgres.Log
			open := func() eventstore.Log {
				if log != nil {
					if err := log.Close(); err != nil {
						t.Fatal(err)
					}
				}
				log = opened(t, o)
				return log
			}
			return open(), open
		},
		Second: func(t *testing.T, _ eventstore.Log) eventstore.Log { return opened(t, o) },
		Copy: func(t *testing.T, id uuid.UUID, now func() time.Time) eventstore.Log {
			o := fresh(now)
			o.ID = id
			return opened(t, o)
		},
	})
}

// opened is a log that is closed at the end of the test.
func opened(t testing.TB, o postgres.Options) *postgres.Log {
	t.Helper()
	log, err := postgres.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

func proposed(n, size int) eventstore.Proposed {
	id, _ := uuid.NewV7()
	return eventstore.Proposed{
		ID: id, Type: "test.happened", Version: 1,
		Data: fmt.Appendf(nil, `{"n":%d,"filler":"%s"}`, n, strings.Repeat("x", size)),
		Meta: []byte(`{"actor":"test"}`),
	}
}

func incompressible(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
