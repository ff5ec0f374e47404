package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// What this binary does when a test starts it again as another process.
var roles = map[string]func(dir string) error{
	"append":    appendForever,
	"full disk": appendToAFullDisk,
	"nobody":    openAsNobody,
}

func TestMain(m *testing.M) {
	if role := os.Getenv("SQLITE_TEST_ROLE"); role != "" {
		if err := roles[role](os.Getenv("SQLITE_TEST_DIR")); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// process starts this binary in a role. It is killed at the end of the test.
func process(t *testing.T, role, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "SQLITE_TEST_ROLE="+role, "SQLITE_TEST_DIR="+dir)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	return c, bufio.NewScanner(out)
}

func proposed(n, size int) eventstore.Proposed {
	id, _ := uuid.NewV7()
	return eventstore.Proposed{
		ID: id, Type: "test.happened", Version: 1,
		Data: fmt.Appendf(nil, `{"n":%d,"filler":"%s"}`, n, strings.Repeat("x", size)),
		Meta: []byte(`{"actor":"test"}`),
	}
}

// appendForever appends from many goroutines and prints each event that was
// acknowledged.
func appendForever(dir string) error {
	log, err := sqlite.Open(sqlite.Options{Dir: dir})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for range 32 {
		go func() {
			for n := 0; ; n++ {
				p, q := proposed(n, 500), proposed(n, 50)
				_, err := log.Append(context.Background(),
					eventstore.Append{Stream: eventstore.Stream("test-" + p.ID.String()), Expect: eventstore.Absent(), Events: []eventstore.Proposed{p}},
					eventstore.Append{Stream: "test-shared", Expect: eventstore.Unchecked(), Events: []eventstore.Proposed{q}})
				if err != nil {
					failed <- err
					return
				}
				os.Stdout.WriteString(p.ID.String() + "\n" + q.ID.String() + "\n")
			}
		}()
	}
	return <-failed
}

// appendToAFullDisk appends until no file can grow any more, then checks what
// it is told.
func appendToAFullDisk(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	log, err := sqlite.Open(sqlite.Options{Dir: dir})
	if err != nil {
		return err
	}
	limit := &syscall.Rlimit{Cur: 2 << 20, Max: 2 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, limit); err != nil {
		return err
	}
	for n := 0; n < 10000; n++ {
		p := proposed(n, 1000)
		a := eventstore.Append{Stream: "test-1", Expect: eventstore.Unchecked(), Events: []eventstore.Proposed{p}}
		_, err := log.Append(context.Background(), a)
		if err == nil {
			fmt.Println(p.ID)
			continue
		}
		if !errors.Is(err, eventstore.ErrUnknownOutcome) && !errors.Is(err, eventstore.ErrHalted) {
			return fmt.Errorf("the append that failed says %w", err)
		}
		if _, err := log.Append(context.Background(), a); !errors.Is(err, eventstore.ErrHalted) {
			return fmt.Errorf("the append after it says %w", err)
		}
		for _, err := range log.ReadStream(context.Background(), "test-1", 0) {
			if err != nil {
				return fmt.Errorf("reading after it says %w", err)
			}
		}
		return nil
	}
	return errors.New("the disk was never full")
}

// openAsNobody opens a folder that it may only read.
func openAsNobody(dir string) error {
	if os.Getuid() == 0 {
		if err := syscall.Setuid(65534); err != nil {
			return err
		}
	}
	if log, err := sqlite.Open(sqlite.Options{Dir: dir}); err == nil {
		log.Close()
		return errors.New("opened for writing")
	} else if !errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("opening for writing says %w", err)
	}
	log, err := sqlite.Open(sqlite.Options{Dir: dir, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("opening for reading says %w", err)
	}
	defer log.Close()
	for e, err := range log.ReadAll(context.Background(), 0, eventstore.Filter{}) {
		if err != nil {
			return err
		}
		fmt.Println(e.ID)
	}
	_, err = log.Append(context.Background(), eventstore.Append{Stream: "test-1", Expect: eventstore.Unchecked(), Events: []eventstore.Proposed{proposed(1, 1)}})
	if !errors.Is(err, sqlite.ErrReadOnly) {
		return fmt.Errorf("appending says %w", err)
	}
	return nil
}

func opened(t testing.TB, o sqlite.Options) *sqlite.Log {
	t.Helper()
	log, err := sqlite.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// filled is a closed log with n events in streams of five.
func filled(t testing.TB, dir string, n int) {
	t.Helper()
	log := opened(t, sqlite.Options{Dir: dir, Now: func() time.Time { return time.Unix(1.7e9, 0) }})
	fill(t, log, n)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

func fill(t testing.TB, log eventstore.Log, n int) {
	t.Helper()
	for i := 0; i < n; i += 5 {
		a := eventstore.Append{Stream: eventstore.Stream("test-" + uuid.NewString()), Expect: eventstore.Absent()}
		for k := i; k < min(i+5, n); k++ {
			a.Events = append(a.Events, proposed(k, 300))
		}
		if _, err := log.Append(context.Background(), a); err != nil {
			t.Fatal(err)
		}
	}
}
