package pgtest

import (
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
)

// A Line is a network between a node and its server.
type Line struct {
	URL string // of the server, over this line

	dead atomic.Bool
}

// Connect lays a line to the server of a URL.
func Connect(t testing.TB, server string) *Line {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	line, host := &Line{}, u.Host
	u.Host = l.Addr().String()
	line.URL = u.String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go line.carry(c, host)
		}
	}()
	return line
}

// Die makes the line swallow everything from now on, without a word to either
// side.
func (l *Line) Die() { l.dead.Store(true) }

func (l *Line) carry(client net.Conn, host string) {
	server, err := net.Dial("tcp", host)
	if err != nil {
		client.Close()
		return
	}
	go l.copy(server, client)
	l.copy(client, server)
}

func (l *Line) copy(to io.WriteCloser, from io.Reader) {
	defer to.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if l.dead.Load() {
			continue
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}
