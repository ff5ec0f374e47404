package projections

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// An election lets one node at a time run what it is elected for.
type election struct {
	mu    sync.Mutex
	chair map[string]chan struct{}
}

func (e *election) of(name string) chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.chair == nil {
		e.chair = map[string]chan struct{}{}
	}
	if e.chair[name] == nil {
		e.chair[name] = make(chan struct{}, 1)
	}
	return e.chair[name]
}

func (e *election) lead(ctx context.Context, name string, run func(context.Context)) {
	chair := e.of(name)
	for {
		select {
		case chair <- struct{}{}:
			run(ctx)
			<-chair
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// node opens a set on a shared database and runs it until stopped.
func (h *house) node(db *sql.DB, e *election, all ...Projection) (s *Set, stop func()) {
	h.t.Helper()
	if len(all) == 0 {
		all = All
	}
	s, err := open(context.Background(), Config{DB: db, Dialect: dialect(), Journal: h.journal, Scratch: scratchIn(h.t), Lead: e.lead}, all)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	stop = func() { cancel(); <-done }
	h.t.Cleanup(stop)
	return s, stop
}

// fresh is what one node makes of the log in tables of its own.
func (h *house) fresh() string {
	h.t.Helper()
	s := h.open(inMemory(h.t))
	if err := s.CatchUp(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	return dump(h.t, s.followers)
}

// allAt waits until every node has seen the whole log.
func (h *house) allAt(nodes ...*Set) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, s := range nodes {
		if err := s.WaitFor(ctx, h.head()); err != nil {
			h.t.Fatal(err)
		}
	}
}

// One that was paused while another was elected comes back and folds beside it.
func TestTwoNodesThatFoldAtOnceFoldEachEventOnce(t *testing.T) {
	for seed := range uint64(3) {
		h := newHouse(t)
		db := inFile(t)
		one, _ := h.node(db, &election{})
		other, _ := h.node(db, &election{}) // each elected by itself alone
		for _, s := range []*Set{one, other} {
			s.backoff = func(int) time.Duration { return time.Millisecond }
		}
		randomHistory(h, 31+seed, 300)
		h.allAt(one, other)
		same(t, dump(t, one.followers), h.fresh())
	}
}

func TestOneNodeFoldsAndTheOthersFollow(t *testing.T) {
	h := newHouse(t)
	db, e := inFile(t), &election{}
	first, stop := h.node(db, e)
	h.register("one", "One")
	h.allAt(first)
	second, _ := h.node(db, e)
	h.tell()
	h.allAt(second, first)
	for _, f := range first.followers {
		if !f.folds.Load() {
			t.Errorf("nobody folds %s", f.Name)
		}
	}
	if _, found, err := second.Clients.Get(context.Background(), "budgetly"); !found || err != nil {
		t.Errorf("the other node does not see what was waited for: %v", err)
	}
	for _, f := range second.followers {
		if f.folds.Load() {
			t.Errorf("both fold %s", f.Name)
		}
	}
	all, err := second.Health(context.Background())
	if err != nil || all[0].Lag() != 0 || all[0].Failing != "" {
		t.Errorf("health of who follows is %+v, %v", all, err)
	}
	stop()
	h.register("two", "Two") // now the other is elected
	h.allAt(second)
	same(t, dump(t, second.followers), h.fresh())
}

func TestARebuildOnOneNodeIsSeenByTheOthers(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	db, e := inFile(t), &election{}
	folds, _ := h.node(db, e)
	h.tell()
	h.allAt(folds)
	other, _ := h.node(db, e)
	done := make(chan error, 1)
	go func() {
		var err error
		for range 5 {
			err = errors.Join(err, other.Rebuild(ctx, "audit"))
		}
		done <- err
	}()
	for open := true; open; { // asking and writing all the while
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			open = false
		default:
			h.register(uuid.NewString(), "Late")
			if l, err := folds.Audit.Search(ctx, Query{Type: "consent.revoked"}); err != nil || len(l.Items) != 1 {
				t.Fatalf("during a rebuild: %d entries, %v", len(l.Items), err)
			}
		}
	}
	h.register("last", "Last")
	h.allAt(folds, other)
	f, _ := folds.follower("audit")
	if n := h.generation(f); n != 6 {
		t.Errorf("it answers from generation %d", n)
	}
	same(t, dump(t, folds.followers), h.fresh())
}

// Tables that another node began anew, since they were of another log, are
// folded from their beginning.
func TestTablesThatWereBegunAnewAreFoldedFromTheBeginning(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	db := inFile(t)
	s, _ := h.node(db, &election{})
	s.backoff = func(int) time.Duration { return time.Millisecond }
	h.tell()
	h.allAt(s)
	for _, f := range s.followers {
		var k known
		err := s.db.read(ctx, f.active(), func(tx *Tx) (err error) {
			k.checkpoint, err = tx.locate(ctx)
			k.build = tx.build
			return err
		})
		if err == nil {
			err = s.db.renounce(ctx, k)
		}
		if err == nil {
			_, err = s.db.choose(ctx, f.Projection)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	h.register("late", "Late")
	for _, f := range s.followers {
		for at := eventstore.Position(0); at < h.head(); {
			at, _ = f.position(ctx)
		}
	}
	h.allAt(s)
	same(t, dump(t, s.followers), h.fresh())
}

func TestABatchThatBeginsBeyondItsTablesIsNotFolded(t *testing.T) {
	h := newHouse(t)
	h.tell()
	events := h.events()
	_, err := h.set.db.apply(context.Background(), h.set.followers[0].active(), batch{after: 4, events: events[4:], mark: h.head()})
	if !errors.Is(err, errGap) {
		t.Errorf("got %v", err)
	}
}

// Nodes of three versions share a database: each has tables of its own, and
// none drops those of another.
func TestVersionsLiveSideBySide(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	db, e := inFile(t), &election{}
	h.tell()
	var nodes []*Set
	for version := 1; version <= 3; version++ {
		p := clientsProjection
		p.Version = version
		s, _ := h.node(db, e, p)
		nodes = append(nodes, s)
	}
	h.register("late", "Late")
	h.allAt(nodes...)
	for i, s := range nodes {
		if _, found, err := s.Clients.Get(ctx, "late"); !found || err != nil {
			t.Errorf("version %d: %v, %v", i+1, found, err)
		}
	}
	same(t, tables(t, db), "clients_v1_g1 clients_v2_g1 clients_v3_g1 projection_builds")
}

func TestOnlyWhatStandsStillIsLeftBehind(t *testing.T) {
	at := func(version, generation int, active bool, p eventstore.Position) known {
		return known{build{Projection{Version: version}, generation}, checkpoint{position: p}, active}
	}
	all := []known{
		at(1, 1, true, 7), at(2, 1, true, 9), at(2, 2, false, 4), at(3, 1, true, 9), at(3, 2, false, 5), at(4, 1, true, 9), at(4, 2, false, 1),
	}
	if old := leftOver(all, 3); len(old) != 3 || old[0].Version != 1 || old[1].generation != 2 || old[2].Version != 3 {
		t.Errorf("left over are %v", old)
	}
	if old := leftOver(append(all[:1:1], all[3]), 3); len(old) != 0 {
		t.Errorf("the version before is left over: %v", old)
	}
	seen := standing{}
	later := func(d time.Duration) time.Time { return begin.Add(d) }
	candidates := []known{at(1, 1, true, 7), at(1, 2, false, 7), at(2, 1, true, 9)}
	if left := seen.still(candidates, 9, later(0)); len(left) > 0 {
		t.Errorf("at first sight: %v", left)
	}
	candidates[1].position++ // somebody rebuilds it
	if left := seen.still(candidates, 9, later(abandoned)); len(left) != 1 || left[0].Version != 1 || left[0].generation != 1 {
		t.Errorf("after a while: %v", left)
	}
	if left := seen.still(candidates[1:], 9, later(2*abandoned)); len(left) != 1 || left[0].generation != 2 {
		t.Errorf("later: %v", left)
	}
}

func TestTheDatabaseKnowsBestHowFarTablesAre(t *testing.T) {
	w := newWaits(7)
	for _, p := range []eventstore.Position{9, 3, 4} {
		if w.is(p); w.at() != p {
			t.Errorf("at %d, not %d", w.at(), p)
		}
	}
	if w.reach(2); w.at() != 4 {
		t.Errorf("it went back to %d", w.at())
	}
}
