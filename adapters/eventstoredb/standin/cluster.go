package standin

import (
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Cluster is one log and the nodes that serve it.
type Cluster struct {
	options     Options
	store       *store
	nodes       []*Node
	certificate *tls.Config // nil without TLS
	ca          string      // file of the authority, "" without TLS

	mu       sync.Mutex
	leader   int // -1 without one
	epoch    int
	election *time.Timer
	closed   bool
}

// New starts a cluster that stops at the end of the test.
func New(t testing.TB, o Options) *Cluster {
	t.Helper()
	c, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// Start starts a cluster. All nodes run when it returns, and one leads.
func Start(o Options) (*Cluster, error) {
	o.setDefaults()
	if o.Nodes != 1 && o.Nodes != 3 {
		return nil, errors.New("standin: a cluster has 1 or 3 nodes")
	}
	c := &Cluster{options: o, store: newStore(o), leader: -1}
	if err := c.prepare(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	for i := range o.Nodes {
		c.nodes = append(c.nodes, newNode(c, i))
	}
	for _, n := range c.nodes {
		if err := n.listen(); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	if err := c.lead(0); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cluster) prepare() error {
	if c.options.TLS {
		if err := c.certify(); err != nil {
			return err
		}
	}
	if c.options.File != "" {
		if err := c.store.open(c.options.File); err != nil {
			return err
		}
	}
	return c.store.founded()
}

// Close kills all nodes.
func (c *Cluster) Close() error {
	c.mu.Lock()
	c.closed = true
	if c.election != nil {
		c.election.Stop()
	}
	c.mu.Unlock()
	for _, n := range c.nodes {
		n.Kill()
	}
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	var err error
	if c.store.file != nil {
		err = c.store.file.Close()
		c.store.file = nil
	}
	if c.ca != "" {
		err = errors.Join(err, os.Remove(c.ca))
		c.ca = ""
	}
	return err
}

// URL returns the connection string of the cluster: of its one node, or of
// three to ask for gossip. It ends in settings, so that more can follow: "&k=v".
func (c *Cluster) URL() string {
	var hosts []string
	for _, n := range c.nodes {
		hosts = append(hosts, n.Address())
	}
	return c.url(strings.Join(hosts, ","))
}

// URL returns the connection string of one node, whoever leads.
func (n *Node) URL() string { return n.cluster.url(n.Address()) }

func (c *Cluster) url(hosts string) string {
	user := ""
	if c.options.User != "" {
		user = url.UserPassword(c.options.User, c.options.Password).String() + "@"
	}
	if c.ca == "" {
		return "esdb://" + user + hosts + "?tls=false"
	}
	return "esdb://" + user + hosts + "?tls=true&tlsCAFile=" + c.ca
}

// Nodes returns how many there are.
func (c *Cluster) Nodes() int { return len(c.nodes) }

// Node returns a node, from 0.
func (c *Cluster) Node(i int) *Node { return c.nodes[i] }

// Inject adds a fault to every node. What it returns takes it away again. A
// fault that counts counts over all nodes.
func (c *Cluster) Inject(f Fault) (heal func()) {
	var each []func()
	for _, n := range c.nodes {
		each = append(each, n.Inject(f))
	}
	return func() {
		for _, heal := range each {
			heal()
		}
	}
}

// Heal takes all faults of all nodes away, and ends every Lag.
func (c *Cluster) Heal() {
	for _, n := range c.nodes {
		n.Heal()
	}
}

// Connections returns how many are open, on all nodes.
func (c *Cluster) Connections() (open int) {
	for _, n := range c.nodes {
		open += n.Connections()
	}
	return open
}

// Scavenge removes from $all what truncation hides and tombstones cover, and
// returns how many events went.
func (c *Cluster) Scavenge() int { return c.store.scavenge() }

// notLeader refuses with the address of the leader.
func (c *Cluster) notLeader() error {
	i := c.Leader()
	if i < 0 {
		return noLeader
	}
	host, port, err := net.SplitHostPort(c.nodes[i].Address())
	if err != nil {
		return noLeader
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return noLeader
	}
	return NotLeader(host, number)
}
