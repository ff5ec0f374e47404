package platform

import (
	"errors"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/installation"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// A node that is overtaken by another that begins goes on with what is there,
// unless it is made for something else.
func TestBeginningIsOvertaken(t *testing.T) {
	tests := []struct {
		name, first, second string
		good                bool
	}{
		{"by one that does the same", installation.Production, installation.Production, true},
		{"by one of another purpose", installation.Development, installation.Production, false},
		{"by any, if any will do", installation.Development, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log := &storetest.Interrupted{Log: memory.New(time.Now)}
			node := func(purpose string) *Platform {
				codec := &eventstore.Codec{Registry: catalogue.Events, Keys: &memory.Keys{}, Log: log.ID()}
				return &Platform{Options: Options{Purpose: purpose}, Journal: &eventstore.Journal{Log: log, Codec: codec}}
			}
			log.Before(1, func() {
				if err := node(tt.first).begin(t.Context()); err != nil {
					t.Error(err)
				}
			})
			late := node(tt.second)
			err := late.begin(t.Context())
			if _, refused := errors.AsType[*PurposeError](err); refused == tt.good || tt.good && err != nil || late.fresh {
				t.Errorf("got %v", err)
			}
			if head, _ := log.Head(t.Context()); head != 1 {
				t.Errorf("%d events", head)
			}
		})
	}
}
