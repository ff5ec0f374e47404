package limits

import (
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"
)

const rateOfNodes = 10 // a second, for each of the keys below

// nodes are Limits that exchange what they let through.
type nodes []*Limits

func newNodes(t *testing.T, n int, r Rate) nodes {
	t.Helper()
	all := make(nodes, n)
	for i := range all {
		l, err := New(map[string]Rate{"client": r, "login": {}}, 100)
		if err != nil {
			t.Fatal(err)
		}
		l.Spent()
		all[i] = l
	}
	return all
}

func (all nodes) exchange(now time.Time) {
	reports := make([]map[string]int, len(all))
	for i, l := range all {
		reports[i] = l.Spent()
	}
	for i, l := range all {
		for j, report := range reports {
			if i != j {
				l.Spend(report, now)
			}
		}
	}
}

func TestThreeNodesKeepOneRate(t *testing.T) {
	all := newNodes(t, 3, Rate{PerSecond: rateOfNodes, Burst: 20})
	const seconds = 300
	served := 0
	for tick := range seconds * 20 { // everybody asks all the time
		now := noon.Add(time.Duration(tick) * 50 * time.Millisecond)
		for _, l := range all {
			for l.Wait("client:a", now) == 0 {
				served++
			}
		}
		if tick%20 == 19 {
			all.exchange(now)
		}
	}
	// Before the first exchange each has its burst and a second's rate.
	if most := seconds*rateOfNodes + 3*(20+rateOfNodes); served > most || served < seconds*rateOfNodes {
		t.Errorf("%d were served in %d s, want %d and a little more", served, seconds, seconds*rateOfNodes)
	}
}

func TestWhatOneNodeSpendsIsGoneOnTheOthers(t *testing.T) {
	all := newNodes(t, 3, Rate{PerSecond: 1, Burst: 5})
	for range 5 {
		all[0].Wait("client:a", noon)
	}
	if all[1].Wait("client:b", noon) != 0 {
		t.Error("another client must wait")
	}
	all.exchange(noon)
	for i, l := range all {
		if wait := l.Wait("client:a", noon); wait != time.Second {
			t.Errorf("node %d waits %v", i, wait)
		}
		if i > 0 {
			continue
		}
		for range 4 {
			if l.Wait("client:b", noon) != 0 {
				t.Error("another client's burst is too small")
			}
		}
		if l.Wait("client:b", noon) == 0 {
			t.Error("another client's burst is counted anew")
		}
	}
	all.exchange(noon) // what was told is not told again
	if wait := all[2].Wait("client:a", noon); wait != time.Second {
		t.Errorf("after another exchange: %v", wait)
	}
}

func TestSpend(t *testing.T) {
	tests := []struct {
		name string
		n    int
		left int           // served at once
		wait time.Duration // of the next
	}{
		{"nothing", 0, 20, 100 * time.Millisecond},
		{"less than there is", 19, 1, 100 * time.Millisecond},
		{"all there is", 20, 0, 100 * time.Millisecond},
		{"more", 50, 0, 3100 * time.Millisecond},
		{"not so much that nobody is served within a minute", 1 << 40, 0, time.Minute},
		{"nothing is given back", -1 << 40, 20, 100 * time.Millisecond},
	}
	for _, tt := range tests {
		l := newNodes(t, 1, Rate{PerSecond: rateOfNodes, Burst: 20})[0]
		l.Spend(map[string]int{"client:a": tt.n, "login:a": tt.n, "": tt.n}, noon)
		if n := l.buckets.Len(); n != 1 {
			t.Errorf("%s: %d buckets for one key with a limit", tt.name, n)
		}
		left := 0
		for left < 1000 && l.Wait("client:a", noon) == 0 {
			left++
		}
		wait := l.Wait("client:a", noon)
		if left != tt.left || wait != tt.wait {
			t.Errorf("%s: %d are served and the next waits %v, want %d and %v", tt.name, left, wait, tt.left, tt.wait)
		}
		if l.Wait("client:a", noon.Add(wait)) != 0 {
			t.Errorf("%s: is not served when it was told to come", tt.name)
		}
	}
}

func TestASlowRateIsNotHastened(t *testing.T) {
	l := newNodes(t, 1, Rate{PerSecond: 1e-3, Burst: 1})[0]
	l.Wait("client:a", noon)
	l.Spend(map[string]int{"client:a": 5}, noon)
	if wait := l.Wait("client:a", noon); wait != 1000*time.Second {
		t.Errorf("waits %v", wait)
	}
}

func TestSpent(t *testing.T) {
	l, err := New(map[string]Rate{"client": {PerSecond: 1, Burst: 2}, "login": {}}, 3)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(keys ...string) {
		for _, k := range keys {
			l.Wait("client:"+k, noon)
			l.Wait("login:"+k, noon)
		}
	}
	tests := []struct {
		name string
		asks []string
		want map[string]int
	}{
		{"nothing was counted before the first call", []string{"a"}, nil},
		{"requests that are let through", []string{"b", "b"}, map[string]int{"client:b": 2}},
		{"not those that must wait", []string{"b", "c"}, map[string]int{"client:c": 1}},
		{"not again", nil, map[string]int{}},
		{"not more keys than buckets", []string{"1", "2", "3", "4", "3"}, map[string]int{"client:1": 1, "client:2": 1, "client:3": 2}},
	}
	for _, tt := range tests {
		ask(tt.asks...)
		if got := l.Spent(); !maps.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// What racers are refused costs nobody a token.
func TestRefusalsAreNotCounted(t *testing.T) {
	l := newNodes(t, 1, Rate{PerSecond: 3, Burst: 1})[0]
	l.Wait("client:a", noon)
	var racers sync.WaitGroup
	for i := range 64 {
		racers.Go(func() {
			l.Wait("client:a", noon)
			l.Spend(map[string]int{"client:" + strconv.Itoa(i): 1}, noon)
			l.Spent()
		})
	}
	racers.Wait()
	wait := l.Wait("client:a", noon)
	if wait < time.Second/3 || wait > time.Second/3+1 {
		t.Errorf("waits %v", wait)
	}
	if again := l.Wait("client:a", noon.Add(wait)); again != 0 {
		t.Errorf("and then again %v", again)
	}
	if next := l.Wait("client:a", noon.Add(wait)); next < time.Second/3-1 {
		t.Errorf("the next waits only %v", next)
	}
}
