package keys

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/internal/tables"
	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"
)

// A clock is read by the nodes of a test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// nodes are rings on one database.
func nodes(t *testing.T, e engine, n int) ([]*Ring, *clock) {
	t.Helper()
	p, m, c := e(t), newMaster(t), &clock{now: noon}
	all := make([]*Ring, n)
	for i := range all {
		var err error
		all[i], err = p(m, Settings{Now: c.Now})
		must(t, err)
	}
	return all, c
}

func TestNodes(t *testing.T) {
	e := shared(t)
	for _, r := range []struct {
		name string
		test func(*testing.T, engine)
	}{
		{"agree on every key", testNodesAgreeOnKeys},
		{"refuse within a second what another destroyed", testDestroyedOnAnotherNode},
		{"know at once that a signing key was destroyed", testSigningKeyDestroyedOnAnotherNode},
		{"agree on a signing key and a secret", testNodesAgreeOnNames},
		{"that begin together have one master key", testNodesBeginTogether},
		{"let no journey outlive its subject", testAdoptionRacesWithDestruction},
		{"give one journey to one subject", testAdoptionsRace},
		{"leave no slot of a destroyed key", testUseRacesWithDestruction},
		{"sweep together", testNodesSweepTogether},
		{"hold rows in one order", testRowsAreHeldInOneOrder},
		{"overwrite and vacuum", testSlotsAreVacuumed},
		{"open what another sealed, reading only", testReadingOnly},
	} {
		t.Run(r.name, func(t *testing.T) { r.test(t, e) })
	}
}

// each runs do on every node at once, several times.
func each(all []*Ring, times int, do func(node, n int, r *Ring)) {
	var racers sync.WaitGroup
	for i, r := range all {
		for n := range times {
			racers.Go(func() { do(i, n, r) })
		}
	}
	racers.Wait()
}

func testNodesAgreeOnKeys(t *testing.T, e engine) {
	all, _ := nodes(t, e, 3)
	for round := range 10 {
		holder := fmt.Sprint("journey:", round)
		if round%2 == 0 { // has a row, but no key
			must(t, all[0].Adopt(ctx, fmt.Sprint(round), "alice"))
		}
		var mu sync.Mutex
		var ciphers []cipher.AEAD
		each(all, 4, func(_, _ int, r *Ring) {
			aead, err := r.Sealer(ctx, holder)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ciphers = append(ciphers, aead)
		})
		first := ciphers[0].Seal(nil, make([]byte, 12), []byte("x"), nil)
		for _, c := range ciphers {
			if !bytes.Equal(c.Seal(nil, make([]byte, 12), []byte("x"), nil), first) {
				t.Fatalf("round %d: two keys for one holder", round)
			}
		}
	}
	var slots int
	must(t, all[0].db.QueryRow(ctx, "SELECT count(*) FROM slots").Scan(&slots))
	if slots != 10 {
		t.Errorf("%d keys are kept, want 10", slots)
	}
}

func testDestroyedOnAnotherNode(t *testing.T, e engine) {
	all, c := nodes(t, e, 2)
	sealed := seals(t, all[0], "subject:alice")
	must(t, opens(all[1], "subject:alice", sealed)) // and has it in memory
	c.pass(Trusted / 2)
	must(t, opens(all[1], "subject:alice", sealed)) // which does not make it younger
	must(t, all[0].Destroy(ctx, "alice"))
	if err := opens(all[0], "subject:alice", sealed); !errors.Is(err, eventstore.ErrErased) {
		t.Errorf("where it was destroyed: %v", err)
	}
	c.pass(Trusted / 2)
	if err := opens(all[1], "subject:alice", sealed); !errors.Is(err, eventstore.ErrErased) {
		t.Errorf("opener of the other node: %v", err)
	}
	if _, err := all[1].Sealer(ctx, "subject:alice"); !errors.Is(err, eventstore.ErrErased) {
		t.Errorf("sealer of the other node: %v", err)
	}
}

// What is in memory is not asked for again within the second, and a clock that
// was set back does not make it last.
func TestHowLongACipherIsTrusted(t *testing.T) {
	for _, tt := range []struct {
		name   string
		shared bool
		after  time.Duration
		found  bool
	}{
		{"a shared one at once", true, 0, true},
		{"just before the second is over", true, Trusted - 1, true},
		{"not after a second", true, Trusted, false},
		{"not when the clock was set back", true, -1, false},
		{"one of a file for ever", false, time.Hour, true},
	} {
		r := newRing(t, files)
		r.ciphers.shared = tt.shared
		seals(t, r, "subject:alice")
		if _, found := r.ciphers.of("subject:alice", noon.Add(tt.after)); found != tt.found {
			t.Errorf("%s: found %v", tt.name, found)
		}
	}
}

func testSigningKeyDestroyedOnAnotherNode(t *testing.T, e engine) {
	all, _ := nodes(t, e, 2)
	must(t, all[0].SigningKeys().Put(ctx, "k", "fapi2", "ES256", newEC(t)))
	_, err := all[1].SigningKeys().Get(ctx, "k")
	must(t, err)
	must(t, all[0].SigningKeys().Destroy(ctx, "k"))
	if _, err := all[1].SigningKeys().Get(ctx, "k"); !errors.Is(err, ErrDestroyed) {
		t.Errorf("got %v", err)
	}
}

func testNodesAgreeOnNames(t *testing.T, e engine) {
	all, _ := nodes(t, e, 3)
	for round := range 10 {
		name := fmt.Sprint(round)
		var mu sync.Mutex
		won := map[string]int{}
		each(all, 2, func(node, n int, r *Ring) {
			secret := r.PutSecret(ctx, name, fmt.Appendf(nil, "%d/%d", node, n))
			key := r.SigningKeys().Put(ctx, name, "fapi2", "ES256", newEC(t))
			mu.Lock()
			defer mu.Unlock()
			for what, err := range map[string]error{"secret": secret, "key": key} {
				if err == nil {
					won[what]++
				} else if !errors.Is(err, ErrTaken) {
					t.Error(err)
				}
			}
		})
		if won["secret"] != 1 || won["key"] != 1 {
			t.Fatalf("round %d: %v were put", round, won)
		}
	}
	var slots int
	must(t, all[0].db.QueryRow(ctx, "SELECT count(*) FROM slots").Scan(&slots))
	if slots != 20 {
		t.Errorf("%d keys and secrets are kept, want 20", slots)
	}
}

// Who waits for a subject holds none of its journeys, however they are named.
func testRowsAreHeldInOneOrder(t *testing.T, e engine) {
	all, _ := nodes(t, e, 2)
	holders := []string{"journey:1", "subject:alice", "client:x"}
	for _, h := range holders {
		seals(t, all[0], h)
	}
	done := make(chan error)
	must(t, all[0].db.Update(ctx, func(tx tables.Tx) error {
		if _, err := find(ctx, tx, "subject:alice"); err != nil {
			return err
		}
		go func() { done <- all[1].DestroyHolders(ctx, holders...) }()
		for waiting := 0; waiting == 0; {
			err := all[0].db.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()").Scan(&waiting)
			if err != nil {
				return err
			}
		}
		free, err := tables.Column(tx.Query(ctx, "SELECT holder FROM keys WHERE holder <> 'subject:alice' FOR UPDATE SKIP LOCKED"))
		if len(free) != 2 {
			t.Errorf("only %v are free", free)
		}
		return err
	}))
	must(t, <-done)
}

func testSlotsAreVacuumed(t *testing.T, e engine) {
	all, _ := nodes(t, e, 2)
	seals(t, all[0], "subject:alice")
	for _, r := range []*Ring{all[0], all[1], all[0]} { // each node follows an erasure
		must(t, r.Destroy(ctx, "alice"))
	}
	var wrapped []byte
	must(t, all[0].db.QueryRow(ctx, "SELECT wrapped FROM slots").Scan(&wrapped))
	if len(wrapped) == 0 || len(bytes.Trim(wrapped, "\x00")) > 0 {
		t.Error("the slot is not overwritten")
	}
	var times int
	must(t, all[0].db.QueryRow(ctx, `
		SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'slots' AND schemaname = current_schema()`).Scan(&times))
	if times != 1 {
		t.Errorf("the table was vacuumed %d times", times)
	}
}

func testReadingOnly(t *testing.T, _ engine) {
	url, m := pgtest.New(t), newMaster(t)
	db, err := postgres.OpenSQL(ctx, url, "read")
	must(t, err)
	defer db.Close()
	read, err := postgres.OpenSQLForReading(ctx, url, "read")
	must(t, err)
	defer read.Close()
	if _, err := OpenSharedForReading(ctx, read, m, at(noon)); !errors.Is(err, ErrNone) {
		t.Errorf("no keyring: %v", err)
	}
	r, err := OpenShared(ctx, db, m, at(noon))
	must(t, err)
	sealed := seals(t, r, "subject:alice")
	if _, err := OpenSharedForReading(ctx, read, newMaster(t), at(noon)); !errors.Is(err, ErrWrongMaster) {
		t.Errorf("another master key: %v", err)
	}
	reader, err := OpenSharedForReading(ctx, read, m, at(noon))
	must(t, err)
	must(t, opens(reader, "subject:alice", sealed))
	if _, err := reader.Sealer(ctx, "subject:ben"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a new key: %v", err)
	}
	if err := reader.Destroy(ctx, "alice"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a destruction: %v", err)
	}
}
