package postgres_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const (
	rounds  = 7
	slot    = time.Second
	writers = 64
	loaded  = 200_000
)

// payload is an event of 683 bytes, the mean of what the platform stores.
var payload = eventstore.Proposed{
	Type: "token.issued", Version: 1,
	Data: []byte(`{"filler":"` + strings.Repeat("x", 470) + `"}`),
	Meta: []byte(`{"filler":"` + strings.Repeat("y", 187) + `"}`),
}

func fresh() eventstore.Proposed {
	p := payload
	p.ID, _ = uuid.NewV7()
	return p
}

// BenchmarkLog compares the log with its floor: one connection that inserts
// batches of the same rows into the same tables, of the sizes that the log's
// own batches have, without lock, checks, tree or callers. Rounds of both
// alternate on a server with fsync; medians are reported.
func BenchmarkLog(b *testing.B) {
	server := pgtest.Start(b, pgtest.Settings{Fsync: true, Config: map[string]string{"shared_buffers": "512MB", "max_wal_size": "4GB"}})
	for b.Loop() {
		var floor, store, ratio []float64
		for range rounds {
			s, batch := storeRate(b, server.New(b))
			f := floorRate(b, server.New(b), batch)
			floor, store, ratio = append(floor, f), append(store, s), append(ratio, s/f)
		}
		b.ReportMetric(median(floor), "floor-events/s")
		b.ReportMetric(median(store), "events/s")
		b.ReportMetric(median(ratio), "x-floor")
		b.ReportMetric(slices.Min(ratio), "x-floor-min")
		b.ReportMetric(slices.Max(ratio), "x-floor-max")
	}
	b.ReportMetric(0, "ns/op")
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// storeRate returns how many events a second 64 callers append, and how many
// share a commit.
func storeRate(b *testing.B, url string) (rate float64, batch int) {
	log := opened(b, postgres.Options{URL: url})
	defer log.Close()
	var n atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range writers {
		wg.Go(func() {
			for time.Since(start) < slot {
				if _, err := log.Append(context.Background(), journey(n.Add(1))); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(start).Seconds()
	var commits int64
	query(b, url, "SELECT count(DISTINCT xmin::text) FROM chirograph_log.event", &commits)
	return float64(n.Load()) / took, int(n.Load() / max(1, commits))
}

// journey is the nth append: of four, one begins a stream and three go on.
func journey(n int64) eventstore.Append {
	a := eventstore.Append{Stream: eventstore.Stream("token-" + uuid.NewString()), Expect: eventstore.Absent()}
	if n%4 != 0 {
		a.Stream, a.Expect = eventstore.Stream(fmt.Sprintf("consent-%d", n%1000)), eventstore.Unchecked()
	}
	a.Events = []eventstore.Proposed{fresh()}
	return a
}

func floorRate(b *testing.B, url string, batch int) float64 {
	opened(b, postgres.Options{URL: url}).Close() // for the tables
	c, err := pgx.Connect(b.Context(), url+"&search_path=chirograph_log&synchronous_commit=on")
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(context.Background())
	position, sids := int64(0), map[int64]int64{}
	start := time.Now()
	for time.Since(start) < slot {
		if err := insert(b.Context(), c, &position, sids, batch); err != nil {
			b.Fatal(err)
		}
	}
	return float64(position) / time.Since(start).Seconds()
}

// insert commits a batch of rows like those of storeRate.
func insert(ctx context.Context, c *pgx.Conn, position *int64, sids map[int64]int64, batch int) error {
	var newSids, positions, of, revisions, recorded []int64
	var names, types []string
	var ids []uuid.UUID
	var versions []int32
	var leaves, metas, datas [][]byte
	for range batch {
		*position++
		n, sid, revision := *position, *position, int64(0)
		if n%4 != 0 {
			if first, there := sids[n%1000]; there {
				sid, revision = first, n
			} else {
				sids[n%1000] = n
			}
		}
		if sid == n {
			newSids, names = append(newSids, sid), append(names, fmt.Sprintf("token-%s", uuid.New()))
		}
		e, leaf := fresh(), sha256.Sum256(nil)
		positions, of, revisions, recorded = append(positions, n), append(of, sid), append(revisions, revision), append(recorded, n)
		versions, ids, types = append(versions, 1), append(ids, e.ID), append(types, e.Type)
		leaves, metas, datas = append(leaves, leaf[:]), append(metas, e.Meta), append(datas, e.Data)
	}
	var b pgx.Batch
	b.Queue("BEGIN")
	b.Queue("INSERT INTO stream(sid, name) SELECT * FROM unnest($1::bigint[], $2::text[])", newSids, names)
	b.Queue(`INSERT INTO event(position, sid, revision, recorded, version, id, type, leaf, meta, data)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[], $6::uuid[], $7::text[], $8::bytea[], $9::bytea[], $10::bytea[])`,
		positions, of, revisions, recorded, versions, ids, types, leaves, metas, datas)
	b.Queue("COMMIT")
	return c.SendBatch(ctx, &b).Close()
}

func query(t testing.TB, url, sql string, into ...any) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if err := c.QueryRow(t.Context(), sql).Scan(into...); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkLogReading measures reading a whole log, and importing it.
func BenchmarkLogReading(b *testing.B) {
	server := pgtest.Start(b, pgtest.Settings{Fsync: true, Config: map[string]string{"shared_buffers": "512MB", "max_wal_size": "4GB"}})
	log := opened(b, postgres.Options{URL: server.New(b)})
	start := time.Now()
	if err := log.Import(b.Context(), history(loaded)); err != nil {
		b.Fatal(err)
	}
	imported := loaded / time.Since(start).Seconds()
	for b.Loop() {
		var rates []float64
		for range rounds {
			start, n := time.Now(), 0
			for _, err := range log.ReadAll(b.Context(), 0, eventstore.Filter{}) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != loaded {
				b.Fatalf("%d events", n)
			}
			rates = append(rates, loaded/time.Since(start).Seconds())
		}
		b.ReportMetric(median(rates), "read-events/s")
		b.ReportMetric(imported, "import-events/s")
	}
	b.ReportMetric(0, "ns/op")
}

// history is what another log might hold: streams of five.
func history(n int) (events []eventstore.Event) {
	for i := range n {
		e := eventstore.Event{Proposed: fresh(), Position: eventstore.Position(i + 1), Leaf: int64(i)}
		e.Stream, e.Revision = eventstore.Stream(fmt.Sprintf("token-%032x", i%(n/5))), eventstore.Revision(i/(n/5))
		e.Recorded = time.Date(2026, 3, 20, 12, 0, 0, i, time.UTC)
		events = append(events, e)
	}
	return events
}
