package bench

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// connections is how many clients ask at once, as in the figures of other
// servers that docs/performance.md quotes.
const connections = 16

// A call is one request, signed before the clock starts.
type call struct {
	url  string
	form url.Values
	dpop string
	node string // that it is sent to, if that is not the host of the URL
}

// send sends all calls over kept-alive connections and returns the bodies in
// the order of calls. Any answer but want fails the benchmark.
func send(b *testing.B, client *http.Client, calls []call, want int) []string {
	b.Helper()
	return sendOver(b, client, connections, calls, want)
}

// sendOver is send with so many clients at once.
func sendOver(b *testing.B, client *http.Client, clients int, calls []call, want int) []string {
	b.Helper()
	bodies := make([]string, len(calls))
	var next atomic.Int64
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(calls) {
					return
				}
				bodies[i] = calls[i].do(b, client, want)
			}
		})
	}
	group.Wait()
	return bodies
}

func (c call) do(b *testing.B, client *http.Client, want int) string {
	status, body := c.try(client)
	if status != want {
		b.Errorf("%s answered %d: %s", c.url, status, body)
	}
	return body
}

func (c call) post(t *testing.T, client *http.Client) (int, string) {
	status, body := c.try(client)
	if status == 0 {
		t.Errorf("%s: %s", c.url, body)
	}
	return status, body
}

// try sends the request. Status 0 means that no whole answer came, and body
// says why.
func (c call) try(client *http.Client) (status int, body string) {
	r, err := http.NewRequest("POST", c.url, strings.NewReader(c.form.Encode()))
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.node != "" {
		r.Host, r.URL.Host = r.URL.Host, c.node
	}
	if c.dpop != "" {
		r.Header.Set("DPoP", c.dpop)
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(raw)
}

func httpClient(certificate *tls.Certificate) *http.Client {
	config := &tls.Config{InsecureSkipVerify: true} // the server is a process of this benchmark
	if certificate != nil {
		config.Certificates = []tls.Certificate{*certificate}
	}
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: config, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections,
	}}
}

// A load is what both sides are asked, and the answer it must get.
type load struct {
	want  int
	calls func(b *testing.B, p *process, n int) []call
}

// A round is the CPU per request of both, measured one after the other.
type round struct{ floor, server time.Duration }

// rounds alternates between floor and server, so that what else the machine
// does hits both.
func rounds(b *testing.B, l load, floor, server *process, client *http.Client) []round {
	b.Helper()
	measure := func(p *process) time.Duration {
		calls := l.calls(b, p, *requestsPerRound)
		before := p.cpu(b)
		send(b, client, calls, l.want)
		return (p.cpu(b) - before) / time.Duration(len(calls))
	}
	measure(floor) // connections, caches and the heap settle
	measure(server)
	all := make([]round, *roundsPerBenchmark)
	for i := range all {
		all[i] = round{measure(floor), measure(server)}
	}
	return all
}

// report tells medians, their ratio, and the spread of the rounds' ratios.
func report(b *testing.B, all []round) {
	b.Helper()
	var floors, servers, ratios []float64
	for _, r := range all {
		floors = append(floors, float64(r.floor.Microseconds()))
		servers = append(servers, float64(r.server.Microseconds()))
		ratios = append(ratios, float64(r.server)/float64(r.floor))
	}
	slices.Sort(floors)
	slices.Sort(servers)
	slices.Sort(ratios)
	middle := len(all) / 2
	b.ReportMetric(floors[middle], "floor-µs/req")
	b.ReportMetric(servers[middle], "server-µs/req")
	b.ReportMetric(servers[middle]/floors[middle], "×floor")
	b.ReportMetric(ratios[0], "×floor-least")
	b.ReportMetric(ratios[len(ratios)-1], "×floor-most")
	b.ReportMetric(0, "ns/op")
}
