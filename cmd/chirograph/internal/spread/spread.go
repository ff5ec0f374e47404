// Package spread hands connections to several servers in turn, as a load
// balancer in front of nodes does. It looks at no byte, so that TLS and the
// certificates of clients reach the nodes.
package spread

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Spread is a listener whose connections go to targets in turn.
type Spread struct {
	listener net.Listener
	targets  []string
	next     atomic.Uint64
}

// New returns a Spread over the addresses of targets, of which there must be
// one at least.
func New(l net.Listener, targets ...string) *Spread { return &Spread{listener: l, targets: targets} }

// connectTimeout is how long a target may take before the next one is tried.
const connectTimeout = 2 * time.Second

// Run hands connections on until ctx ends; those that are open then are cut.
func (s *Spread) Run(ctx context.Context) error {
	var open sync.WaitGroup
	defer open.Wait()
	defer context.AfterFunc(ctx, func() { s.listener.Close() })()
	for {
		from, err := s.listener.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		open.Go(func() { s.hand(ctx, from) })
	}
}

func (s *Spread) hand(ctx context.Context, from net.Conn) {
	defer from.Close()
	to, err := s.dial(ctx)
	if err != nil {
		return // whoever connected sees the connection end
	}
	defer to.Close()
	defer context.AfterFunc(ctx, func() { from.Close(); to.Close() })()
	var both sync.WaitGroup
	both.Go(func() { pass(to, from) })
	both.Go(func() { pass(from, to) })
	both.Wait()
}

// dial reaches the next target, or the one after it if that is down.
func (s *Spread) dial(ctx context.Context) (net.Conn, error) {
	var all error
	d := net.Dialer{Timeout: connectTimeout}
	for range s.targets {
		target := s.targets[(s.next.Add(1)-1)%uint64(len(s.targets))]
		conn, err := d.DialContext(ctx, "tcp", target)
		if err == nil {
			return conn, nil
		}
		all = errors.Join(all, err)
	}
	return nil, all
}

// pass copies until one side ends, and says so to the other.
func pass(to, from net.Conn) {
	io.Copy(to, from)
	if half, ok := to.(*net.TCPConn); ok {
		half.CloseWrite()
	}
}
