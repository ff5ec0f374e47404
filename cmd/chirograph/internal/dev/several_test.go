package dev

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
)

func TestSeveralNodesPlayTheStory(t *testing.T) {
	for name, eventstoredb := range map[string]func(*testing.T) string{
		"over PostgreSQL":            func(*testing.T) string { return "" },
		"over EventStoreDB stand-in": func(t *testing.T) string { return standin.New(t, standin.Options{Nodes: 3}).URL() },
	} {
		t.Run(name, func(t *testing.T) {
			var told, log bytes.Buffer
			o := Options{
				Dir: t.TempDir(), Once: true, Nodes: 3, Postgres: pgtest.New(t), EventStoreDB: eventstoredb(t), Version: "test",
				Out: &told, Log: slog.New(slog.NewTextHandler(&log, nil)),
			}
			if err := Run(t.Context(), o); err != nil {
				t.Fatalf("%v\n%s\n%s", err, &told, &log)
			}
			if !strings.Contains(told.String(), "nothing altered") {
				t.Errorf("the story was not verified:\n%s", &told)
			}
		})
	}
}

func TestTwoNodesDoNotShareAFolder(t *testing.T) {
	c := at(t, config.Store{Engine: config.PostgreSQL, Postgres: pgtest.New(t)})
	if _, err := keys.OpenMaster(filepath.Join(c.DataDir, masterKey), true); err != nil {
		t.Fatal(err)
	}
	o := options(c)
	o.Create = true
	first, err := platform.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := platform.Open(t.Context(), o); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("a second node in the folder: %v", err)
	}
	o.Config.DataDir = t.TempDir()
	o.Config.Keys.MasterKeyFile = filepath.Join(c.DataDir, masterKey)
	second, err := platform.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("a second node in a folder of its own: %v", err)
	}
	if err := errors.Join(second.Close(), first.Close()); err != nil {
		t.Error(err)
	}
}
