package dev

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/api/samplebank"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/projections"
)

// An installation goes from engine to engine and back, and is still the same:
// its log, and what can be read of it.
func TestAnInstallationMovesFromEngineToEngine(t *testing.T) {
	dir := t.TempDir()
	quiet := slog.New(slog.DiscardHandler)
	if err := Run(t.Context(), Options{Dir: dir, Once: true, Version: "test", Out: io.Discard, Log: quiet}); err != nil {
		t.Fatal(err)
	}
	places := []config.Config{
		at(t, config.Store{Engine: config.SQLite}),
		at(t, config.Store{Engine: config.PostgreSQL, Postgres: pgtest.New(t)}),
		at(t, config.Store{Engine: config.EventStoreDB, Postgres: pgtest.New(t), EventStoreDB: standin.New(t, standin.Options{}).URL()}),
		at(t, config.Store{Engine: config.SQLite}),
	}
	places[0].DataDir = dir
	master, err := os.ReadFile(filepath.Join(dir, masterKey))
	if err != nil {
		t.Fatal(err)
	}
	before := timelineOf(t, places[0])
	for i, to := range places[1:] {
		if err := os.WriteFile(filepath.Join(to.DataDir, masterKey), master, 0o600); err != nil {
			t.Fatal(err)
		}
		move := platform.Transfer{From: options(places[i]), To: options(to), Keys: true}
		if _, err := move.Run(t.Context()); err != nil {
			t.Fatalf("to %s: %v", to.Store.Engine, err)
		}
		if after := timelineOf(t, to); after != before {
			t.Fatalf("on %s the same log tells\n%s\nbefore it told\n%s", to.Store.Engine, after, before)
		}
	}
}

func at(t *testing.T, s config.Store) config.Config {
	c := config.Default()
	c.DataDir, c.Store = t.TempDir(), s
	return c
}

func options(c config.Config) platform.Options { return platform.Options{Config: c, Version: "test"} }

// timelineOf opens a place to be served and tells what its log says about
// Alice, with what is sealed.
func timelineOf(t *testing.T, c config.Config) string {
	t.Helper()
	p, err := platform.Open(t.Context(), options(c))
	if err != nil {
		t.Fatalf("open on %s: %v", c.Store.Engine, err)
	}
	defer p.Close()
	if err := p.Current(t.Context()); err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	for e, err := range p.Projections.Audit.Timeline(t.Context(), projections.OfCustomer, samplebank.Customers()[0].Subject) {
		if err != nil {
			t.Fatal(err)
		}
		told.WriteString(e.Time.String() + " " + e.Sentence + "\n")
	}
	if !strings.Contains(told.String(), "Alice Marsh approved") {
		t.Fatalf("on %s the log tells only\n%s", c.Store.Engine, &told)
	}
	return told.String()
}
