package tables

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
)

func TestUpdate(t *testing.T) {
	engines(t, func(t *testing.T, fresh func() place) {
		d := open(t, fresh())
		broken := errors.New("broken")
		runs := 0
		err := d.Update(ctx, func(tx Tx) error {
			runs++
			_, err := tx.Exec(ctx, `INSERT INTO things (name, n) VALUES ('x', 1)`)
			return errors.Join(err, broken)
		})
		var rows int
		must(t, d.QueryRow(ctx, "SELECT count(*) FROM things").Scan(&rows))
		if !errors.Is(err, broken) || rows != 0 || runs != 1 {
			t.Errorf("after %d runs: %v, and %d rows stay", runs, err, rows)
		}
	})
}

// Nobody loses what another one wrote, whether the row was there or not.
func TestLockedRowsLoseNothing(t *testing.T) {
	engines(t, func(t *testing.T, fresh func() place) {
		d := open(t, fresh())
		var racers sync.WaitGroup
		for i := range 40 {
			racers.Go(func() {
				if err := d.Update(ctx, func(tx Tx) error { return add(tx, fmt.Sprint(i%2)) }); err != nil {
					t.Error(err)
				}
			})
		}
		racers.Wait()
		for _, name := range []string{"0", "1"} {
			var n int
			must(t, d.QueryRow(ctx, "SELECT n FROM things WHERE name = ?", name).Scan(&n))
			if n != 20 {
				t.Errorf("%s was counted %d times, want 20", name, n)
			}
		}
	})
}

// add looks for a row and changes or makes it.
func add(tx Tx, name string) error {
	var n int
	err := tx.Lock(ctx, `SELECT n FROM things WHERE name = ?`, name).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = tx.Exec(ctx, `INSERT INTO things (name, n) VALUES (?, 1)`, name)
		return err
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE things SET n = ? WHERE name = ?`, n+1, name)
	return err
}

// Two transactions that wait for each other both succeed in the end.
func TestDeadlocksAreBegunAgain(t *testing.T) {
	d, err := Share(ctx, handle(t, pgtest.New(t), "deadlock"), things)
	must(t, err)
	for _, name := range []string{"a", "b"} {
		must(t, d.Update(ctx, func(tx Tx) error { return add(tx, name) }))
	}
	var held, racers sync.WaitGroup
	held.Add(2)
	var runs atomic.Int32
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		racers.Go(func() {
			wait := sync.OnceFunc(func() { held.Done(); held.Wait() })
			err := d.Update(ctx, func(tx Tx) error {
				runs.Add(1)
				if _, err := tx.Exec(ctx, "SET LOCAL deadlock_timeout = '20ms'"); err != nil {
					return err
				}
				if err := add(tx, order[0]); err != nil {
					return err
				}
				wait()
				return add(tx, order[1])
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	racers.Wait()
	var n int
	must(t, d.QueryRow(ctx, "SELECT sum(n) FROM things").Scan(&n))
	if n != 6 || runs.Load() < 3 {
		t.Errorf("counted %d in %d runs", n, runs.Load())
	}
}

// A row that is refused for good is refused in the end.
func TestARefusalThatStays(t *testing.T) {
	engines(t, func(t *testing.T, fresh func() place) {
		d := open(t, fresh())
		must(t, d.Update(ctx, func(tx Tx) error { return add(tx, "a") }))
		runs := 0
		err := d.Update(ctx, func(tx Tx) error {
			runs++
			_, err := tx.Exec(ctx, `INSERT INTO things (name, n) VALUES ('a', 1)`)
			return err
		})
		if err == nil || runs > attempts {
			t.Errorf("after %d runs: %v", runs, err)
		}
	})
}

func TestSweepWaitsForNobody(t *testing.T) {
	d, err := Share(ctx, handle(t, pgtest.New(t), "sweep"), things)
	must(t, err)
	for _, name := range []string{"held", "free", "other"} {
		must(t, d.Update(ctx, func(tx Tx) error { return add(tx, name) }))
	}
	must(t, d.Update(ctx, func(holder Tx) error {
		if err := add(holder, "held"); err != nil {
			return err
		}
		return d.Update(ctx, func(tx Tx) error { return tx.Sweep(ctx, "things", "id", "n >= ? AND name <> ?", 1, "other") })
	}))
	left, err := Column(d.Query(ctx, "SELECT name FROM things ORDER BY name"))
	if err != nil || len(left) != 2 || left[0] != "held" || left[1] != "other" {
		t.Errorf("left are %v (%v)", left, err)
	}
}
