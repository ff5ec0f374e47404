package faults

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
)

// A node is one server of an installation, over all its processes.
type node struct {
	name          string
	dir, file     string
	public, admin string
	links         []*link // to PostgreSQL, then to EventStoreDB
	said          output
	*process
}

// patience bounds every wait for something that must happen.
const patience = 60 * time.Second

// newNode prepares a node that reaches its databases over links of its own.
func newNode(t testing.TB, i int, dir, master, admin string, store config.Store) *node {
	t.Helper()
	n := &node{name: fmt.Sprintf("node-%d", i+1), public: freeAddress(t), admin: admin}
	if i > 0 {
		n.admin = freeAddress(t)
	}
	t.Cleanup(func() {
		if n.process != nil {
			n.kill()
		}
	})
	n.dir, n.file = filepath.Join(dir, n.name), filepath.Join(dir, n.name+".yaml")
	store.Node = n.name
	c := settings(n.dir, master, admin, store)
	c.Public.Listen, c.Admin.Listen = n.public, n.admin
	if err := os.WriteFile(n.file, c.YAML(func(string) bool { return true }), 0o600); err != nil {
		t.Fatal(err)
	}
	return n
}

// settings are those of every node; the bank's TLS ends before it.
func settings(dir, master, adminAddress string, store config.Store) config.Config {
	c := config.Default()
	c.DataDir, c.Store = dir, store
	c.TrustedProxies = []string{"127.0.0.0/8"}
	c.Public.Listen, c.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
	_, port, _ := net.SplitHostPort(adminAddress)
	c.Admin.Origin = "https://localhost:" + port
	c.Keys.MasterKeyFile = master
	c.Limits = config.Limits{Buckets: c.Limits.Buckets}
	c.Checkpoints.Interval = admin.Duration(2 * time.Second)
	c.Log.Level = "warn"
	c.Drain.Delay = admin.Duration(300 * time.Millisecond)
	return c
}

// freeAddress returns an address that nobody listens at now.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 { // below the ports that connections get, which could take it while its node is down
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

// start runs a binary and returns when the node is ready.
func (n *node) start(t testing.TB, b build) {
	t.Helper()
	n.begin(t, b)
	n.await(t)
}

func (n *node) begin(t testing.TB, b build) {
	t.Helper()
	fmt.Fprintf(&n.said, "\n---- %s starts, version %s, clock %q\n", n.name, b.version, b.clock)
	n.process = run(t, program(t, b), &n.said, "serve", "--config", n.file)
}

func (n *node) await(t testing.TB) {
	t.Helper()
	eventually(t, n.name+" is ready", func() bool {
		select {
		case <-n.ended:
			t.Fatalf("%s has ended:\n%s", n.name, n.said.tail(4000))
		default:
		}
		status, _ := n.ask("/readyz")
		return status == http.StatusOK
	})
}

// stop ends the node in order.
func (n *node) stop(t testing.TB) {
	t.Helper()
	n.signal(t, syscall.SIGTERM)
	select {
	case <-n.ended:
	case <-time.After(patience):
		t.Fatalf("%s does not end:\n%s", n.name, n.said.tail(4000))
	}
	if code := n.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("%s ended with %d:\n%s", n.name, code, n.said.tail(4000))
	}
}

var operators = &http.Client{
	Timeout:   5 * time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}, // made at each start, on loopback
}

// ask reads from the admin port what needs no credential.
func (n *node) ask(path string) (status int, text string) {
	answer, err := operators.Get("https://" + n.admin + path)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	raw, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, string(raw)
}

// gauge reads a number of the metrics, -1 if it is not there.
func (n *node) gauge(name string) (value float64) {
	_, text := n.ask("/metrics")
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			fmt.Sscan(rest, &value)
			return value
		}
	}
	return -1
}

// eventually waits for something that must become so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	ctx, done := context.WithTimeout(context.Background(), patience)
	defer done()
	for !is() {
		if !pause(ctx, 50*time.Millisecond) {
			t.Fatalf("it does not become so that %s", what)
		}
	}
}

// pause waits, and reports whether ctx still lasts.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
