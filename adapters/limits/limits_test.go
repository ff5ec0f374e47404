package limits

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestWait(t *testing.T) {
	tests := []struct {
		name string
		key  string
		at   time.Duration
		wait time.Duration
	}{
		{"the first request is served", "client:a", 0, 0},
		{"and as many as the burst has", "client:a", 0, 0},
		{"the next must wait for its turn", "client:a", 0, 500 * time.Millisecond},
		{"asking again does not make it longer", "client:a", 0, 500 * time.Millisecond},
		{"another client is not concerned", "client:b", 0, 0},
		{"half the time is not enough", "client:a", 250 * time.Millisecond, 250 * time.Millisecond},
		{"then it is served", "client:a", 500 * time.Millisecond, 0},
		{"an address has its own rate", "address:a", 0, 0},
		{"other kinds have no limit", "login:a", 0, 0},
	}
	l, err := New(map[string]Rate{"client": {PerSecond: 2, Burst: 2}, "address": {PerSecond: 1, Burst: 1}, "login": {}}, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		if wait := l.Wait(tt.key, noon.Add(tt.at)); wait != tt.wait {
			t.Errorf("%s: got %v, want %v", tt.name, wait, tt.wait)
		}
	}
}

func TestReturn(t *testing.T) {
	l, err := New(map[string]Rate{"client": {PerSecond: 2, Burst: 2}, "login": {}}, 10)
	if err != nil {
		t.Fatal(err)
	}
	l.Spent()
	for range 2 {
		l.Wait("client:a", noon)
	}
	l.Return("client:a")
	l.Return("client:b") // which never came
	l.Return("login:a")  // which has no limit
	if spent := l.Spent(); spent["client:a"] != 1 || len(spent) != 1 {
		t.Errorf("other nodes are told of %v", spent)
	}
	if wait := l.Wait("client:a", noon); wait != 0 {
		t.Errorf("what was returned is not there for %s", wait)
	}
	l.Return("client:a")
	if spent := l.Spent(); len(spent) != 0 {
		t.Errorf("other nodes are told of %v", spent)
	}
	l.Return("client:a") // of before: it is told already
	l.Return("client:a")
	for range 2 {
		l.Wait("client:a", noon)
	}
	if wait := l.Wait("client:a", noon); wait == 0 {
		t.Error("the burst has grown")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	l, err := New(map[string]Rate{"address": {PerSecond: 1, Burst: 1}}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		l.Wait("address:"+strconv.Itoa(i), noon)
	}
	if n := l.buckets.Len(); n != 100 {
		t.Errorf("%d buckets are kept", n)
	}
}

func TestRacersShareABucket(t *testing.T) {
	l, err := New(map[string]Rate{"client": {PerSecond: 1, Burst: 5}}, 100)
	if err != nil {
		t.Fatal(err)
	}
	var served atomic.Int32
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if l.Wait("client:a", noon) == 0 {
				served.Add(1)
			}
		})
	}
	all.Wait()
	if served.Load() != 5 {
		t.Errorf("%d were served at once, the burst is 5", served.Load())
	}
}
