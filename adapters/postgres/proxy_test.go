package postgres_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// A proxy stands between a node and its server, and decides about each message
// of the server.
type proxy struct {
	url    string
	server string

	// judge is asked about each message: whether to pass it on, or else to cut
	// the connection before it. It may wait.
	judge atomic.Pointer[func(kind byte, body []byte) (pass bool)]

	drop atomic.Uint32 // messages of this kind are lost
	lost atomic.Int64  // how many were

	mu    sync.Mutex
	conns []net.Conn
}

func proxied(t *testing.T, server string) *proxy {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{server: u.Host}
	u.Host = l.Addr().String()
	p.url = u.String()
	t.Cleanup(func() { l.Close(); p.cut() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *proxy) judged(f func(kind byte, body []byte) bool) { p.judge.Store(&f) }

// cut breaks every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	go func() {
		io.Copy(server, client)
		server.Close()
	}()
	for {
		message := make([]byte, 5)
		if _, err := io.ReadFull(server, message); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(message[1:])-4)
		if _, err := io.ReadFull(server, body); err != nil {
			return
		}
		if uint32(message[0]) == p.drop.Load() {
			p.lost.Add(1)
			continue
		}
		if judge := p.judge.Load(); judge != nil && !(*judge)(message[0], body) {
			return
		}
		if _, err := client.Write(append(message, body...)); err != nil {
			return
		}
	}
}

// Kinds of messages of a server.
const (
	completed    = 'C' // with the command, "COMMIT\x00"
	notification = 'A'
)
