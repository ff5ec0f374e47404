package deliveries

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
)

const patience = 60 * time.Second // bounds every wait for something that must happen, beside the life of requests

var (
	building sync.Once
	program  string
)

func TestMain(m *testing.M) {
	code := m.Run()
	if program != "" {
		os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(code)
}

// binary is linked once.
func binary(t *testing.T) string {
	t.Helper()
	building.Do(func() {
		folder, err := os.MkdirTemp("", "chirograph-deliveries-")
		if err != nil {
			t.Fatal(err)
		}
		program = filepath.Join(folder, "chirograph")
		c := exec.Command("go", "build", "-o", program, "github.com/chirograph/chirograph/cmd/chirograph")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("build: %v\n%s", err, out)
		}
	})
	return program
}

// A node is a server, over all its processes.
type node struct {
	file          string
	public, admin string
	output        *os.File

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{}
}

// newNode prepares a server over a folder.
func newNode(t *testing.T, c config.Config) *node {
	t.Helper()
	n := &node{public: freeAddress(t), admin: freeAddress(t), file: filepath.Join(t.TempDir(), "settings.yaml")}
	c.Public.Listen, c.Admin.Listen = n.public, n.admin
	if err := os.WriteFile(n.file, c.YAML(func(string) bool { return true }), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	n.output = said
	t.Cleanup(func() {
		n.kill()
		said.Close()
	})
	return n
}

// start runs the server and returns when it is ready.
func (n *node) start(t *testing.T) {
	t.Helper()
	c := exec.Command(binary(t), "serve", "--config", n.file)
	c.Stdout, c.Stderr = n.output, n.output
	tied(c)
	ended := make(chan struct{})
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.Wait(); close(ended) }() // how it ended, whoever ends it knows
	n.mu.Lock()
	n.cmd, n.ended = c, ended
	n.mu.Unlock()
	eventually(t, "the server is ready", func() bool {
		select {
		case <-ended:
			t.Fatalf("the server has ended:\n%s", n.said(t))
		default:
		}
		answer, err := operators.Get("https://" + n.admin + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// kill ends the process at once, if there is one.
func (n *node) kill() {
	n.mu.Lock()
	c, ended := n.cmd, n.ended
	n.mu.Unlock()
	if c != nil {
		_ = c.Process.Kill() // it may have ended
		<-ended
	}
}

// stop ends it in order.
func (n *node) stop(t *testing.T) {
	t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-n.ended:
	case <-time.After(patience):
		t.Fatalf("the server does not end:\n%s", n.said(t))
	}
	if code := n.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the server ended with %d:\n%s", code, n.said(t))
	}
}

// said is what the server wrote.
func (n *node) said(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(n.output.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var operators = &http.Client{
	Timeout:   5 * time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}, // made at each start, on loopback
}

// freeAddress returns an address that nobody listens at now, below the ports
// that connections get, which could take it while its server is down.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().String()
	}
	t.Fatal("no port is free")
	return ""
}

// eventually waits for something that must become so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, done := context.WithTimeout(context.Background(), patience+*life)
	defer done()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("it does not become so that %s", what)
		}
	}
}
