package bench

import (
	"context"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

var filledTokens = flag.Int("tokens", 20_000, "how many tokens the log holds when memory is measured")

// BenchmarkMemory measures the resident memory of an idle server on an empty
// log and on one with many tokens, and the size of a token with its evidence.
func BenchmarkMemory(b *testing.B) {
	idle := startProcess(b, "server")
	idle.settle(b)
	b.ReportMetric(mebibytes(idle.resident(b)), "idle-MiB")

	dir := b.TempDir()
	b.Setenv(addressVariable, freeAddress(b))
	perToken := fill(b, dir, *filledTokens)
	b.Setenv(folderVariable, dir)
	full := startProcess(b, "server")
	send(b, httpClient(nil), clientCredentials(b, full, 200), 200)
	full.settle(b)
	b.ReportMetric(mebibytes(full.resident(b)), "full-MiB")
	b.ReportMetric(float64(*filledTokens), "tokens")
	b.ReportMetric(perToken, "log-B/token")
	b.ReportMetric(0, "ns/op")
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// settle waits until the process uses no CPU, so that projections have caught
// up.
func (p *process) settle(b *testing.B) {
	b.Helper()
	for deadline := time.Now().Add(20 * time.Minute); time.Now().Before(deadline); {
		before := p.cpu(b)
		<-time.After(2 * time.Second)
		if p.cpu(b)-before < 40*time.Millisecond {
			return
		}
	}
	b.Fatal("the process never became idle")
}

// fill writes tokens as the token endpoint does and returns the bytes of log
// that each takes.
func fill(b *testing.B, dir string, n int) float64 {
	b.Helper()
	_, p, stop, err := openServer(dir)
	if err != nil {
		b.Fatal(err)
	}
	issuer := "https://127.0.0.1:8443/fapi2"
	evidence := oauth.Evidence{
		ClientAuth: "private_key_jwt", Key: strings.Repeat("k", 43), DPoP: benchClient.proof("POST", issuer+"/token"),
		ClientAssertion: benchClient.authenticated("bench", issuer, url.Values{}).Get("client_assertion"),
	}
	meta := event.Meta{Issuer: "fapi2", Actor: event.ActorClient, Client: "bench", Software: "bench", Address: "192.0.2.1", UserAgent: "Go-http-client/1.1"}
	var group sync.WaitGroup
	const writers = 64
	for range writers {
		group.Go(func() {
			for range n / writers {
				id := uuid.Must(uuid.NewV7()).String()
				e := token.Issued{
					Client: "bench", Scope: "accounts", Audience: []string{bank}, Expires: time.Now().Add(5 * time.Minute).Truncate(time.Second),
					Confirmation: token.Confirmation{JKT: strings.Repeat("j", 43)}, Key: strings.Repeat("s", 43), Evidence: evidence,
				}
				once := eventstore.Once{Key: [32]byte([]byte(id[:32])), Issued: time.Now(), Expires: time.Now().Add(6 * time.Minute)}
				draft := eventstore.Draft{Stream: eventstore.Stream("token-" + id), Expect: eventstore.Absent(), Events: []any{e}, Once: []eventstore.Once{once}}
				if _, err := p.Journal.Commit(context.Background(), meta, draft); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	stop()
	info, err := os.Stat(filepath.Join(dir, "data", "log.db"))
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size()) / float64(n)
}
