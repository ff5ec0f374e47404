package projections

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
)

// serverVariable makes the tests of this package keep their tables on a server.
const serverVariable = "CHIROGRAPH_PROJECTIONS_SERVER"

// TestOnPostgreSQL runs every test of this package once more, with tables on
// PostgreSQL.
func TestOnPostgreSQL(t *testing.T) {
	if os.Getenv(serverVariable) != "" {
		return // this is that run
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=.", "-test.timeout=10m")
	again.Env = append(os.Environ(), serverVariable+"="+pgtest.New(t))
	if out, err := again.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

var schemas atomic.Int64

// onServer opens a schema of its own, unless tables are kept in files.
func onServer(t testing.TB) (*sql.DB, bool) {
	t.Helper()
	url := os.Getenv(serverVariable)
	if url == "" {
		return nil, false
	}
	return openSchema(t, url, fmt.Sprintf("projections%d", schemas.Add(1))), true
}

func openSchema(t testing.TB, url, schema string) *sql.DB {
	t.Helper()
	db, err := postgres.OpenSQL(context.Background(), url, schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// dialect is that of the databases of these tests.
func dialect() Dialect {
	if os.Getenv(serverVariable) != "" {
		return PostgreSQL
	}
	return SQLite
}
