package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// What this binary does when a test starts it again as another process.
var roles = map[string]func(url string) error{
	"lead": leadForever,
}

func TestMain(m *testing.M) {
	if role := os.Getenv("POSTGRES_TEST_ROLE"); role != "" {
		if err := roles[role](os.Getenv("POSTGRES_TEST_URL")); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// process starts this binary in a role, to be killed at the end of the test,
// and returns how to read the lines that it prints.
func process(t *testing.T, role, url string) (c *exec.Cmd, said func() string) {
	t.Helper()
	c = exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "POSTGRES_TEST_ROLE="+role, "POSTGRES_TEST_URL="+url)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	lines := bufio.NewScanner(out)
	return c, func() string { lines.Scan(); return lines.Text() }
}

// eventually demands that something becomes true within half a minute.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("it never becomes true that %s", what)
		}
	}
}

func execute(t testing.TB, url, sql string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
