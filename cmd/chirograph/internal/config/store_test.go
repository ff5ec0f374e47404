package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStoresThatCannotBe(t *testing.T) {
	for name, row := range map[string]struct {
		set  func(*Config)
		want string
	}{
		"an engine that is none": {
			func(c *Config) { c.Store.Engine = "mysql" }, "store.engine must be sqlite, postgres or eventstoredb",
		},
		"a database that one node does not use": {
			func(c *Config) { c.Store.Postgres = "postgres://db" }, "store.engine is sqlite, which takes no postgres and no eventstoredb",
		},
		"PostgreSQL without a database": {
			func(c *Config) { c.Store.Engine = PostgreSQL }, "store.engine postgres needs store.postgres or store.postgres_file, and not both",
		},
		"the database said twice": {
			func(c *Config) { c.Store = Store{Engine: PostgreSQL, Postgres: "postgres://db", PostgresFile: "url"} },
			"store.engine postgres needs store.postgres or store.postgres_file, and not both",
		},
		"EventStoreDB without PostgreSQL": {
			func(c *Config) { c.Store = Store{Engine: EventStoreDB, EventStoreDB: "esdb://n1"} },
			"store.engine eventstoredb needs store.postgres or store.postgres_file, and not both",
		},
		"EventStoreDB without a server": {
			func(c *Config) { c.Store = Store{Engine: EventStoreDB, Postgres: "postgres://db"} },
			"store.eventstoredb or store.eventstoredb_file goes with store.engine eventstoredb, and not both",
		},
		"a server that PostgreSQL does not use": {
			func(c *Config) {
				c.Store = Store{Engine: PostgreSQL, Postgres: "postgres://db", EventStoreDB: "esdb://n1"}
			},
			"store.eventstoredb or store.eventstoredb_file goes with store.engine eventstoredb, and not both",
		},
		"projections nowhere": {
			func(c *Config) { c.Projections.Where = "here" }, "projections.where must be node or shared",
		},
		"shared projections of one node": {
			func(c *Config) { c.Projections.Where = Shared }, "projections.where can be shared only where store.engine is",
		},
	} {
		c := Default()
		row.set(&c)
		if err := c.checkStore(); err == nil || err.Error() != row.want {
			t.Errorf("%s: got %v, want %s", name, err, row.want)
		}
	}
}

func TestTheStoreMayBeNamedInAFile(t *testing.T) {
	url := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(url, []byte("postgres://u:secret@db/chirograph\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := Read(Sources{File: file(t, "store: {engine: postgres, postgres_file: "+url+"}\n")})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Store.PostgresURL(); err != nil || got != "postgres://u:secret@db/chirograph" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestPasswordsAreNotShown(t *testing.T) {
	for text, want := range map[string]string{
		"postgres://u:secret@db/chirograph":      "postgres://u:xxxxx@db/chirograph",
		"esdb://u:secret@n1:2113,n2:2113?a=b":    "esdb://u:xxxxx@n1:2113,n2:2113?a=b",
		"host=db user=u password=secret port=5":  "host=db user=u password=xxxxx port=5",
		"postgres://db/c?password=secret&user=u": "postgres://db/c?password=xxxxx&user=u",
		"https://localhost:9443":                 "https://localhost:9443",
	} {
		if got := withoutPassword(text); got != want {
			t.Errorf("%s is shown as %s, want %s", text, got, want)
		}
	}
}

func TestSettingsWithSignsOfYAMLAreRead(t *testing.T) {
	c := Default()
	c.Store = Store{Engine: PostgreSQL, Postgres: "postgres://u:a#b: c@db/x"}
	path := file(t, string(c.YAML(func(string) bool { return true })))
	got, _, err := Read(Sources{File: path})
	if err != nil || got.Store.Postgres != c.Store.Postgres {
		t.Errorf("got %q, %v", got.Store.Postgres, err)
	}
}
