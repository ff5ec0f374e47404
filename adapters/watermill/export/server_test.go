package export_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// A server is a nats-server of Debian's package, with JetStream on a folder of
// its own and a port that stays the same.
type server struct {
	t      *testing.T
	binary string
	folder string
	port   int
	args   []string
	run    *exec.Cmd
}

// newServer starts a server. Where there is none the test is skipped, but fails
// if CI or CHIROGRAPH_CI is set.
func newServer(t *testing.T, args ...string) *server {
	t.Helper()
	binary, err := exec.LookPath("nats-server")
	if err != nil {
		if os.Getenv("CI") != "" || os.Getenv("CHIROGRAPH_CI") != "" {
			t.Fatalf("nats-server is needed here: %v", err)
		}
		t.Skipf("no nats-server: %v; the Debian package nats-server has it", err)
	}
	s := &server{t: t, binary: binary, folder: t.TempDir(), port: freePort(t), args: args}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *server) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", s.port) }

// start starts it and waits until JetStream answers.
func (s *server) start() {
	s.t.Helper()
	s.run = exec.Command(s.binary, append([]string{
		"-a", "127.0.0.1", "-p", fmt.Sprint(s.port), "-js", "-sd", s.folder, "-l", filepath.Join(s.folder, "said"),
	}, s.args...)...)
	if err := s.run.Start(); err != nil {
		s.t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	for !s.answers() {
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(filepath.Join(s.folder, "said"))
			s.t.Fatalf("nats-server does not start:\n%s", said)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func (s *server) answers() bool {
	if len(s.args) > 0 { // it wants to know who asks
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
		if err != nil {
			return false
		}
		return c.Close() == nil
	}
	c, err := nats.Connect(s.url())
	if err != nil {
		return false
	}
	defer c.Close()
	js, err := c.JetStream()
	if err != nil {
		return false
	}
	_, err = js.AccountInfo()
	return err == nil
}

// kill ends it as a crash does.
func (s *server) kill() {
	if s.run != nil {
		s.run.Process.Kill()
		s.run.Wait()
		s.run = nil
	}
}
