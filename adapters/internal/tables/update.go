package tables

import (
	"context"
	"database/sql"
	"errors"
)

// attempts bounds how often a transaction is begun in spite of racers.
const attempts = 10

// Update runs do in one transaction, which is durable when Update returns nil.
// A transaction that a racer on a shared database got in the way of left
// nothing behind, and do runs again.
func (d *DB) Update(ctx context.Context, do func(Tx) error) error {
	for n := 1; ; n++ {
		err := d.update(ctx, do)
		if n == attempts || !raced(err) {
			return err
		}
	}
}

func (d *DB) update(ctx context.Context, do func(Tx) error) error {
	var options *sql.TxOptions
	if d.shared {
		// Each statement sees what was committed before it, so that a
		// transaction that had to wait for a row goes on with its newest state.
		options = &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	tx, err := d.write.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(Tx{d, tx}); err != nil {
		return err
	}
	return tx.Commit()
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
