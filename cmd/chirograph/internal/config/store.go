package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Engines of the log.
const (
	SQLite       = "sqlite"
	PostgreSQL   = "postgres"
	EventStoreDB = "eventstoredb"
)

// Where projections are kept.
const (
	PerNode = "node"
	Shared  = "shared"
)

// Shared reports whether other nodes may use the same log.
func (s Store) Shared() bool { return s.Engine != SQLite }

func (c Config) checkStore() error {
	s := c.Store
	switch {
	case !slices.Contains([]string{SQLite, PostgreSQL, EventStoreDB}, s.Engine):
		return errors.New("store.engine must be sqlite, postgres or eventstoredb")
	case !s.Shared() && s != Store{Engine: SQLite, Node: s.Node}:
		return errors.New("store.engine is sqlite, which takes no postgres and no eventstoredb")
	case s.Shared() && (s.Postgres == "") == (s.PostgresFile == ""):
		return fmt.Errorf("store.engine %s needs store.postgres or store.postgres_file, and not both", s.Engine)
	case (s.Engine == EventStoreDB) != (s.EventStoreDB != "" || s.EventStoreDBFile != ""), s.EventStoreDB != "" && s.EventStoreDBFile != "":
		return errors.New("store.eventstoredb or store.eventstoredb_file goes with store.engine eventstoredb, and not both")
	case c.Projections.Where != PerNode && c.Projections.Where != Shared:
		return errors.New("projections.where must be node or shared")
	case c.Projections.Where == Shared && !s.Shared():
		return errors.New("projections.where can be shared only where store.engine is")
	}
	return nil
}

// PostgresURL is the URL of the database, from wherever it is set.
func (s Store) PostgresURL() (string, error) { return setOrRead(s.Postgres, s.PostgresFile) }

// EventStoreDBURL is the connection string, from wherever it is set.
func (s Store) EventStoreDBURL() (string, error) {
	return setOrRead(s.EventStoreDB, s.EventStoreDBFile)
}

func setOrRead(value, file string) (string, error) {
	if file == "" {
		return value, nil
	}
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

// password is one that is given by name, in a query or among words.
var password = regexp.MustCompile(`(\bpassword=)[^&\s]*`)

// withoutPassword is a URL as it may be shown.
func withoutPassword(text string) string {
	text = password.ReplaceAllString(text, "${1}xxxxx")
	if !strings.Contains(text, "://") || !strings.Contains(text, "@") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		return "(not shown: it may hold a password, and is no URL)"
	}
	return u.Redacted()
}
