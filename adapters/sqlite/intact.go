package sqlite

import (
	"context"
	"fmt"

	"github.com/chirograph/chirograph/eventstore/ledger"
)

var _ ledger.Intact = (*Log)(nil)

// Intact checks the structure of the file and that every index agrees with
// its table: a stream that is not found any more would look like one that
// never was. It reads the whole file, on a connection of its own.
func (l *Log) Intact(ctx context.Context) error {
	c, err := openReader(l.path)
	if err != nil {
		return told(err)
	}
	defer c.Close()
	c.SetInterrupt(ctx.Done())
	finding, err := queryText(c, "PRAGMA integrity_check(1)")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("check file: %w", told(err))
	}
	if finding != "ok" {
		return &ledger.AlteredError{What: "database file: " + finding}
	}
	return nil
}
