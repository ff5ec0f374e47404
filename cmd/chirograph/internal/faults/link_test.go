package faults

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A link is the connection of one node to one server, and what may go wrong
// with it.
type link struct {
	listener net.Listener
	target   string
	answers  func(l *link, client, server net.Conn) // passes the server's bytes on
	state    atomic.Int32
	delay    atomic.Int64

	mu   sync.Mutex
	open map[net.Conn]bool
}

// States of a link.
const (
	whole   = iota
	severed // connections break, and no new ones are made
	mute    // connections are made, but no byte arrives
)

func newLink(t testing.TB, target string, answers func(*link, net.Conn, net.Conn)) *link {
	t.Helper()
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{listener: door, target: target, answers: answers, open: map[net.Conn]bool{}}
	t.Cleanup(func() { door.Close(); l.cut() })
	go func() {
		for {
			c, err := door.Accept()
			if err != nil {
				return
			}
			go l.serve(c)
		}
	}()
	return l
}

func (l *link) address() string { return l.listener.Addr().String() }

func (l *link) is(state int32) {
	was := l.state.Swap(state)
	if state == severed || was == mute { // bytes were lost in what was mute
		l.cut()
	}
}

// cut breaks what is open.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		c.Close()
	}
}

func (l *link) keep(c net.Conn) (forget func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = true
	return func() {
		c.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.open, c)
	}
}

func (l *link) serve(client net.Conn) {
	defer l.keep(client)()
	if l.state.Load() == severed {
		return
	}
	server, err := net.Dial("tcp", l.target)
	if err != nil {
		return
	}
	defer l.keep(server)()
	go func() {
		defer server.Close()
		l.pass(server, client, nil)
	}()
	l.answers(l, client, server)
}

// pass copies bytes, late if they are to be, and changed by change if there is
// one.
func (l *link) pass(to io.Writer, from io.Reader, change func([]byte)) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if d := l.delay.Load(); d > 0 {
			time.Sleep(time.Duration(d))
		}
		if n > 0 && change != nil {
			change(buffer[:n])
		}
		if n > 0 && l.send(to, buffer[:n]) != nil || err != nil {
			return
		}
	}
}

// send writes bytes, or loses them.
func (l *link) send(to io.Writer, b []byte) error {
	if l.state.Load() == mute {
		return nil
	}
	_, err := to.Write(b)
	return err
}
