package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// asCommand makes the test binary the command.
const asCommand = "STANDIN_SERVE"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A session is a run of the command in this process.
type session struct {
	t       *testing.T
	url     string
	control string
	in      io.Writer
	out     *bufio.Scanner
	ended   chan error
}

func begin(t *testing.T, args ...string) *session {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	s := &session{t: t, in: inW, out: bufio.NewScanner(outR), ended: make(chan error, 1)}
	go func() {
		s.ended <- run(context.Background(), args, inR, outW)
		outW.Close()
	}()
	s.url, s.control = s.line(), s.line()
	return s
}

func (s *session) line() string {
	s.t.Helper()
	if !s.out.Scan() {
		s.t.Fatal(<-s.ended)
	}
	return s.out.Text()
}

// say sends a line to standard input.
func (s *session) say(line string) string {
	s.t.Helper()
	if _, err := io.WriteString(s.in, line+"\n"); err != nil {
		s.t.Fatal(err)
	}
	return s.line()
}

// post sends a line by HTTP.
func (s *session) post(line string) (int, string) {
	s.t.Helper()
	r, err := http.Post(s.control, "text/plain", strings.NewReader(line))
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

func (s *session) append(id uuid.UUID, expected esdb.ExpectedRevision) error {
	config, err := esdb.ParseConnectionString(s.url + "&maxDiscoverAttempts=1000&discoveryInterval=5")
	if err != nil {
		return err
	}
	config.Logger = esdb.NoopLogging()
	c, err := esdb.NewClient(config)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.AppendToStream(context.Background(), "s", esdb.AppendToStreamOptions{ExpectedRevision: expected}, esdb.EventData{EventID: id, EventType: "a"})
	return err
}

func TestCommands(t *testing.T) {
	s := begin(t, "-nodes", "3", "-election", "1ms", "-file", filepath.Join(t.TempDir(), "log"))
	for _, line := range []string{"kill 0", "start 0", "elect 2", "mute 1", "lag 1", "catch-up 1", "slow 1ms", "heal", "shutdown 0", "start 0", "refuse 1", "drop 1", "full", "silence", "heal"} {
		if got := s.say(line); got != "done" {
			t.Errorf("%s: %s", line, got)
		}
	}
	for _, line := range []string{"kill", "kill 3", "start -1", "elect x", "lose-acks 0", "lose-acks", "slow", "dance", ""} {
		if status, got := s.post(line); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", line, status, got)
		}
	}
	if status, got := s.post("kill 1"); status != http.StatusOK || got != "done\n" {
		t.Errorf("kill 1: %d %s", status, got)
	}
	if status, _ := s.post("elect 1"); status != http.StatusBadRequest {
		t.Errorf("a dead node was elected: %d", status)
	}
	r, err := http.Get(s.control)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if body, err := io.ReadAll(r.Body); err != nil || !strings.HasPrefix(string(body), "leader 2\nconnections ") {
		t.Errorf("the state is %q, %v", body, err)
	}
	s.post("quit")
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}

// What a process acknowledged, the next one has.
func TestAFileOutlivesTheProcess(t *testing.T) {
	path, id := filepath.Join(t.TempDir(), "log"), uuid.New()
	first := begin(t, "-file", path)
	first.say("lose-acks 1")
	if err := first.append(id, esdb.NoStream{}); err == nil {
		t.Error("the acknowledgement was not lost")
	}
	first.post("quit")
	<-first.ended

	second := begin(t, "-file", path)
	if err := second.append(id, esdb.NoStream{}); err != nil {
		t.Errorf("the repeat: %v", err)
	}
	if err := second.append(uuid.New(), esdb.NoStream{}); err == nil {
		t.Error("the stream is empty")
	}
	second.post("quit")
	<-second.ended
}

// A process that is killed has written what it acknowledged.
func TestAKilledProcess(t *testing.T) {
	path, id := filepath.Join(t.TempDir(), "log"), uuid.New()
	for _, expected := range []esdb.ExpectedRevision{esdb.NoStream{}, esdb.Revision(0)} {
		child := exec.Command(os.Args[0], "-file", path)
		child.Env = append(os.Environ(), asCommand+"=1")
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		s := &session{t: t, out: bufio.NewScanner(out)}
		s.url = s.line()
		if err := s.append(id, expected); err != nil {
			t.Error(err)
		}
		child.Process.Kill()
		child.Wait()
		id = uuid.New()
	}
}

func TestArgumentsAreChecked(t *testing.T) {
	for _, args := range [][]string{{"-nodes", "2"}, {"-dance"}, {"-file", "/nowhere/at/all"}, {"-port", "70000"}} {
		if err := run(context.Background(), args, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}
