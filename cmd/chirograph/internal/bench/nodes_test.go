package bench

import (
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
)

// A cluster is nodes of one installation and their database.
type cluster struct {
	nodes []*process
	database
}

// startCluster starts nodes over a PostgreSQL server of their own, which
// acknowledges nothing that is not on disk.
func startCluster(b *testing.B, nodes int) cluster {
	b.Helper()
	url := pgtest.Start(b, pgtest.Settings{Fsync: true}).New(b)
	share(b, url, "")
	c := cluster{database: databaseAt(b, url)}
	for range nodes {
		c.nodes = append(c.nodes, startProcess(b, "server"))
	}
	return c
}

// share tells servers that are started later what they have in common.
func share(t testing.TB, postgres, eventstoredb string) {
	t.Helper()
	master := filepath.Join(t.TempDir(), "master.key")
	if _, err := keys.OpenMaster(master, true); err != nil {
		t.Fatal(err)
	}
	t.Setenv(storeVariable, postgres)
	t.Setenv(eventsVariable, eventstoredb)
	t.Setenv(masterVariable, master)
}

// spread sends calls, which are signed for the first node, to all of them in
// turn.
func (c cluster) spread(calls []call) []call {
	for i := range calls {
		calls[i].node = c.nodes[i%len(c.nodes)].Public
	}
	return calls
}

// A bill is the processor time that something cost.
type bill struct{ nodes, database time.Duration }

func (x bill) total() time.Duration { return x.nodes + x.database }

func (x bill) over(n int) bill {
	return bill{x.nodes / time.Duration(n), x.database / time.Duration(n)}
}

// billed measures what work costs nodes and database.
func (c cluster) billed(b *testing.B, work func()) bill {
	b.Helper()
	used := func() (x bill) {
		for _, p := range c.nodes {
			x.nodes += p.cpu(b)
		}
		x.database = c.cpu(b)
		return x
	}
	before := used()
	work()
	after := used()
	return bill{after.nodes - before.nodes, after.database - before.database}
}

// BenchmarkNodes compares three nodes, which are asked in turn, with one: the
// CPU of a request, that of all nodes and of their database counted. Each node
// has as many clients as the one, or they share those of the one. Rounds of both
// alternate, over two servers of the same settings.
func BenchmarkNodes(b *testing.B) {
	for _, row := range []struct {
		name, where string
		each        bool // node has its own clients
		load
	}{
		{"client_credentials", config.PerNode, true, load{http.StatusOK, clientCredentials}},
		{"client_credentials, shared projections", config.Shared, true, load{http.StatusOK, clientCredentials}},
		{"pushed request", config.PerNode, true, load{http.StatusCreated, pushedRequests}},
		{"client_credentials, the clients of one", config.PerNode, false, load{http.StatusOK, clientCredentials}},
		{"pushed request, the clients of one", config.PerNode, false, load{http.StatusCreated, pushedRequests}},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.Setenv(projectionsVariable, row.where)
			one, three := startCluster(b, 1), startCluster(b, 3)
			client := httpClient(nil)
			measure := func(c cluster) bill {
				calls := c.spread(row.calls(b, c.nodes[0], *requestsPerRound))
				clients := connections
				if row.each {
					clients *= len(c.nodes)
				}
				return c.billed(b, func() { sendOver(b, client, clients, calls, row.want) }).over(len(calls))
			}
			measure(one) // connections, caches and the heap settle
			measure(three)
			var ones, threes []bill
			for range *roundsPerBenchmark {
				ones, threes = append(ones, measure(one)), append(threes, measure(three))
			}
			reportNodes(b, ones, threes)
		})
	}
}

func reportNodes(b *testing.B, ones, threes []bill) {
	b.Helper()
	var ratios []float64
	for i := range ones {
		ratios = append(ratios, float64(threes[i].total())/float64(ones[i].total()))
	}
	slices.Sort(ratios)
	for name, all := range map[string][]bill{"one": ones, "three": threes} {
		b.ReportMetric(micros(medianBill(all, func(x bill) time.Duration { return x.nodes })), name+"-nodes-µs/req")
		b.ReportMetric(micros(medianBill(all, func(x bill) time.Duration { return x.database })), name+"-database-µs/req")
	}
	one, three := medianBill(ones, bill.total), medianBill(threes, bill.total)
	b.ReportMetric(float64(three)/float64(one), "×one")
	b.ReportMetric(ratios[0], "×one-least")
	b.ReportMetric(ratios[len(ratios)-1], "×one-most")
	b.ReportMetric(0, "ns/op")
}

func medianBill(all []bill, part func(bill) time.Duration) time.Duration {
	var parts []time.Duration
	for _, x := range all {
		parts = append(parts, part(x))
	}
	slices.Sort(parts)
	return parts[len(parts)/2]
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// idleTime is how long nodes without a request are watched.
const idleTime = 10 * time.Second

// BenchmarkIdleNodes measures what three nodes cost that nobody asks anything,
// and their memory.
func BenchmarkIdleNodes(b *testing.B) {
	c := startCluster(b, 3)
	for _, p := range c.nodes {
		p.settle(b)
	}
	x := c.billed(b, func() { <-time.After(idleTime) })
	core := func(d time.Duration) float64 { return 100 * float64(d) / float64(idleTime) }
	b.ReportMetric(core(x.nodes)/float64(len(c.nodes)), "%core/node")
	b.ReportMetric(core(x.database), "%core-database")
	b.ReportMetric(mebibytes(c.nodes[0].resident(b)), "MiB/node")
	b.ReportMetric(0, "ns/op")
}
