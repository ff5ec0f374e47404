//go:build linux

package sqlite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

const (
	rounds  = 9
	slot    = 500 * time.Millisecond
	writers = 64
	million = 1_000_000
)

// payload is an event of 683 bytes, the mean of what the platform stores.
var payload = eventstore.Proposed{
	Type: "token.issued", Version: 1,
	Data: []byte(`{"filler":"` + strings.Repeat("x", 470) + `"}`),
	Meta: []byte(`{"filler":"` + strings.Repeat("y", 187) + `"}`),
}

func fresh() eventstore.Proposed {
	p := payload
	p.ID = uuid.New()
	return p
}

// BenchmarkAppend compares the log with its floor: a plain file that is
// appended to and synced by the same group commit, without index, check, tree
// or transaction. Rounds of both alternate; medians and the spread of the
// ratio are reported.
func BenchmarkAppend(b *testing.B) {
	for b.Loop() {
		var raw, store, ratio []float64
		for range rounds {
			r, s := rawRate(b), storeRate(b)
			raw, store, ratio = append(raw, r), append(store, s), append(ratio, s/r)
		}
		b.ReportMetric(median(raw), "raw-events/s")
		b.ReportMetric(median(store), "events/s")
		b.ReportMetric(median(ratio), "x-raw")
		b.ReportMetric(slices.Min(ratio), "x-raw-min")
		b.ReportMetric(slices.Max(ratio), "x-raw-max")
	}
	b.ReportMetric(0, "ns/op")
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// rate runs one append in a loop in 64 goroutines and returns how many were
// acknowledged a second.
func rate(b *testing.B, add func() error) float64 {
	b.Helper()
	var n atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range writers {
		wg.Go(func() {
			for time.Since(start) < slot {
				if err := add(); err != nil {
					b.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(start).Seconds()
}

func storeRate(b *testing.B) float64 {
	log := opened(b, sqlite.Options{Dir: b.TempDir()})
	defer log.Close()
	var next atomic.Int64
	return rate(b, func() error {
		n := next.Add(1)
		a := eventstore.Append{Stream: eventstore.Stream("token-" + uuid.NewString()), Expect: eventstore.Absent()}
		a.Events = []eventstore.Proposed{fresh()}
		if n%4 != 0 { // most journeys have several streams; this one goes on
			a.Stream, a.Expect = eventstore.Stream(fmt.Sprintf("consent-%d", n%1000)), eventstore.Unchecked()
		}
		_, err := log.Append(context.Background(), a)
		return err
	})
}

func rawRate(b *testing.B) float64 {
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	queue, end := make(chan chan error, 1024), make(chan struct{})
	defer close(end)
	go syncer(f, queue, end)
	return rate(b, func() error {
		done := make(chan error, 1)
		queue <- done
		return <-done
	})
}

// syncer writes what is queued and syncs once for all of it.
func syncer(f *os.File, queue chan chan error, end chan struct{}) {
	record := make([]byte, len(payload.Data)+len(payload.Meta)+100)
	for {
		var batch []chan error
		select {
		case first := <-queue:
			batch = append(batch, first)
		case <-end:
			return
		}
		for len(batch) < 512 && len(queue) > 0 {
			batch = append(batch, <-queue)
		}
		_, err := f.Write(slices.Repeat(record, len(batch)))
		if err == nil {
			err = syscall.Fdatasync(int(f.Fd()))
		}
		for _, done := range batch {
			done <- err
		}
	}
}

// BenchmarkMillion measures a log of a million events in streams of five that
// lie far apart. The floor of a read is five reads of the same length at
// random places of the same file.
func BenchmarkMillion(b *testing.B) {
	dir := b.TempDir()
	loaded(b, dir)
	b.Run("open", func(b *testing.B) {
		var took []float64
		for b.Loop() {
			start := time.Now()
			log := opened(b, sqlite.Options{Dir: dir})
			took = append(took, float64(time.Since(start).Microseconds())/1000)
			log.Close()
		}
		b.ReportMetric(median(took), "ms-median")
		b.ReportMetric(slices.Max(took), "ms-max")
	})
	b.Run("stream of five", func(b *testing.B) {
		log := opened(b, sqlite.Options{Dir: dir})
		defer log.Close()
		f, err := os.Open(filepath.Join(dir, sqlite.FileName))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		var took, floor []float64
		for b.Loop() {
			floor = append(floor, timed(func() { readFive(b, f) }))
			took = append(took, timed(func() { readStream(b, log) }))
		}
		slices.Sort(took)
		b.ReportMetric(median(floor), "floor-us-median")
		b.ReportMetric(took[len(took)/2], "us-median")
		b.ReportMetric(took[len(took)*99/100], "us-p99")
	})
}

func timed(f func()) float64 {
	start := time.Now()
	f()
	return float64(time.Since(start).Nanoseconds()) / 1000
}

func nth(n int) eventstore.Stream { return eventstore.Stream(fmt.Sprintf("token-%032x", n*2654435761)) }

func loaded(b *testing.B, dir string) {
	b.Helper()
	log := opened(b, sqlite.Options{Dir: dir})
	start := time.Now()
	var wg sync.WaitGroup
	for revision := range eventstore.Revision(5) {
		for part := range 4 {
			wg.Go(func() {
				for n := part; n < million/5; n += 400 {
					var call []eventstore.Append
					for k := n; k < min(n+400, million/5); k += 4 {
						call = append(call, eventstore.Append{Stream: nth(k), Expect: eventstore.After(revision - 1), Events: []eventstore.Proposed{fresh()}})
					}
					if _, err := log.Append(context.Background(), call...); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	took := time.Since(start)
	if err := log.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, sqlite.FileName))
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("loaded %.0f events/s, %d bytes an event", million/took.Seconds(), info.Size()/million)
}

func readStream(b *testing.B, log eventstore.Log) {
	events := 0
	for _, err := range log.ReadStream(context.Background(), nth(rand.IntN(million/5)), 0) {
		if err != nil {
			b.Fatal(err)
		}
		events++
	}
	if events != 5 {
		b.Fatalf("%d events", events)
	}
}

func readFive(b *testing.B, f *os.File) {
	record := make([]byte, 700)
	for range 5 {
		if _, err := f.ReadAt(record, rand.Int64N(million)*700); err != nil {
			b.Fatal(err)
		}
	}
}
