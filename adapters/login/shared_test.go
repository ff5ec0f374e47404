package login

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
)

func TestNodes(t *testing.T) {
	e := shared(t)
	for _, r := range []struct {
		name string
		test func(*testing.T, engine)
	}{
		{"find each other's sessions", testSessionsOfAnotherNode},
		{"write that a session is in use once", testTouchOnTwoNodes},
		{"know each other's passwords and customers", testPasswordsOfAnotherNode},
		{"count guesses together", testGuessesOnThreeNodes},
		{"lose no failure", testNoFailureIsLost},
		{"give one name to one customer", testNamesRace},
		{"sweep together", testNodesSweepTogether},
		{"vacuum once for a subject that all erase", testErasureOnEveryNode},
		{"find a session, reading only", testReadingOnly},
		{"count the signatures of a passkey together", testPasskeyOnTwoNodes},
	} {
		t.Run(r.name, func(t *testing.T) { r.test(t, e) })
	}
}

// nodes are stores on one database.
func nodes(t *testing.T, e engine, n int) []*Store {
	t.Helper()
	p, keys, all := e(t), &keyring{erased: map[string]bool{}}, make([]*Store, n)
	for i := range all {
		all[i] = open(t, p, keys)
	}
	return all
}

// each runs do on every node at once, several times.
func each(all []*Store, times int, do func(node, n int, s *Store)) {
	var racers sync.WaitGroup
	for i, s := range all {
		for n := range times {
			racers.Go(func() { do(i, n, s) })
		}
	}
	racers.Wait()
}

func testSessionsOfAnotherNode(t *testing.T, e engine) {
	tests := []struct {
		name  string
		after func(there *Store, cookie string) error
		lives bool
	}{
		{"a session is found at once", func(*Store, string) error { return nil }, true},
		{"it ends at sign-out", func(there *Store, cookie string) error { return there.End(ctx, "fapi2", cookie) }, false},
		{"with all of its subject", func(there *Store, _ string) error { return there.EndAll(ctx, "c-1") }, false},
		{"when it is renewed", func(there *Store, cookie string) error {
			_, _, err := there.Renew(ctx, cookie, alice, noon)
			return err
		}, false},
		{"when the password changes", func(there *Store, _ string) error {
			return there.SetPassword(ctx, "fapi2", "c-1", "alice", "close sesame")
		}, false},
		{"when the subject is erased", func(there *Store, _ string) error { return there.Erase(ctx, "c-1") }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := nodes(t, e, 2)
			cookie, _, err := all[0].Start(ctx, alice, noon)
			must(t, err)
			if _, err := all[1].Find(ctx, "fapi2", cookie, noon); err != nil {
				t.Errorf("on the other node: %v", err)
			}
			must(t, tt.after(all[1], cookie))
			for i, s := range all {
				if _, err := s.Find(ctx, "fapi2", cookie, noon); (err == nil) != tt.lives || err != nil && !errors.Is(err, ErrNoSession) {
					t.Errorf("then on node %d: %v", i, err)
				}
			}
		})
	}
}

func testTouchOnTwoNodes(t *testing.T, e engine) {
	all := nodes(t, e, 2)
	_, found, err := all[0].Start(ctx, alice, noon)
	must(t, err)
	version := func() (v string) {
		must(t, all[0].db.QueryRow(ctx, "SELECT CAST(xmin AS text) FROM sessions").Scan(&v))
		return v
	}
	before := version()
	must(t, all[0].Touch(ctx, found, noon.Add(time.Minute)))
	first := version()
	must(t, all[1].Touch(ctx, found, noon.Add(time.Minute+time.Second))) // which has seen the same
	if first == before || version() != first {
		t.Error("it was not written once")
	}
	must(t, all[1].Touch(ctx, found, noon.Add(2*time.Minute)))
	if version() == first {
		t.Error("it was not written again after a minute")
	}
}

func testPasswordsOfAnotherNode(t *testing.T, e engine) {
	all := nodes(t, e, 2)
	must(t, all[0].SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
	must(t, all[0].PutCustomer(ctx, ada))
	if got, err := all[1].Check(ctx, "fapi2", "alice", "open sesame", home, noon); got != "c-1" || err != nil {
		t.Errorf("the password: %q, %v", got, err)
	}
	if got, err := all[1].Customer(ctx, "c-1"); err != nil || got.Name != ada.Name {
		t.Errorf("the record: %v, %v", got, err)
	}
}

func testGuessesOnThreeNodes(t *testing.T, e engine) {
	for range 5 {
		all := nodes(t, e, 3)
		must(t, all[0].SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
		var looked atomic.Int32
		each(all, 8, func(_, _ int, s *Store) {
			var delay *DelayError
			switch _, err := s.Check(ctx, "fapi2", "alice", "a guess", home, noon); {
			case errors.Is(err, ErrWrong):
				looked.Add(1)
			case !errors.As(err, &delay):
				t.Error(err)
			}
		})
		if looked.Load() != 3 {
			t.Fatalf("%d guesses were looked at, want 3", looked.Load())
		}
	}
}

// Names and addresses are counted in every combination, with a free number of
// guesses that nobody reaches.
func testNoFailureIsLost(t *testing.T, e engine) {
	all := nodes(t, e, 3)
	for _, s := range all {
		s.settings.Name.Free, s.settings.Address.Free = 1000, 1000
	}
	each(all, 24, func(node, n int, s *Store) {
		_, err := s.Check(ctx, "fapi2", fmt.Sprint("name", n%3), "a guess", fmt.Sprint("192.0.2.", n%4), noon)
		if !errors.Is(err, ErrWrong) {
			t.Error(err)
		}
	})
	counts := map[int]int{}
	rows, err := all[0].db.Query(ctx, "SELECT count FROM failures")
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var n int
		must(t, rows.Scan(&n))
		counts[n]++
	}
	if len(counts) != 2 || counts[24] != 3 || counts[18] != 4 {
		t.Errorf("counted (times: rows) %v, want 24: 3 and 18: 4", counts)
	}
}

func testNamesRace(t *testing.T, e engine) {
	all := nodes(t, e, 3)
	for round := range 5 {
		var won atomic.Int32
		each(all, 1, func(node, _ int, s *Store) {
			switch err := s.SetPassword(ctx, "fapi2", fmt.Sprint("c-", node), fmt.Sprint("name", round), "open sesame"); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, ErrNameTaken):
				t.Error(err)
			}
		})
		if won.Load() != 1 {
			t.Fatalf("%d customers have one name", won.Load())
		}
	}
}

// Sweeps run while everything they delete is in use.
func testNodesSweepTogether(t *testing.T, e engine) {
	all := nodes(t, e, 3)
	late := noon.Add(24 * time.Hour)
	for i := range 20 {
		_, _, err := all[0].Start(ctx, alice, noon)
		must(t, err)
		all[0].Check(ctx, "fapi2", fmt.Sprint("name", i), "a guess", fmt.Sprint("192.0.2.", i), noon)
	}
	each(all, 8, func(node, n int, s *Store) {
		var err error
		switch n % 4 {
		case 0:
			err = s.Sweep(ctx, late)
		case 1:
			err = s.EndAll(ctx, "c-1")
		default:
			for i := range 20 {
				var delay *DelayError
				_, err := s.Check(ctx, "fapi2", fmt.Sprint("name", i), "a guess", fmt.Sprint("192.0.2.", i*7%20), late)
				if !errors.Is(err, ErrWrong) && !errors.As(err, &delay) {
					t.Error(err)
				}
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
	must(t, all[0].Sweep(ctx, late.Add(48*time.Hour)))
	for _, table := range []string{"sessions", "failures"} {
		var n int
		must(t, all[1].db.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n))
		if n != 0 {
			t.Errorf("%d %s stay", n, table)
		}
	}
}

func testErasureOnEveryNode(t *testing.T, e engine) {
	all := nodes(t, e, 2)
	must(t, all[0].PutCustomer(ctx, ada))
	for _, s := range []*Store{all[0], all[1], all[0]} {
		must(t, s.Erase(ctx, ada.Subject))
	}
	var times int
	must(t, all[0].db.QueryRow(ctx, `
		SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'customers' AND schemaname = current_schema()`).Scan(&times))
	if times != 1 {
		t.Errorf("the table was vacuumed %d times", times)
	}
}

func testReadingOnly(t *testing.T, _ engine) {
	url := pgtest.New(t)
	db, err := postgres.OpenSQL(ctx, url, "read")
	must(t, err)
	defer db.Close()
	read, err := postgres.OpenSQLForReading(ctx, url, "read")
	must(t, err)
	defer read.Close()
	if _, err := OpenSharedForReading(ctx, read, [32]byte{1}, &keyring{}, quick()); !errors.Is(err, ErrNone) {
		t.Errorf("no store: %v", err)
	}
	s, err := OpenShared(ctx, db, [32]byte{1}, &keyring{}, quick())
	must(t, err)
	cookie, _, err := s.Start(ctx, alice, noon)
	must(t, err)
	reader, err := OpenSharedForReading(ctx, read, [32]byte{1}, &keyring{}, quick())
	must(t, err)
	_, err = reader.Find(ctx, "fapi2", cookie, noon)
	must(t, err)
	if err := reader.End(ctx, "fapi2", cookie); !errors.Is(err, ErrReadOnly) {
		t.Errorf("an end: %v", err)
	}
}
