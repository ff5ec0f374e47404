package keys

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

func testDestroy(t *testing.T, e engine) {
	tests := []struct {
		name   string
		given  func(t *testing.T, r *Ring) // with keys for alice, ben and the journeys 1 and 2
		erased []string
	}{
		{"a subject's key ends", func(t *testing.T, r *Ring) {
			must(t, r.Destroy(ctx, "alice"))
		}, []string{"subject:alice"}},
		{"and that of every journey it adopted", func(t *testing.T, r *Ring) {
			must(t, r.Adopt(ctx, "1", "alice"))
			must(t, r.Adopt(ctx, "2", "ben"))
			must(t, r.Destroy(ctx, "alice"))
		}, []string{"journey:1", "subject:alice"}},
		{"also if the journey had no key yet", func(t *testing.T, r *Ring) {
			must(t, r.Adopt(ctx, "new", "alice"))
			must(t, r.Destroy(ctx, "alice"))
		}, []string{"journey:new", "subject:alice"}},
		{"or got its key after it was adopted", func(t *testing.T, r *Ring) {
			must(t, r.Adopt(ctx, "new", "alice"))
			seals(t, r, "journey:new")
			must(t, r.Destroy(ctx, "alice"))
		}, []string{"journey:new", "subject:alice"}},
		{"who never had a key gets none later", func(t *testing.T, r *Ring) {
			must(t, r.Destroy(ctx, "chidi"))
		}, []string{"subject:chidi"}},
		{"destroying twice changes nothing", func(t *testing.T, r *Ring) {
			must(t, r.Destroy(ctx, "alice"))
			must(t, r.Destroy(ctx, "alice"))
		}, []string{"subject:alice"}},
		{"an erased subject adopts only to erase", func(t *testing.T, r *Ring) {
			must(t, r.Destroy(ctx, "alice"))
			if err := r.Adopt(ctx, "1", "alice"); !errors.Is(err, eventstore.ErrErased) {
				t.Errorf("adopt: %v", err)
			}
		}, []string{"journey:1", "subject:alice"}},
		{"a restore destroys by full names", func(t *testing.T, r *Ring) {
			must(t, r.DestroyHolders(ctx, "journey:1", "journey:7", "client:x"))
		}, []string{"client:x", "journey:1", "journey:7"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRing(t, e)
			all := []string{"subject:alice", "subject:ben", "journey:1", "journey:2"}
			texts := map[string][]byte{}
			for _, h := range all {
				texts[h] = seals(t, r, h)
			}
			tt.given(t, r)
			got, err := r.Destroyed(ctx)
			if err != nil || !slices.Equal(got, tt.erased) {
				t.Errorf("destroyed are %v (%v), want %v", got, err, tt.erased)
			}
			subjects := slices.DeleteFunc(got, func(h string) bool { return !strings.HasPrefix(h, "subject:") })
			if only, err := r.DestroyedSubjects(ctx); err != nil || !slices.Equal(only, subjects) {
				t.Errorf("destroyed subjects are %v (%v), want %v", only, err, subjects)
			}
			for _, h := range tt.erased {
				if _, err := r.Sealer(ctx, h); !errors.Is(err, eventstore.ErrErased) || errors.Is(err, errNoKey) {
					t.Errorf("sealer of %s: %v", h, err)
				}
				if _, err := r.Opener(ctx, h); !errors.Is(err, eventstore.ErrErased) {
					t.Errorf("opener of %s: %v", h, err)
				}
			}
			for _, h := range all {
				if !slices.Contains(tt.erased, h) {
					if err := opens(r, h, texts[h]); err != nil {
						t.Errorf("%s went too: %v", h, err)
					}
				}
			}
		})
	}
}

func testATombstoneKeepsItsTime(t *testing.T, e engine) {
	now := noon
	r, err := e(t)(newMaster(t), Settings{Now: func() time.Time { return now }})
	must(t, err)
	defer r.Close()
	must(t, r.Destroy(ctx, "alice"))
	now = now.Add(time.Hour)
	must(t, r.Destroy(ctx, "alice"))
	if count(t, r, fmt.Sprint("destroyed = ", noon.UnixNano())) != 1 {
		t.Error("it is as old as the last call")
	}
}

func testAdopt(t *testing.T, e engine) {
	r := newRing(t, e)
	must(t, r.Adopt(ctx, "1", "alice"))
	must(t, r.DestroyHolders(ctx, "journey:3"))
	tests := []struct {
		name             string
		journey, subject string
		err              error
	}{
		{"a journey is adopted once", "2", "alice", nil},
		{"again by the same subject changes nothing", "1", "alice", nil},
		{"not by another", "1", "ben", ErrAdopted},
		{"not after its key was destroyed", "3", "alice", eventstore.ErrErased},
		{"not without a subject's name of a fitting length", "4", string(make([]byte, maxHolder)), errHolder},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := r.Adopt(ctx, tt.journey, tt.subject); !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
		})
	}
}

func testDestroyExpired(t *testing.T, e engine) {
	const day = 24 * time.Hour // a journey can last one by default
	tests := []struct {
		name   string
		given  func(t *testing.T, r *Ring)
		after  time.Duration
		erased []string
	}{
		{"a journey without a subject ends 30 days after its expiry",
			func(*testing.T, *Ring) {}, 31 * day, []string{"journey:1"}},
		{"not before", func(*testing.T, *Ring) {}, 31*day - 1, nil},
		{"not when a subject adopted it",
			func(t *testing.T, r *Ring) { must(t, r.Adopt(ctx, "1", "alice")) }, 99 * day, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRing(t, e)
			for _, h := range []string{"journey:1", "subject:alice", "client:budgetly"} {
				seals(t, r, h)
			}
			tt.given(t, r)
			n, err := r.DestroyExpired(ctx, noon.Add(tt.after))
			if err != nil || n != len(tt.erased) {
				t.Errorf("destroyed %d (%v), want %d", n, err, len(tt.erased))
			}
			if got, err := r.Destroyed(ctx); err != nil || !slices.Equal(got, tt.erased) {
				t.Errorf("destroyed are %v (%v), want %v", got, err, tt.erased)
			}
		})
	}
	t.Run("more than one batch", func(t *testing.T) {
		r := newRing(t, e)
		_, err := r.db.Exec(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 1001)
			INSERT INTO keys (holder, created, expires) SELECT 'journey:' || i, 0, 0 FROM n`)
		must(t, err)
		if n, err := r.DestroyExpired(ctx, noon); n != 1001 || err != nil {
			t.Errorf("destroyed %d (%v)", n, err)
		}
	})
}

// Whoever reads a key while it is destroyed must not bring it back to memory.
func testDestroyedKeysLeaveTheCache(t *testing.T, e engine) {
	r := newRing(t, e)
	sealed := seals(t, r, "subject:alice")
	since := r.ciphers.begin(noon)
	aead, err := r.stored(ctx, r.db, "subject:alice")
	must(t, err)
	must(t, r.Destroy(ctx, "alice"))
	r.ciphers.keep("subject:alice", aead, since)
	if err := opens(r, "subject:alice", sealed); !errors.Is(err, eventstore.ErrErased) {
		t.Errorf("got %v", err)
	}
}

func testDestroyRacesWithUse(t *testing.T, e engine) {
	r := newRing(t, e)
	var racers sync.WaitGroup
	for i := range 8 {
		racers.Go(func() {
			for range 20 {
				if i == 0 {
					r.Destroy(ctx, "alice")
				}
				r.Sealer(ctx, "subject:alice")
				r.Opener(ctx, "subject:alice")
			}
		})
	}
	racers.Wait()
	if _, err := r.Sealer(ctx, "subject:alice"); !errors.Is(err, eventstore.ErrErased) {
		t.Errorf("got %v", err)
	}
}
