package memory_test

import (
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
	"github.com/chirograph/chirograph/eventstore/storetest"

	"github.com/google/uuid"
)

func TestLog(t *testing.T) {
	storetest.Run(t, storetest.Engine{
		Atomic: true,
		Open: func(_ *testing.T, now func() time.Time) (eventstore.Log, func() eventstore.Log) {
			return memory.New(now), nil
		},
		Copy: func(_ *testing.T, id uuid.UUID, now func() time.Time) eventstore.Log { return memory.NewAs(id, now) },
	})
}
