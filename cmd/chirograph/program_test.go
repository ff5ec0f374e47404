package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary be the program, so that commands are tested
// as processes, exit codes and signals included.
const asProgram = "RUN_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A result is what a command left.
type result struct {
	out, err string
	code     int
}

func command(dir string, args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Dir = dir
	c.Env = append(os.Environ(), asProgram+"=1")
	return c
}

// chirograph runs a command to its end.
func chirograph(t *testing.T, dir string, args ...string) result {
	t.Helper()
	c := command(dir, args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), c.ProcessState.ExitCode()}
}

// ok is chirograph for a command that must succeed.
func ok(t *testing.T, dir string, args ...string) string {
	t.Helper()
	r := chirograph(t, dir, args...)
	if r.code != 0 {
		t.Fatalf("chirograph %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.err)
	}
	return r.out
}

// answer is ok for a command whose answer is JSON.
func answer[T any](t *testing.T, dir string, args ...string) (v T) {
	t.Helper()
	text := ok(t, dir, append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// A server is a process that goes on.
type server struct {
	*exec.Cmd
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps what the process says.
func (s *server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// start starts a server and waits until its admin port is told.
func start(t *testing.T, dir, data string, args ...string) *server {
	t.Helper()
	s := &server{Cmd: command(dir, args...)}
	s.Stdout, s.Stderr = s, s
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Process.Kill(); s.Wait() })
	s.awaits(t, filepath.Join(data, "admin.json"))
	return s
}

// awaits waits until the server has written a file.
func (s *server) awaits(t *testing.T, file string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		if _, err := os.Stat(file); err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the server does not start:\n%s", s.said())
		}
		poll(ctx)
	}
}

// poll waits a moment, for what another process does.
func poll(ctx context.Context) {
	timer := time.NewTimer(20 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// end asks the server to end and returns its exit code.
func (s *server) end(t *testing.T) int {
	t.Helper()
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.Wait()
	return s.ProcessState.ExitCode()
}

// ports returns ports on which nobody listens now, none of those that the
// system gives to connections.
func ports(t *testing.T, n int) (all []string) {
	t.Helper()
	for tries := 0; len(all) < n; tries++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err != nil && tries < 100 {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		all = append(all, port)
	}
	return all
}

// kept is the data folder of played stories.
const kept = ".chirograph"

// played plays the story once and returns what was printed. The data folder is
// the one that commands find by themselves.
func played(t *testing.T, dir string, at []string) string {
	t.Helper()
	return ok(t, dir, "dev", "--once", "--port", at[0], "--mtls-port", at[1], "--admin-port", at[2])
}

// consentIn returns the consent that a story was about.
func consentIn(t *testing.T, story string) string {
	t.Helper()
	_, rest, found := strings.Cut(story, "consent 0")
	if !found || len(rest) < 35 {
		t.Fatalf("no consent in %s", story)
	}
	return "0" + rest[:35]
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	src, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer dst.Close()
	if _, err := io.Copy(dst, src); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// inOrder reports the first of the parts that text lacks after the others.
func inOrder(text string, parts ...string) error {
	for _, p := range parts {
		_, rest, found := strings.Cut(text, p)
		if !found {
			return fmt.Errorf("%q does not come where it should", p)
		}
		text = rest
	}
	return nil
}
