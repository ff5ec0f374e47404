package tables

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// attempts bounds how often a transaction is begun in spite of racers.
const attempts = 10

// Update runs do in one transaction, which is durable when Update returns nil.
// A transaction that a racer on a shared database got in the way of left
// nothing behind, and do runs again.
func (d *DB) Update(ctx context.Context, do func(Tx) error) error {
	if d.readOnly {
		return ErrReadOnly
	}
	return d.repeat(ctx, d.bound(patience), do)
}

// repeat is [DB.Update] that ends at a time, if that is not zero.
func (d *DB) repeat(ctx context.Context, until time.Time, do func(Tx) error) error {
	for n := 1; ; n++ {
		err := d.update(ctx, until, do)
		if n == attempts || !raced(err) {
			return err
		}
	}
}

func (d *DB) update(ctx context.Context, until time.Time, do func(Tx) error) error {
	c := d.begin(ctx, until)
	defer c.end()
	var options *sql.TxOptions
	if d.shared {
		// Each statement sees what was committed before it, so that a
		// transaction that had to wait for a row goes on with its newest state.
		options = &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	tx, err := d.write.BeginTx(c.ctx, options)
	if err != nil {
		return c.judged(err)
	}
	defer tx.Rollback()
	t := Tx{db: d, tx: tx, until: until, traces: new(bool)}
	if err := do(t); err != nil {
		return err
	}
	if *t.traces {
		defer d.unclean.Store(true) // after an error too: the outcome may be unknown
		if err := t.note(ctx); err != nil {
			return err
		}
	}
	return c.judged(tx.Commit())
}

// raced reports whether PostgreSQL refused a transaction because of another
// one that ran at the same time.
func raced(err error) bool {
	var refusal interface {
		error
		SQLState() string
	}
	if !errors.As(err, &refusal) {
		return false
	}
	switch refusal.SQLState() {
	case "23505", // unique_violation: what was missing a moment ago
		"40001", // serialization_failure
		"40P01": // deadlock_detected
		return true
	}
	return false
}
