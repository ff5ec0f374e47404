// Package pgtest gives tests PostgreSQL databases: of the server that
// CHIROGRAPH_POSTGRES names, or of one that each test process starts from the
// binaries it finds and that ends with the process, however that ends.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Variable names the environment variable with the URL of a server that is to
// be used, with the right to create databases.
const Variable = "CHIROGRAPH_POSTGRES"

const patience = 30 * time.Second

// New returns the URL of a fresh, empty database, which is dropped at the end
// of the test. Where there is no PostgreSQL the test is skipped, but fails if
// CI or CHIROGRAPH_CI is set. Nothing of what it holds survives a crash.
func New(t testing.TB) string {
	t.Helper()
	if given := os.Getenv(Variable); given != "" {
		return database(t, given)
	}
	s, err := shared()
	if err != nil {
		unavailable(t, err)
	}
	return s.New(t)
}

// shared starts the server of this test process when it is first needed.
var shared = sync.OnceValues(func() (*Server, error) {
	return begin(Settings{Config: map[string]string{
		"synchronous_commit": "on", // without fsync it costs nothing
		"full_page_writes":   "off",
		"autovacuum":         "off",
	}})
})

func unavailable(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") != "" || os.Getenv("CHIROGRAPH_CI") != "" {
		t.Fatalf("PostgreSQL is needed here: %v", err)
	}
	t.Skipf("no PostgreSQL: %v; set %s to use a server", err, Variable)
}

// database makes a database on a server and drops it when the test ends.
func database(t testing.TB, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is no URL", Variable)
	}
	name := "chirograph_test_" + strings.ToLower(rand.Text()[:12])
	if err := administer(server, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() { _ = administer(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	if query := u.Query(); !query.Has("sslmode") { // as of a server that is started here
		query.Set("sslmode", "disable")
		u.RawQuery = query.Encode()
	}
	return u.String()
}

func administer(server, sql string) error {
	ctx, done := context.WithTimeout(context.Background(), patience)
	defer done()
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, sql)
	return err
}
