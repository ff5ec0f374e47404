package projections

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// running starts the projections of a house and stops them with the test.
func (h *house) running() {
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { h.set.Run(ctx) })
	h.t.Cleanup(func() { stop(); done.Wait() })
}

func TestWhoWritesReadsWhatWasWritten(t *testing.T) {
	h := newHouse(t)
	h.set = h.open(inFile(t))
	h.running()
	for _, id := range []string{"one", "two", "three"} {
		written := h.recordClient(id)
		if err := h.set.WaitFor(context.Background(), written); err != nil {
			t.Fatal(err)
		}
		if _, found, err := h.set.Clients.Get(context.Background(), id); !found || err != nil {
			t.Errorf("%s is not there: %v", id, err)
		}
	}
}

func (h *house) recordClient(id string) eventstore.Position {
	h.register(id, id)
	return h.head()
}

func TestRunEqualsCatchUp(t *testing.T) {
	h := newHouse(t)
	live := h.open(inFile(t))
	h.catchUp()
	h.set, live = live, h.set
	h.running()
	randomHistory(h, 11, 300)
	if err := h.set.WaitFor(context.Background(), h.head()); err != nil {
		t.Fatal(err)
	}
	if err := live.CatchUp(context.Background()); err != nil {
		t.Fatal(err)
	}
	same(t, dump(t, h.set.followers), dump(t, live.followers))
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	h := newHouse(t)
	h.register("one", "One")
	ctx, stop := context.WithCancel(context.Background())
	stop()
	err := h.set.WaitFor(ctx, h.head())
	if !errors.Is(err, ErrBehind) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := h.set.WaitFor(ctx, 0); err != nil {
		t.Errorf("nothing to wait for: %v", err)
	}
}

// fragileProjection fails, by an error or a panic, until it is mended.
func fragileProjection() (p Projection, broken *atomic.Bool, tried chan struct{}) {
	broken, tried = &atomic.Bool{}, make(chan struct{}, 100)
	broken.Store(true)
	p = clientsProjection
	p.Fold = func(ctx context.Context, tx *Tx, events []eventstore.Decoded) error {
		if !broken.Load() {
			return foldClients(ctx, tx, events)
		}
		select {
		case tried <- struct{}{}:
		default: // enough
		}
		if len(tried)%2 == 0 {
			panic("a bug")
		}
		return errors.New("a fault")
	}
	return p, broken, tried
}

// A projection that fails is started again from its checkpoint; the others go
// on meanwhile, and so does the writer.
func TestAFailingProjectionIsStartedAgainAndHoldsNobodyUp(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	fragile, broken, tried := fragileProjection()
	set, err := open(ctx, Config{DB: inFile(t), Dialect: dialect(), Journal: h.journal}, []Projection{fragile, consentsProjection, accessesProjection, auditProjection})
	if err != nil {
		t.Fatal(err)
	}
	set.backoff = func(int) time.Duration { return 0 }
	h.set = set
	h.running()
	h.tell()
	for range 4 {
		<-tried
	}
	for _, f := range h.set.followers[1:] {
		if err := f.waits.wait(ctx, h.head()); err != nil {
			t.Fatal(err)
		}
	}
	all, err := set.Health(ctx)
	if err != nil || all[0].Failing == "" || all[0].Failures == 0 || all[0].Lag() == 0 || all[0].Since.IsZero() {
		t.Errorf("health is %+v, %v", all[0], err)
	}
	if all[1].Failing != "" || all[1].Lag() != 0 {
		t.Errorf("health of another is %+v", all[1])
	}
	broken.Store(false)
	if err := set.WaitFor(ctx, h.head()); err != nil {
		t.Fatal(err)
	}
	if all, _ = set.Health(ctx); all[0].Failing != "" || all[0].Lag() != 0 {
		t.Errorf("health after it is %+v", all[0])
	}
	if _, found, _ := set.Clients.Get(ctx, "budgetly"); !found {
		t.Error("what failed was left out")
	}
}

func TestBackoffDoublesUpToAMinute(t *testing.T) {
	for failures, want := range map[int]time.Duration{1: 250 * time.Millisecond, 2: 500 * time.Millisecond, 8: 32 * time.Second, 9: time.Minute, 1000: time.Minute} {
		if got := backoff(failures); got != want {
			t.Errorf("after %d failures: %v, want %v", failures, got, want)
		}
	}
}

func TestRunEndsWhenTheLogCloses(t *testing.T) {
	h := newHouse(t)
	ctx, stop := context.WithCancel(context.Background())
	paused := make(chan struct{}, len(All))
	h.set.backoff = func(int) time.Duration { paused <- struct{}{}; return time.Hour }
	done := make(chan struct{})
	go func() { h.set.Run(ctx); close(done) }()
	h.log.Close()
	for range All {
		<-paused
	}
	stop()
	<-done
}
