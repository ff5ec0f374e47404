package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// owner publishes a key set, and can fail to.
type owner struct {
	clock   time.Time
	body    string
	maxAge  time.Duration
	err     error
	fetches int
}

func (o *owner) fetch(context.Context, string) (Document, error) {
	o.fetches++
	return Document{Body: []byte(o.body), FetchedAt: o.clock, MaxAge: o.maxAge}, o.err
}

func keySets(t *testing.T, o *owner) *KeySets[[]string] {
	t.Helper()
	client, err := New(Options{Now: func() time.Time { return o.clock }})
	if err != nil {
		t.Fatal(err)
	}
	sets, err := NewKeySets(client, 2, func(body []byte) (keys []string, err error) { return keys, json.Unmarshal(body, &keys) })
	if err != nil {
		t.Fatal(err)
	}
	sets.fetch = o.fetch
	return sets
}

func TestKeySets(t *testing.T) {
	down := errors.New("down")
	type step struct {
		after   time.Duration // since noon
		do      func(*owner)
		anew    bool
		key     string // "" if the set is unavailable
		fetches int    // so far
	}
	set := func(body string, maxAge time.Duration, err error) func(*owner) {
		return func(o *owner) { o.body, o.maxAge, o.err = body, maxAge, err }
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"a set is fetched once in ten minutes", []step{
			{0, nil, false, "k1", 1}, {9*time.Minute + 59*time.Second, set(`["k2"]`, -1, nil), false, "k1", 1}, {10 * time.Minute, nil, false, "k2", 2},
		}},
		{"or sooner if its owner says so", []step{
			{0, set(`["k1"]`, 2*time.Minute, nil), false, "k1", 1}, {119 * time.Second, nil, false, "k1", 1}, {120 * time.Second, set(`["k2"]`, 0, nil), false, "k2", 2},
		}},
		{"but not sooner than in a minute", []step{
			{0, set(`["k1"]`, 0, nil), false, "k1", 1}, {59 * time.Second, nil, false, "k1", 1}, {60 * time.Second, nil, false, "k1", 2},
		}},
		{"nor later than in ten", []step{
			{0, set(`["k1"]`, time.Hour, nil), false, "k1", 1}, {10 * time.Minute, nil, false, "k1", 2},
		}},
		{"a missing key has it fetched early", []step{
			{0, nil, false, "k1", 1}, {time.Minute, set(`["k2"]`, -1, nil), true, "k2", 2}, {time.Minute, nil, false, "k2", 2},
		}},
		{"at most once a minute", []step{
			{0, nil, false, "k1", 1}, {time.Second, nil, true, "k1", 1}, {61 * time.Second, nil, true, "k1", 2}, {120 * time.Second, nil, true, "k1", 2},
		}},
		{"the last good set serves for ten minutes", []step{
			{0, set(`["k1"]`, time.Minute, nil), false, "k1", 1}, {time.Minute, set("", 0, down), false, "k1", 2},
			{599 * time.Second, nil, false, "k1", 3}, {600 * time.Second, nil, false, "", 3}, {659 * time.Second, nil, false, "", 4},
		}},
		{"and comes back with its owner", []step{
			{0, set("", 0, down), false, "", 1}, {59 * time.Second, set(`["k1"]`, -1, nil), false, "", 1}, {time.Minute, nil, false, "k1", 2},
		}},
		{"garbage is as good as nothing", []step{
			{0, set("<html>", -1, nil), false, "", 1}, {time.Minute, set(`["k1"]`, -1, nil), false, "k1", 2}, {2 * time.Minute, set("[", -1, nil), true, "k1", 3},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &owner{body: `["k1"]`, maxAge: -1}
			sets := keySets(t, o)
			for i, s := range tt.steps {
				if s.do != nil {
					s.do(o)
				}
				o.clock = noon.Add(s.after)
				read := sets.Of
				if s.anew {
					read = sets.Anew
				}
				got, err := read(t.Context(), "budgetly", "https://tpp.example/jwks")
				switch {
				case o.fetches != s.fetches:
					t.Fatalf("step %d: %d fetches; want %d", i, o.fetches, s.fetches)
				case s.key == "" && !errors.Is(err, ErrUnavailable):
					t.Fatalf("step %d: got %v, %v", i, got, err)
				case s.key != "" && (err != nil || got.Keys[0] != s.key || got.URL != "https://tpp.example/jwks" || got.FetchedAt.After(o.clock)):
					t.Fatalf("step %d: got %v, %v; want %s", i, got, err, s.key)
				}
			}
		})
	}
}

func TestKeySetsAreBounded(t *testing.T) {
	o := &owner{body: `["k1"]`, maxAge: -1, clock: noon}
	sets := keySets(t, o)
	for _, client := range []string{"a", "b", "a", "c", "a"} { // b is the least recently used when c comes
		if _, err := sets.Of(t.Context(), client, "https://tpp.example/jwks"); err != nil {
			t.Fatal(err)
		}
	}
	if o.fetches != 3 || sets.entries.Len() != 2 {
		t.Errorf("got %d fetches, %d entries", o.fetches, sets.entries.Len())
	}
	if sets.Of(t.Context(), "a", "https://tpp.example/other"); o.fetches != 4 {
		t.Error("a set from one URL served for another")
	}
}

func TestKeySetsSurviveTheParser(t *testing.T) {
	sets := keySets(t, &owner{clock: noon})
	sets.parse = func([]byte) ([]string, error) { panic("out of range") }
	if _, err := sets.Of(t.Context(), "budgetly", "https://tpp.example/jwks"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestKeySetsFetchOnceForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &owner{clock: noon}
		sets := keySets(t, o)
		var fetches atomic.Int32
		release := make(chan struct{})
		sets.fetch = func(ctx context.Context, _ string) (Document, error) {
			fetches.Add(1)
			<-release
			return Document{Body: []byte(`["k1"]`), FetchedAt: noon, MaxAge: -1}, ctx.Err()
		}
		impatient, leave := context.WithCancel(t.Context())
		var waiting sync.WaitGroup
		waiting.Go(func() {
			if _, err := sets.Of(impatient, "budgetly", "https://tpp.example/jwks"); !errors.Is(err, context.Canceled) {
				t.Errorf("who left: got %v", err)
			}
		})
		synctest.Wait() // the impatient one has begun the fetch
		for range 16 {
			waiting.Go(func() {
				if got, err := sets.Of(t.Context(), "budgetly", "https://tpp.example/jwks"); err != nil || got.Keys[0] != "k1" {
					t.Errorf("who waited: got %v, %v", got, err)
				}
			})
		}
		synctest.Wait()
		leave()
		synctest.Wait()
		close(release)
		waiting.Wait()
		if fetches.Load() != 1 {
			t.Errorf("got %d fetches", fetches.Load())
		}
	})
}
