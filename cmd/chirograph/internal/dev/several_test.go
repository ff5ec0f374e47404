package dev

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
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
