package conformance

import (
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
)

// engines are what the log is kept by: one that is atomic and knows at once
// where everything is, one that is atomic and shared, and one that writes what
// belongs together one by one and numbers it later. Where there are several
// nodes each request goes to another.
var engines = []struct {
	name  string
	nodes int
	store func(*testing.T) config.Store
}{
	{"one node on SQLite", 1, func(*testing.T) config.Store { return config.Store{Engine: config.SQLite} }},
	{"three nodes on PostgreSQL", 3, func(t *testing.T) config.Store {
		return config.Store{Engine: config.PostgreSQL, Postgres: pgtest.New(t)}
	}},
	{"three nodes on EventStoreDB stand-in", 3, func(t *testing.T) config.Store {
		return config.Store{Engine: config.EventStoreDB, Postgres: pgtest.New(t), EventStoreDB: standin.New(t, standin.Options{Nodes: 3}).URL()}
	}},
}
