//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
)

// Three servers over each engine that nodes can share run the main job of a
// foreign client, each request at the next server.
func TestThreeNodes(t *testing.T) {
	for name, store := range map[string]func(*testing.T) []string{
		"PostgreSQL": func(t *testing.T) []string {
			return []string{"--store.engine=postgres", "--store.postgres=" + pgtest.New(t)}
		},
		"EventStoreDB stand-in": func(t *testing.T) []string {
			url := standin.New(t, standin.Options{Nodes: 3}).URL()
			return []string{"--store.engine=eventstoredb", "--store.postgres=" + pgtest.New(t), "--store.eventstoredb=" + url,
				"--projections.where=shared"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			nodes := startNodes(t, store(t)...)
			node := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=spec", "nodes/openid-client.test.mjs")
			node.Env = append(os.Environ(), nodes.environment()...)
			out, err := node.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, out, nodes.output())
			}
			t.Logf("%s", out)
			nodes.allServed(t)
		})
	}
}

// nodes are three servers of one installation behind a port.
type nodes struct {
	servers []*process
	ports   []int
	front   int
	folder  string // of the first, with what its clients have
	served  []*atomic.Int64
}

func startNodes(t *testing.T, store ...string) *nodes {
	t.Helper()
	dir := t.TempDir()
	n := &nodes{folder: filepath.Join(dir, "node-1")}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ports, err := freePorts(7)
	must(err)
	n.ports = ports[:3]
	must(exec.Command(program, "config", "init", "--localhost", dir).Run())
	master := filepath.Join(dir, "master.key")
	must(exec.Command(program, "config", "master-key", master).Run())
	n.front = spread(t, n)
	for i := range 3 {
		flags := append([]string{"serve",
			fmt.Sprintf("--data_dir=%s", filepath.Join(dir, fmt.Sprintf("node-%d", i+1))),
			fmt.Sprintf("--public.listen=127.0.0.1:%d", n.ports[i]), "--mtls.listen=",
			"--public.tls.cert=" + filepath.Join(dir, "server.pem"), "--public.tls.key=" + filepath.Join(dir, "server.key"),
			fmt.Sprintf("--admin.listen=127.0.0.1:%d", ports[3+i]), "--admin.origin=https://localhost:9443",
			"--keys.master_key_file=" + master, fmt.Sprintf("--store.node=node-%d", i+1), "--drain.delay=0s",
		}, store...)
		p, err := start(exec.Command(program, flags...), dir, os.Environ())
		must(err)
		n.servers = append(n.servers, p)
		t.Cleanup(func() {
			if err := p.stop(); err != nil {
				t.Error(err)
			}
		})
	}
	for _, p := range n.servers { // they were started at the same time, over an empty store
		must(p.waitFor(`"msg":"serving"`, time.Minute))
	}
	for _, name := range []string{"budgetly.jwk.json", "samplebank-rs.jwk.json"} {
		text, err := os.ReadFile(filepath.Join(bank.folder, name))
		must(err)
		must(os.WriteFile(filepath.Join(n.folder, name), text, 0o600))
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	must(err)
	must(os.WriteFile(filepath.Join(n.folder, "ca.pem"), ca, 0o600))
	return n
}

func (n *nodes) environment() []string {
	return []string{
		fmt.Sprintf("E2E_PORT=%d", n.front), "E2E_NODES=3",
		"E2E_FOLDER=" + n.folder, "E2E_SCRATCH=" + filepath.Dir(n.folder), "E2E_PROGRAM=" + program,
	}
}

func (n *nodes) output() string {
	var all strings.Builder
	for i, p := range n.servers {
		fmt.Fprintf(&all, "node %d\n%s\n", i+1, p.output())
	}
	return all.String()
}

// allServed demands that the work was spread.
func (n *nodes) allServed(t *testing.T) {
	for i, served := range n.served {
		if count := served.Load(); count < 20 {
			t.Errorf("node %d had %d connections", i+1, count)
		}
	}
}

// spread hands connections to the nodes in turn, and returns its port.
func spread(t *testing.T, n *nodes) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	t.Cleanup(func() { end(); l.Close() })
	for range n.ports {
		n.served = append(n.served, new(atomic.Int64))
	}
	go func() {
		for next := 0; ; next = (next + 1) % len(n.ports) {
			from, err := l.Accept()
			if err != nil {
				return
			}
			n.served[next].Add(1)
			go hand(ctx, from, fmt.Sprintf("127.0.0.1:%d", n.ports[next]))
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func hand(ctx context.Context, from net.Conn, target string) {
	defer from.Close()
	to, err := new(net.Dialer).DialContext(ctx, "tcp", target)
	if err != nil {
		return
	}
	defer to.Close()
	defer context.AfterFunc(ctx, func() { from.Close(); to.Close() })()
	answered := make(chan struct{})
	go func() { io.Copy(from, to); from.Close(); close(answered) }()
	io.Copy(to, from)
	to.(*net.TCPConn).CloseWrite()
	<-answered
}
