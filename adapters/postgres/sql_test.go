package postgres_test

import (
	"database/sql"
	"errors"
	"sync"
	"testing"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
)

func openedSQL(t testing.TB, url, schema string) *sql.DB {
	t.Helper()
	db, err := postgres.OpenSQL(t.Context(), url, schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestSQL(t *testing.T) {
	url := pgtest.New(t)
	a, b := openedSQL(t, url, "chirograph_a"), openedSQL(t, url, "chirograph_b")
	for _, db := range []*sql.DB{a, b} {
		if _, err := db.Exec("CREATE TABLE x(n int)"); err != nil {
			t.Fatal("unqualified names are those of the schema:", err)
		}
	}
	if _, err := openedSQL(t, url, "chirograph_a").Exec("INSERT INTO x VALUES (1)"); err != nil {
		t.Error("a schema that is there is used:", err)
	}
	for _, bad := range []string{"", "A", "a-b", `a"b`, "1a", "a;b"} {
		if _, err := postgres.OpenSQL(t.Context(), url, bad); err == nil {
			t.Errorf("schema %q was taken", bad)
		}
	}
}

func TestSQLForReading(t *testing.T) {
	url := pgtest.New(t)
	if _, err := postgres.OpenSQLForReading(t.Context(), url, "chirograph_a"); !errors.Is(err, postgres.ErrNoSchema) {
		t.Errorf("no schema: %v", err)
	}
	if _, err := openedSQL(t, url, "chirograph_a").Exec("CREATE TABLE x(n int); INSERT INTO x VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	execute(t, url, "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END$$") // like a standby
	if _, err := postgres.OpenSQL(t.Context(), url, "chirograph_a"); err == nil {
		t.Error("a server that cannot be written to was taken for writing")
	}
	db, err := postgres.OpenSQLForReading(t.Context(), url, "chirograph_a")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.QueryRow("SELECT n FROM x").Scan(&n); n != 1 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
	if _, err := db.Exec("INSERT INTO x VALUES (2)"); err == nil {
		t.Error("it writes")
	}
}

func TestAHandleHasLimits(t *testing.T) {
	url := pgtest.New(t)
	openedSQL(t, url, "chirograph_a")
	reading, err := postgres.OpenSQLForReading(t.Context(), url, "chirograph_a")
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	for _, db := range []*sql.DB{openedSQL(t, url, "chirograph_a"), reading} {
		for _, name := range []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
			var is string
			if err := db.QueryRow("SHOW " + name).Scan(&is); err != nil || is == "0" {
				t.Errorf("%s is %s, %v", name, is, err)
			}
		}
	}
}

func TestNodesMakeTheirSchemaAtOnce(t *testing.T) {
	url := pgtest.New(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			db, err := postgres.OpenSQL(t.Context(), url, "chirograph_a")
			if err != nil {
				t.Error(err)
				return
			}
			db.Close()
		})
	}
	wg.Wait()
}

func TestAcknowledgedMeansDurable(t *testing.T) {
	url := pgtest.New(t)
	for given, want := range map[string]string{"off": "on", "local": "on", "remote_write": "on", "on": "on", "remote_apply": "remote_apply"} {
		var is string
		db := openedSQL(t, url+"&synchronous_commit="+given, "chirograph_a")
		if err := db.QueryRow("SHOW synchronous_commit").Scan(&is); err != nil || is != want {
			t.Errorf("%s: is %s, %v; want %s", given, is, err, want)
		}
	}
}
