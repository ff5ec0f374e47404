package serve

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/fapi"
)

// served is a server behind a proxy that speaks TLS for it.
func served(t *testing.T, change func(*config.Config)) (*Server, string) {
	t.Helper()
	c := config.Default()
	c.DataDir, c.TrustedProxies, c.Drain.Delay = t.TempDir(), []string{"127.0.0.0/8"}, 0
	c.Public.Listen, c.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
	change(&c)
	bound, err := Bind(c)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(bound.Admin.Addr().String())
	c.Admin.Origin = "https://localhost:" + port
	p, err := platform.Open(t.Context(), platform.Options{Config: c, Create: true, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), p, bound)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Admin.Apply(t.Context(), p.Meta(event.ActorSystem), admin.Document{Issuers: []admin.Issuer{{
		ID: "bank", URL: "https://bank.example/fapi2", Profile: fapi.SecurityProfile.Name,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		p.Close()
	})
	return s, "http://" + bound.Public.Addr().String()
}

func get(t *testing.T, url string, header http.Header) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header, r.Host = header, "bank.example"
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return answer
}

func TestForwardedAddressesAreBelievedFromProxiesOnly(t *testing.T) {
	s := &Server{proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	tests := []struct {
		name, peer string
		headers    []string
		want       string
	}{
		{"nobody else is believed", "192.0.2.1:5", []string{"198.51.100.7"}, "192.0.2.1:5"},
		{"a proxy is", "10.0.0.1:5", []string{"198.51.100.7"}, "198.51.100.7:0"},
		{"what the client itself sent is not", "10.0.0.1:5", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7:0"},
		{"proxies behind each other", "10.0.0.1:5", []string{"198.51.100.7, 10.0.0.2"}, "198.51.100.7:0"},
		{"in several headers", "10.0.0.1:5", []string{"203.0.113.9", "198.51.100.7"}, "198.51.100.7:0"},
		{"nonsense ends it", "10.0.0.1:5", []string{"198.51.100.7, unknown"}, "10.0.0.1:5"},
		{"a proxy that says nothing", "10.0.0.1:5", nil, "10.0.0.1:5"},
		{"IPv6", "10.0.0.1:5", []string{"2001:db8::1"}, "[2001:db8::1]:0"},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		r.Header["X-Forwarded-For"] = tt.headers
		s.forwarded(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.RemoteAddr != tt.want || r.Header.Get("X-Forwarded-For") != "" {
				t.Errorf("%s: %s, %q is left", tt.name, r.RemoteAddr, r.Header.Get("X-Forwarded-For"))
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}

func TestLoopbackNames(t *testing.T) {
	for name, want := range map[string]bool{
		"localhost": true, "localhost:8443": true, "127.0.0.1:8443": true, "[::1]:8443": true, "LOCALHOST:1": true,
		"localhost.example": false, "bank.example:8443": false, "": false, "127.0.0.2:1": false,
	} {
		if got := loopbackHost(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestLimitsAnswer429ByAddress(t *testing.T) {
	_, url := served(t, func(c *config.Config) { c.Limits.Address = config.Rate{PerSecond: 0.1, Burst: 2} })
	from := func(address string) http.Header { return http.Header{"X-Forwarded-For": {address}} }
	var got []int
	var last *http.Response
	for range 3 {
		last = get(t, url+"/fapi2/jwks", from("198.51.100.7"))
		got = append(got, last.StatusCode)
	}
	if !slices.Equal(got, []int{200, 200, 429}) || last.Header.Get("Retry-After") == "" {
		t.Errorf("got %v, Retry-After %q", got, last.Header.Get("Retry-After"))
	}
	if other := get(t, url+"/fapi2/jwks", from("198.51.100.8")); other.StatusCode != 200 {
		t.Errorf("another address: %d", other.StatusCode)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	_, url := served(t, func(*config.Config) {})
	for _, path := range []string{"/fapi2/jwks", "/fapi2/login", "/fapi2/nothing", "/nothing"} {
		if h := get(t, url+path, nil).Header; h.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s has no Strict-Transport-Security: %v", path, h)
		}
	}
}

// A collector of traces notes what it is sent.
type collector struct {
	mu    sync.Mutex
	spans []byte
}

func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, body...)
}

func TestTracesLeadFromEventsToSpans(t *testing.T) {
	gathered := &collector{}
	site := httptest.NewServer(gathered)
	defer site.Close()
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	t.Run("a request", func(t *testing.T) {
		_, url := served(t, func(c *config.Config) { c.Tracing.Endpoint = site.URL + "/v1/traces" })
		answer := get(t, url+"/fapi2/jwks", http.Header{"Traceparent": {"00-" + traceID + "-00f067aa0ba902b7-01"}})
		if answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
	}) // the end of the server sends what is left
	gathered.mu.Lock()
	defer gathered.mu.Unlock()
	if raw := string(gathered.spans); !strings.Contains(raw, "chirograph") || !strings.Contains(raw, string(mustHex(traceID))) {
		t.Errorf("%d bytes of spans do not have the trace", len(raw))
	}
}

func mustHex(s string) []byte {
	out := make([]byte, len(s)/2)
	for i := range out {
		for _, c := range s[2*i : 2*i+2] {
			d := byte(c - '0')
			if c >= 'a' {
				d = byte(c-'a') + 10
			}
			out[i] = out[i]<<4 | d
		}
	}
	return out
}

func TestNotReadyWhileDraining(t *testing.T) {
	s, _ := served(t, func(*config.Config) {})
	admin := "https://" + s.listeners.address("admin")
	deadline, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for get(t, admin+"/readyz", nil).StatusCode != http.StatusOK {
		if deadline.Err() != nil {
			t.Fatal("it does not become ready")
		}
	}
	s.health.serving.Store(false)
	if answer := get(t, admin+"/readyz", nil); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("got %d", answer.StatusCode)
	}
	if answer := get(t, admin+"/livez", nil); answer.StatusCode != http.StatusOK {
		t.Errorf("it still lives: %d", answer.StatusCode)
	}
}
