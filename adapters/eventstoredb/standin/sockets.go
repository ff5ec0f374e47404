package standin

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc/peer"
)

// sockets are the open connections of a node.
type sockets struct {
	mu   sync.Mutex
	open map[string]*socket // by the address of the caller
}

// A socket is one of them.
type socket struct {
	net.Conn
	of   *sockets
	once sync.Once
}

func (s *sockets) add(c net.Conn) net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[string]*socket{}
	}
	k := &socket{Conn: c, of: s}
	s.open[c.RemoteAddr().String()] = k
	return k
}

func (k *socket) Close() error {
	k.once.Do(func() {
		k.of.mu.Lock()
		defer k.of.mu.Unlock()
		delete(k.of.open, k.RemoteAddr().String())
	})
	return k.Conn.Close()
}

func (s *sockets) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// cut closes the connection of a caller as a dying process does: what was
// under way is lost.
func (s *sockets) cut(address string) {
	s.mu.Lock()
	k := s.open[address]
	s.mu.Unlock()
	if k == nil {
		return
	}
	if tcp, ok := k.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	k.Close()
}

// caller returns the address at the other end of a call.
func caller(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	return p.Addr.String()
}

// A door is a listener that knows its connections.
type door struct {
	net.Listener
	sockets *sockets
}

func (d door) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return d.sockets.add(c), nil
}
