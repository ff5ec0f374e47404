package dev

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// What nodes share is backed up and put back as what one node has is: the log,
// the keys and who can sign in; and an older copy is refused until somebody
// accepts the loss.
func TestWhatNodesShareIsBackedUpAndPutBack(t *testing.T) {
	for name, store := range map[string]func() config.Store{
		"PostgreSQL": func() config.Store { return config.Store{Engine: config.PostgreSQL, Postgres: pgtest.New(t)} },
		"EventStoreDB stand-in": func() config.Store {
			return config.Store{Engine: config.EventStoreDB, Postgres: pgtest.New(t), EventStoreDB: standin.New(t, standin.Options{}).URL()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := at(t, store())
			o := Options{
				Dir: c.DataDir, Once: true, Nodes: 2, Postgres: c.Store.Postgres, EventStoreDB: c.Store.EventStoreDB,
				Version: "test", Out: io.Discard, Log: slog.New(slog.DiscardHandler),
			}
			if err := Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			before, backup := timelineOf(t, c), filepath.Join(t.TempDir(), "backup")
			backUp(t, c, backup)

			elsewhere := at(t, store())
			carry(t, masterKey, c, elsewhere)
			if _, err := platform.Restored(t.Context(), options(elsewhere), platform.Restore{From: backup}); err != nil {
				t.Fatalf("put back elsewhere: %v", err)
			}
			if after := timelineOf(t, elsewhere); after != before {
				t.Errorf("put back, the log tells\n%s\nbefore it told\n%s", after, before)
			}

			goOn(t, c) // beyond what the backup has
			c.Store = store()
			_, err := platform.Restored(t.Context(), options(c), platform.Restore{From: backup})
			if _, older := errors.AsType[*ledger.RollbackError](err); !older {
				t.Fatalf("an older copy beside the newest checkpoint: %v", err)
			}
			report, err := platform.Restored(t.Context(), options(c), platform.Restore{AcceptLoss: true, Reason: "the database is gone"})
			if err != nil || report.Epoch != 2 || report.Lost == 0 {
				t.Fatalf("accepting the loss: %+v, %v", report, err)
			}
			if after := timelineOf(t, c); after != before {
				t.Errorf("after the loss the log tells\n%s\nthe backup told\n%s", after, before)
			}
		})
	}
}

// goOn adds to a log and signs for it.
func goOn(t *testing.T, c config.Config) {
	t.Helper()
	p, err := platform.Open(t.Context(), options(c))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	_, err = p.Admin.Apply(t.Context(), p.Meta(event.ActorOperator), admin.Document{Customers: []admin.Customer{
		{ID: "dora", Issuer: issuerID, Name: "Dora Late"},
	}})
	if err = errors.Join(err, p.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func backUp(t *testing.T, c config.Config, folder string) {
	t.Helper()
	p, err := platform.Open(t.Context(), options(c))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Backup(t.Context(), folder); err != nil {
		t.Fatalf("back up: %v", err)
	}
}

// carry copies a file between data folders.
func carry(t *testing.T, name string, from, to config.Config) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(from.DataDir, name))
	if err == nil {
		err = os.WriteFile(filepath.Join(to.DataDir, name), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
