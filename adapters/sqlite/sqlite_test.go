package sqlite_test

import (
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"

	"github.com/google/uuid"
)

func TestLog(t *testing.T) {
	storetest.Run(t, storetest.Engine{
		Atomic: true,
		Open: func(t *testing.T, now func() time.Time) (eventstore.Log, func() eventstore.Log) {
			dir := t.TempDir()
			var log *sqlite.Log
			open := func() eventstore.Log {
				if log != nil {
					if err := log.Close(); err != nil {
						t.Fatal(err)
					}
				}
				log = opened(t, sqlite.Options{Dir: dir, Now: now})
				return log
			}
			return open(), open
		},
		Copy: func(t *testing.T, id uuid.UUID, now func() time.Time) eventstore.Log {
			return opened(t, sqlite.Options{Dir: t.TempDir(), ID: id, Now: now})
		},
	})
}
