package fetch

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// tpp is a third party's server. Its certificate is for example.com and
// 127.0.0.1.
func tpp(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func trusting(t *testing.T, server *httptest.Server, o Options) *Client {
	t.Helper()
	o.Roots = x509.NewCertPool()
	o.Roots.AddCert(server.Certificate())
	if o.Now == nil {
		o.Now = func() time.Time { return noon }
	}
	client, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.http.CloseIdleConnections)
	return client
}

func jsonOf(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	}
}

// status answers with JSON that is complete but for its status.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
		io.WriteString(w, "{}")
	}
}

func TestDocument(t *testing.T) {
	server := tpp(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json; charset=utf-8")
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Cache-Control", "public, max-age=120")
		fmt.Fprintf(w, `{"agent":%q,"encoding":%q}`, r.UserAgent(), r.Header.Get("Accept-Encoding"))
	})
	client := trusting(t, server, Options{Except: []string{server.URL}})
	got, err := client.Document(t.Context(), server.URL+"/jwks?v=1")
	if err != nil || string(got.Body) != `{"agent":"chirograph","encoding":""}` || got.ETag != `"v1"` || got.MaxAge != 2*time.Minute || !got.FetchedAt.Equal(noon) {
		t.Errorf("got %s %+v, %v", got.Body, got, err)
	}
}

// Of an answer that matters by its status alone no more is read than is wanted,
// and none is waited for.
func TestBeginReadsOnlyTheBeginning(t *testing.T) {
	server := tpp(t, func(w http.ResponseWriter, r *http.Request) {
		for range 1000 {
			io.WriteString(w, strings.Repeat("x", 1000))
		}
		http.NewResponseController(w).Flush()
		<-r.Context().Done() // it never ends
	})
	client := trusting(t, server, Options{Except: []string{server.URL}, Timeout: time.Second})
	got, err := client.Begin(must(http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("{}"))), 10)
	if err != nil || got.Status != http.StatusOK || string(got.Body) != "xxxxxxxxxx" {
		t.Errorf("got %d with %d bytes, %v", got.Status, len(got.Body), err)
	}
}

func TestHeadersAreBounded(t *testing.T) {
	server := tpp(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 2*maxHeaders))
	})
	client := trusting(t, server, Options{Except: []string{server.URL}})
	got, err := client.Begin(must(http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, nil)), 10)
	if err == nil {
		t.Errorf("got %d with headers of %d bytes", got.Status, len(got.Header.Get("X-Long")))
	}
}

func TestDocumentRefusesAnswers(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		err     error
	}{
		{"a body of 256 KiB is read", jsonOf(strings.Repeat(" ", maxBody)), nil},
		{"but none longer", jsonOf(strings.Repeat(" ", maxBody+1)), ErrAnswer},
		{"a redirect is not followed", status(http.StatusFound), ErrAnswer},
		{"an error is no document", status(http.StatusInternalServerError), ErrAnswer},
		{"nor is a part of one", status(http.StatusPartialContent), ErrAnswer},
		{"a page is no document", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", "text/html") }, ErrAnswer},
		{"nor is what says nothing of itself", func(w http.ResponseWriter, r *http.Request) { w.Header()["Content-Type"] = nil }, ErrAnswer},
		{"an answer that never comes is given up", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, context.DeadlineExceeded},
		{"as is one that never ends", func(w http.ResponseWriter, r *http.Request) {
			jsonOf("{")(w, r)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, context.DeadlineExceeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("/", tt.handler)
			mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { t.Error("went elsewhere") })
			server := tpp(t, mux.ServeHTTP)
			timeout := defaultTimeout
			if tt.err == context.DeadlineExceeded {
				timeout = 100 * time.Millisecond
			}
			client := trusting(t, server, Options{Except: []string{server.URL}, Timeout: timeout})
			if _, err := client.Document(t.Context(), server.URL); !errors.Is(err, tt.err) {
				t.Errorf("got %v; want %v", err, tt.err)
			}
		})
	}
}

func TestDocumentRefusesURLs(t *testing.T) {
	server := tpp(t, jsonOf("{}"))
	client := trusting(t, server, Options{Except: []string{server.URL}})
	for name, url := range map[string]string{
		"plain http":          strings.Replace(server.URL, "https", "http", 1),
		"another scheme":      "file:///etc/passwd",
		"user information":    strings.Replace(server.URL, "https://", "https://u:p@", 1),
		"a fragment":          server.URL + "#a",
		"no host":             "https:///jwks",
		"no URL":              "https://%zz",
		"a relative URL":      "/jwks",
		"an endless URL":      server.URL + "/" + strings.Repeat("a", maxURL),
		"a control character": server.URL + "/\n",
	} {
		if _, err := client.Document(t.Context(), url); !errors.Is(err, ErrURL) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAddressIsCheckedAtConnect(t *testing.T) {
	server := tpp(t, jsonOf("{}"))
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	named := "https://example.com:" + port
	tests := []struct {
		name    string
		url     string
		except  []string
		address string // of every name
		err     error
	}{
		{"loopback is refused", server.URL, nil, "", ErrAddress},
		{"as is a name for it", "https://localhost:" + port, nil, "", ErrAddress},
		{"and a public name that leads to it", named, nil, "127.0.0.1", ErrAddress},
		{"or into a private network", "https://example.com", nil, "10.0.0.1", ErrAddress},
		{"or to a cloud's metadata", "https://example.com", nil, "169.254.169.254", ErrAddress},
		{"an excepted origin may be anywhere", named, []string{named}, "127.0.0.1", nil},
		{"in any case of its name", "https://Example.com:" + port, []string{named}, "127.0.0.1", nil},
		{"another port of it may not", named, []string{"https://example.com"}, "127.0.0.1", ErrAddress},
		{"nor another name of its address", server.URL, []string{named}, "127.0.0.1", ErrAddress},
		{"IPv4 in IPv6 is IPv4", "https://[::ffff:127.0.0.1]:" + port, nil, "", ErrAddress},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Except: tt.except}
			if tt.address != "" {
				o.Resolver = everyName(net.ParseIP(tt.address).To4())
			}
			if _, err := trusting(t, server, o).Document(t.Context(), tt.url); !errors.Is(err, tt.err) {
				t.Errorf("got %v; want %v", err, tt.err)
			}
		})
	}
}

// everyName resolves every name to one address.
func everyName(ip net.IP) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			for {
				var size [2]byte
				if _, err := io.ReadFull(there, size[:]); err != nil {
					return
				}
				query := make([]byte, binary.BigEndian.Uint16(size[:]))
				if _, err := io.ReadFull(there, query); err != nil {
					return
				}
				answer := resolve(query, ip)
				there.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
			}
		}()
		return here, nil
	}}
}

// resolve answers a DNS query (RFC 1035, Section 4.1): A with ip, others with
// nothing.
func resolve(query []byte, ip net.IP) []byte {
	end := 12
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 5
	answers := byte(0)
	if query[end-3] == 1 {
		answers = 1
	}
	message := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0}, query[12:end]...)
	if answers == 1 {
		message = append(message, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
		message = append(message, ip...)
	}
	return message
}

func TestStrangersCertificateIsRefused(t *testing.T) {
	server := tpp(t, jsonOf("{}"))
	client, err := New(Options{Except: []string{server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Document(t.Context(), server.URL)
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); !unknown {
		t.Errorf("got %v", err)
	}
}

func TestErrorsHideTheQuery(t *testing.T) {
	server := tpp(t, jsonOf("{}"))
	_, err := trusting(t, server, Options{}).Document(t.Context(), server.URL+"/?token=s3cret")
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
}

func TestNoProxy(t *testing.T) {
	client, err := New(Options{})
	if err != nil || client.http.Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy would be asked")
	}
	if client.timeout != 3*time.Second {
		t.Errorf("got timeout %v", client.timeout)
	}
}

func TestJSONType(t *testing.T) {
	for header, want := range map[string]bool{
		"application/json": true, "Application/JSON;charset=utf-8": true, "application/jwk-set+json": true,
		"application/xml": false, "text/plain": false, "text/x+json": false, "application/jsonp": false, "": false, "application/json;;=": false,
	} {
		if got := jsonType(header); got != want {
			t.Errorf("%q: got %v", header, got)
		}
	}
}

func TestHostPort(t *testing.T) {
	for origin, want := range map[string]string{
		"https://A.example": "a.example:443", "https://a.example:443": "a.example:443", "https://a.example:8443": "a.example:8443", "https://[::1]": "[::1]:443",
	} {
		if got := hostPort(must(parseURL(origin))); got != want {
			t.Errorf("%s: got %s", origin, got)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestNewRefusesExceptionsThatAreNoOrigin(t *testing.T) {
	for _, except := range []string{"http://a.example", "https://a.example/", "https://a.example/b", "https://a.example?", "a.example:443", "*", ""} {
		if _, err := New(Options{Except: []string{except}}); !errors.Is(err, ErrURL) {
			t.Errorf("%q: got %v", except, err)
		}
	}
}

func TestMaxAge(t *testing.T) {
	tests := []struct {
		header string
		want   time.Duration
	}{
		{"", -1},
		{"public", -1},
		{"max-age=60", time.Minute},
		{`Public, Max-Age="60"`, time.Minute},
		{"max-age=99999999999999999999", (1<<31 - 1) * time.Second},
		{"max-age=x", 0},
		{"max-age=-5", 0},
		{"max-age=60, no-cache", 0},
		{"no-store", 0},
	}
	for _, tt := range tests {
		if got := maxAge([]string{tt.header}); got != tt.want {
			t.Errorf("%q: got %v; want %v", tt.header, got, tt.want)
		}
	}
}

func FuzzMaxAge(f *testing.F) {
	f.Add(`public, max-age="60"`)
	f.Fuzz(func(t *testing.T, header string) {
		if got := maxAge([]string{header}); got < -1 || got > 1<<31*time.Second {
			t.Errorf("%q: got %v", header, got)
		}
	})
}
