package bench

import (
	"flag"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	pendingRequests = flag.Int("pending", 1000, "how many backchannel requests wait while their clients poll")
	polledFor       = flag.Duration("polled", 30*time.Second, "how long they are polled")
)

// pollInterval is what a client leaves between polls that was told nothing
// (CIBA, Section 7.3).
const pollInterval = 5 * time.Second

// BenchmarkPoll polls for requests that wait for their customers. Each is polled
// again only when its interval is over, so that every answer is
// authorization_pending; the floor is measured meanwhile.
func BenchmarkPoll(b *testing.B) {
	floor, server := startProcess(b, "floor"), startProcess(b, "backchannel")
	client, ids := httpClient(nil), pending(b, server, "bench-poll", *requestsPerRound)
	server.settle(b)
	var due time.Time
	measure := func(p *process) time.Duration {
		next := 0
		polls := calls(len(ids), func() call { next++; return p.poll(ids[next-1]) })
		if p == server {
			<-time.After(time.Until(due))
			defer func() { due = time.Now().Add(pollInterval) }()
		}
		before := p.cpu(b)
		bodies := send(b, client, polls, http.StatusBadRequest)
		used := p.cpu(b) - before
		if n := others(bodies); n > 0 {
			b.Errorf("%d of %d polls were answered otherwise than by authorization_pending", n, len(bodies))
		}
		return used / time.Duration(len(bodies))
	}
	measure(floor) // connections, caches and the heap settle
	measure(server)
	all := make([]round, *roundsPerBenchmark)
	for i := range all {
		all[i] = round{measure(floor), measure(server)}
	}
	report(b, all)
}

// others counts the answers that are not authorization_pending.
func others(bodies []string) (n int) {
	for _, body := range bodies {
		if !strings.Contains(body, `"authorization_pending"`) {
			n++
		}
	}
	return n
}

// BenchmarkPending has clients poll for many requests that wait, for each once
// in 5 seconds and evenly spread, and measures how much of a core that takes.
func BenchmarkPending(b *testing.B) {
	server := startProcess(b, "backchannel")
	client, ids := httpClient(nil), pending(b, server, "bench-poll", *pendingRequests)
	server.settle(b)
	every := pollInterval / time.Duration(len(ids))
	next := 0
	polls := calls(len(ids)+int(*polledFor/every), func() call { next++; return server.poll(ids[(next-1)%len(ids)]) })
	evenly(b, client, polls[:len(ids)], every) // connections, caches and the heap settle
	before, began := server.cpu(b), time.Now()
	bodies := evenly(b, client, polls[len(ids):], every)
	used, took := server.cpu(b)-before, time.Since(began)
	b.ReportMetric(100*float64(used)/float64(took), "%core")
	b.ReportMetric(micros(used)/float64(len(bodies)), "server-µs/poll")
	b.ReportMetric(float64(len(bodies))/took.Seconds(), "polls/s")
	b.ReportMetric(float64(others(bodies)), "not-pending")
	b.ReportMetric(0, "ns/op")
}

// evenly sends a call every so often, whatever becomes of those before, and
// returns the bodies.
func evenly(b *testing.B, client *http.Client, calls []call, every time.Duration) []string {
	b.Helper()
	bodies := make([]string, len(calls))
	began := time.Now()
	var next atomic.Int64
	var group sync.WaitGroup
	for range connections {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(calls); i = int(next.Add(1)) - 1 {
				<-time.After(time.Until(began.Add(time.Duration(i) * every)))
				bodies[i] = calls[i].do(b, client, http.StatusBadRequest)
			}
		})
	}
	group.Wait()
	return bodies
}
