package standin

import (
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// A Node is one server of a cluster. Its methods may be called at any time
// from anywhere.
type Node struct {
	streams.UnimplementedStreamsServer
	cluster *Cluster
	index   int
	id      uuid.UUID
	faults  faults
	sockets sockets
	header  atomic.Pointer[metadata.MD] // of the last call

	turns   sync.Mutex // Start, Kill and Shutdown, one at a time
	mu      sync.Mutex
	address string
	door    net.Listener
	server  *grpc.Server // nil while it is down
	closing bool         // shut down, and not dead yet
	horizon uint64       // everything, or where it stopped to replicate
	mute    chan struct{}
}

func newNode(c *Cluster, index int) *Node {
	address := "127.0.0.1:0"
	if c.options.Port != 0 {
		address = net.JoinHostPort("127.0.0.1", strconv.Itoa(c.options.Port+index))
	}
	return &Node{cluster: c, index: index, id: uuid.New(), address: address, horizon: everything, mute: make(chan struct{})}
}

// Address returns host and port, the same ones after every start.
func (n *Node) Address() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.address
}

// Start brings a node up that was killed or shut down. A node that runs stays
// as it is.
func (n *Node) Start() error {
	n.turns.Lock()
	defer n.turns.Unlock()
	n.mu.Lock()
	running, closing := n.server != nil, n.closing
	n.mu.Unlock()
	if running && !closing {
		return nil
	}
	n.stop()
	if err := n.listen(); err != nil {
		return err
	}
	n.cluster.joined()
	return nil
}

// Kill ends a node as a crash does: its connections are cut, its port closed.
func (n *Node) Kill() {
	n.turns.Lock()
	n.stop()
	n.turns.Unlock()
	n.cluster.left(n)
}

func (n *Node) stop() {
	n.mu.Lock()
	server, l := n.server, n.door
	n.server, n.closing = nil, false
	n.mu.Unlock()
	if server == nil {
		return
	}
	l.Close() // before the server has taken it over, perhaps
	server.Stop()
}

// Shutdown ends a node as an operator does. It takes no connections and no
// calls, but those that are open stay open, and its subscriptions fall silent
// without a word. Kill or Start end it.
func (n *Node) Shutdown() {
	n.turns.Lock()
	n.mu.Lock()
	if n.server != nil && !n.closing {
		n.closing = true
		go n.server.GracefulStop() // returns when the last subscriber has gone
	}
	n.mu.Unlock()
	n.Mute()
	n.turns.Unlock()
	n.cluster.left(n)
}

// Mute silences the subscriptions that are open. New ones are not.
func (n *Node) Mute() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.mute)
	n.mute = make(chan struct{})
}

// Lag stops replication: the node serves the log as it is now until it catches
// up, is killed or is elected.
func (n *Node) Lag() {
	n.cluster.store.mu.RLock()
	defer n.cluster.store.mu.RUnlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.horizon = n.cluster.store.end
}

// CatchUp ends Lag.
func (n *Node) CatchUp() {
	n.mu.Lock()
	n.horizon = everything
	n.mu.Unlock()
	n.cluster.store.mu.Lock()
	defer n.cluster.store.mu.Unlock()
	n.cluster.store.wake()
}

// Inject adds a fault to this node. What it returns takes it away again.
func (n *Node) Inject(f Fault) (heal func()) { return n.faults.inject(f) }

// Heal takes all faults of this node away, and ends Lag.
func (n *Node) Heal() {
	n.faults.set(func([]*Fault) []*Fault { return nil })
	n.CatchUp()
}

// Connections returns how many are open.
func (n *Node) Connections() int { return n.sockets.count() }

// Header returns the metadata of the last call of the Streams service.
func (n *Node) Header() metadata.MD {
	if md := n.header.Load(); md != nil {
		return *md
	}
	return nil
}

// view is what the node shows now.
func (n *Node) view() view {
	n.mu.Lock()
	defer n.mu.Unlock()
	return view{n.cluster.store, n.horizon}
}

// serving reports whether the node answers calls, and whether it runs at all.
func (n *Node) serving() (serves, runs bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server != nil && !n.closing, n.server != nil
}

// silenced returns a channel that is closed when subscriptions that are open
// now fall silent.
func (n *Node) silenced() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mute
}
