package bench

import (
	"encoding/pem"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
)

var pinged = flag.Int("pings", 300, "how many approvals are timed until the ping")

// BenchmarkPing measures how long it takes from a customer's approval until the
// client's notification endpoint is entered (CIBA, Section 10.2): from when the
// approval is sent, and from when it is acknowledged, which is after it is
// durable. The ping does not wait for the acknowledgement.
func BenchmarkPing(b *testing.B) {
	b.Run("SQLite", pings)
	b.Run("PostgreSQL", func(b *testing.B) {
		share(b, pgtest.Start(b, pgtest.Settings{Fsync: true}).New(b), "")
		pings(b)
	})
}

func pings(b *testing.B) {
	came := receiver(b)
	server, client := startProcess(b, "backchannel"), httpClient(nil)
	var sent, acknowledged []time.Duration
	for i, id := range pending(b, server, "bench-ping", *pinged+settling) {
		if i == 0 {
			server.settle(b)
		}
		<-time.After(pause)
		at := "https://" + server.Public + "/ciba/backchannel/decide"
		began := time.Now()
		call{url: at, form: url.Values{"auth_req_id": {id}, "action": {"allow"}}}.do(b, client, http.StatusNoContent)
		said := time.Now()
		select {
		case ping := <-came:
			if i >= settling {
				sent, acknowledged = append(sent, ping.Sub(began)), append(acknowledged, ping.Sub(said))
			}
		case <-time.After(time.Minute):
			b.Fatal("no ping came")
		}
	}
	reportTimes(b, "sent", sent)
	reportTimes(b, "acknowledged", acknowledged)
	b.ReportMetric(0, "ns/op")
}

const (
	settling = 10                     // pings that are not timed: connections and caches settle
	pause    = 100 * time.Millisecond // between approvals, which people make
)

func reportTimes(b *testing.B, what string, all []time.Duration) {
	b.Helper()
	slices.Sort(all)
	b.ReportMetric(millis(all[len(all)/2]), what+"-ms-p50")
	b.ReportMetric(millis(all[len(all)*99/100]), what+"-ms-p99")
}

// receiver serves the notification endpoint of the clients of servers that are
// started later, and tells when it is entered.
func receiver(b *testing.B) <-chan time.Time {
	b.Helper()
	came := make(chan time.Time, 1)
	r := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		came <- time.Now()
		w.WriteHeader(http.StatusNoContent)
	}))
	b.Cleanup(r.Close)
	file := filepath.Join(b.TempDir(), "receiver.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}), 0o600); err != nil {
		b.Fatal(err)
	}
	b.Setenv(receiverVariable, r.URL)
	b.Setenv(authorityOfReceiverVariable, file)
	return came
}
