package pgtest_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres/pgtest"

	"github.com/jackc/pgx/v5"
)

const role = "CHIROGRAPH_PGTEST_ROLE"

func connected(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func run(t testing.TB, c *pgx.Conn, sql string) {
	t.Helper()
	if _, err := c.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestDatabasesAreFreshAndApart(t *testing.T) {
	a, b := connected(t, pgtest.New(t)), connected(t, pgtest.New(t))
	run(t, a, "CREATE TABLE x()")
	run(t, b, "CREATE TABLE x()")
}

func TestADatabaseIsDroppedAtTheEnd(t *testing.T) {
	var gone string
	t.Run("inner", func(t *testing.T) {
		gone = pgtest.New(t)
		connected(t, gone)
	})
	if c, err := pgx.Connect(t.Context(), gone); err == nil {
		c.Close(t.Context())
		t.Error("it is still there")
	}
}

func TestWhatIsCommittedSurvives(t *testing.T) {
	s := pgtest.Start(t, pgtest.Settings{Fsync: true})
	db := s.New(t)
	run(t, connected(t, db), "CREATE TABLE x(n int)")
	for _, end := range []struct {
		name string
		end  func(testing.TB)
	}{{"being stopped", s.Stop}, {"being killed", s.Kill}} {
		run(t, connected(t, db), "INSERT INTO x VALUES (1)")
		end.end(t)
		if c, err := pgx.Connect(t.Context(), db); err == nil {
			c.Close(t.Context())
			t.Errorf("it answers after %s", end.name)
		}
		s.Run(t)
	}
	var n int
	if err := connected(t, db).QueryRow(t.Context(), "SELECT count(*) FROM x").Scan(&n); n != 2 || err != nil {
		t.Errorf("%d rows, %v; want 2", n, err)
	}
}

func TestAFullDisk(t *testing.T) {
	s := pgtest.Start(t, pgtest.Settings{FileSize: 20 << 20})
	c := connected(t, s.New(t))
	run(t, c, "CREATE TABLE x(t text)")
	const fill = "INSERT INTO x SELECT repeat(md5(n::text), 20) FROM generate_series(1, 100000) n"
	if _, err := c.Exec(t.Context(), fill); err == nil {
		t.Error("a file grew beyond the limit")
	}
	run(t, c, "SELECT count(*) FROM x")
}

// A test process that dies leaves nothing behind.
func TestNoServerIsLeftBehind(t *testing.T) {
	if os.Getenv(role) != "" {
		fmt.Println("\n" + pgtest.Start(t, pgtest.Settings{}).URL())
		select {} // until it is killed
	}
	c := exec.Command(os.Args[0], "-test.run=^TestNoServerIsLeftBehind$")
	c.Env = append(os.Environ(), role+"=hold")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Wait()
	defer c.Process.Kill()
	address := ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		if u, err := url.Parse(lines.Text()); err == nil && u.Scheme == "postgres" {
			address = u.Host
		}
	}
	if address == "" {
		t.Fatal("no server was started")
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		conn.Close()
		<-tick.C
	}
	t.Error("the server goes on")
}
