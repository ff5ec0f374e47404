package fetch

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A connection that swallows everything, such as one that a router has
// forgotten, fails who finds out, and not everybody after them.
func TestASilentConnectionIsGivenUp(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(status(http.StatusNoContent))
			server.EnableHTTP2 = http2
			server.StartTLS()
			t.Cleanup(server.Close)
			line := newLine(t, server.Listener.Addr().String())
			origin := "https://" + line.Addr().String()
			client := trusting(t, server, Options{Except: []string{origin}, Timeout: 400 * time.Millisecond})
			post := func() error {
				_, err := client.Begin(must(http.NewRequestWithContext(t.Context(), http.MethodPost, origin, strings.NewReader("{}"))), 1)
				return err
			}
			if err := post(); err != nil {
				t.Fatal(err)
			}
			line.newest.Load().Store(true)
			if post() == nil {
				t.Fatal("it did not go silent")
			}
			var err error
			for range 5 {
				if err = post(); err == nil {
					return
				}
			}
			t.Errorf("it is used again and again: %v", err)
		})
	}
}

// A line passes connections on to a server.
type line struct {
	net.Listener
	newest atomic.Pointer[atomic.Bool] // whether the newest connection swallows everything
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	l := &line{Listener: must(net.Listen("tcp", "127.0.0.1:0"))}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				return
			}
			silent := &atomic.Bool{}
			l.newest.Store(silent)
			go pass(near, far, silent)
			go pass(far, near, silent)
		}
	}()
	return l
}

func pass(from, to net.Conn, silent *atomic.Bool) {
	defer from.Close()
	defer to.Close()
	some := make([]byte, 4<<10)
	for {
		n, err := from.Read(some)
		if err != nil {
			return
		}
		if silent.Load() {
			continue
		}
		if _, err := to.Write(some[:n]); err != nil {
			return
		}
	}
}
