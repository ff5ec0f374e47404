package deliveries

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A call is what the receiver was sent.
type call struct {
	client string
	bearer string
	media  string
	body   map[string]string
	raw    string
}

// A receiver plays the notification endpoints of all clients, each at the path
// with its name.
type receiver struct {
	*httptest.Server
	plays map[string]func(w http.ResponseWriter, n int) // by client; n counts its calls from 1

	mu    sync.Mutex
	calls []call
	ended chan struct{} // ends what hangs
}

func newReceiver(t *testing.T, plays map[string]func(http.ResponseWriter, int)) *receiver {
	t.Helper()
	r := &receiver{plays: plays, ended: make(chan struct{})}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(r.serve))
	r.Server.EnableHTTP2 = false // so that a handler can have the connection
	r.StartTLS()
	t.Cleanup(func() { close(r.ended); r.CloseClientConnections(); r.Close() })
	return r
}

func (r *receiver) serve(w http.ResponseWriter, q *http.Request) {
	raw, _ := io.ReadAll(io.LimitReader(q.Body, 1<<20))
	c := call{client: strings.TrimPrefix(q.URL.Path, "/"), media: q.Header.Get("Content-Type"), raw: string(raw)}
	c.bearer, _ = strings.CutPrefix(q.Header.Get("Authorization"), "Bearer ")
	var members map[string]any
	if json.Unmarshal(raw, &members) == nil {
		c.body = map[string]string{}
		for name, value := range members {
			c.body[name], _ = value.(string)
		}
	}
	r.mu.Lock()
	r.calls = append(r.calls, c)
	n := 0
	for _, other := range r.calls {
		if other.client == c.client {
			n++
		}
	}
	r.mu.Unlock()
	if play, found := r.plays[c.client]; found {
		play(w, n)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// of returns what a client was sent.
func (r *receiver) of(client string) (all []call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		if c.client == client {
			all = append(all, c)
		}
	}
	return all
}

// authority writes the receiver's certificate to a file, for the settings.
func (r *receiver) authority(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "receiver.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// answer answers with a status.
func answer(status int) func(http.ResponseWriter, int) {
	return func(w http.ResponseWriter, _ int) { w.WriteHeader(status) }
}

// raw has the connection without HTTP.
func raw(play func(net.Conn)) func(http.ResponseWriter, int) {
	return func(w http.ResponseWriter, _ int) {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			defer c.Close()
			play(c)
		}
	}
}

// hang says nothing until the test ends.
func (r *receiver) hang(http.ResponseWriter, int) { <-r.ended }

// flood answers 200 and never stops.
func (r *receiver) flood(w http.ResponseWriter, _ int) {
	w.WriteHeader(http.StatusOK)
	for bit := []byte(strings.Repeat("x", 1<<10)); ; {
		if _, err := w.Write(bit); err != nil {
			return
		}
	}
}

// dawdle begins a header and never ends it.
func (r *receiver) dawdle(w http.ResponseWriter, n int) {
	raw(func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Slow: "); <-r.ended })(w, n)
}

// trickle answers 200 and sends its body until the test ends.
func (r *receiver) trickle(w http.ResponseWriter, _ int) {
	w.WriteHeader(http.StatusOK)
	io.WriteString(w, "slow")
	http.NewResponseController(w).Flush()
	<-r.ended
}

// redirect points to an endpoint that would accept.
func (r *receiver) redirect(w http.ResponseWriter, _ int) {
	w.Header().Set("Location", r.URL+"/elsewhere")
	w.WriteHeader(http.StatusFound)
}
