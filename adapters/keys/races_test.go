package keys

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/internal/tables"
	"github.com/chirograph/chirograph/eventstore"
)

func testNodesBeginTogether(t *testing.T, e engine) {
	for range 5 {
		p := e(t)
		var racers sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			m := newMaster(t)
			racers.Go(func() { _, errs[i] = p(m, Settings{}) })
		}
		racers.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, ErrWrongMaster) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Fatalf("%d master keys were accepted", won)
		}
	}
}

func testAdoptionRacesWithDestruction(t *testing.T, e engine) {
	all, c := nodes(t, e, 2)
	for round := range 30 {
		subject, journey := fmt.Sprint("s", round), fmt.Sprint("j", round)
		if round%3 > 0 {
			seals(t, all[0], "journey:"+journey)
		}
		if round%2 > 0 {
			seals(t, all[0], "subject:"+subject)
		}
		each(all, 1, func(node, _ int, r *Ring) {
			if node == 0 {
				if err := r.Destroy(ctx, subject); err != nil {
					t.Error(err)
				}
			} else if err := r.Adopt(ctx, journey, subject); err != nil && !errors.Is(err, eventstore.ErrErased) {
				t.Error(err)
			}
		})
		c.pass(Trusted)
		for _, h := range []string{"subject:" + subject, "journey:" + journey} {
			for i, r := range all {
				if _, err := r.Sealer(ctx, h); !errors.Is(err, eventstore.ErrErased) {
					t.Fatalf("round %d: %s is not erased on node %d: %v", round, h, i, err)
				}
			}
		}
	}
}

func testAdoptionsRace(t *testing.T, e engine) {
	all, _ := nodes(t, e, 3)
	for round := range 10 {
		var mu sync.Mutex
		won := 0
		each(all, 1, func(node, _ int, r *Ring) {
			err := r.Adopt(ctx, fmt.Sprint(round), fmt.Sprint("s", node))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, ErrAdopted) {
				t.Error(err)
			}
		})
		if won != 1 {
			t.Fatalf("round %d: %d subjects adopted one journey", round, won)
		}
	}
}

func testUseRacesWithDestruction(t *testing.T, e engine) {
	all, _ := nodes(t, e, 3)
	for round := range 20 {
		subject := fmt.Sprint(round)
		each(all, 2, func(node, n int, r *Ring) {
			if node == 0 && n == 0 {
				if err := r.Destroy(ctx, subject); err != nil {
					t.Error(err)
				}
			}
			r.Sealer(ctx, "subject:"+subject)
		})
	}
	held, err := tables.Column(all[0].db.Query(ctx, "SELECT wrapped FROM slots"))
	must(t, err)
	for _, wrapped := range held {
		if len(bytes.Trim([]byte(wrapped), "\x00")) > 0 {
			t.Error("a key of a destroyed holder is kept")
		}
	}
}

func testNodesSweepTogether(t *testing.T, e engine) {
	all, c := nodes(t, e, 3)
	for i := range 40 {
		seals(t, all[0], fmt.Sprint("journey:", i))
	}
	c.pass(40 * 24 * time.Hour)
	var mu sync.Mutex
	total := 0
	var adopted []string
	each(all, 2, func(node, n int, r *Ring) {
		if n == 1 { // while the others sweep
			for i := node; i < 40; i += 3 {
				err := r.Adopt(ctx, fmt.Sprint(i), "alice")
				mu.Lock()
				if err == nil {
					adopted = append(adopted, fmt.Sprint("journey:", i))
				} else if !errors.Is(err, eventstore.ErrErased) {
					t.Error(err)
				}
				mu.Unlock()
			}
			return
		}
		swept, err := r.DestroyExpired(ctx, c.Now())
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		total += swept
	})
	gone, err := all[0].Destroyed(ctx)
	must(t, err)
	if total != len(gone) || total+len(adopted) != 40 {
		t.Errorf("%d were counted, %d are gone, %d were adopted", total, len(gone), len(adopted))
	}
	for _, h := range adopted {
		if slices.Contains(gone, h) {
			t.Errorf("%s was adopted and swept", h)
		}
	}
}
