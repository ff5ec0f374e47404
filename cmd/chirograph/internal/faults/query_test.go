package faults

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
)

// query asks the database itself. No row leaves out as it is.
func (s *site) query(t testing.TB, sql string, out *string) {
	t.Helper()
	ctx, done := background()
	defer done()
	c, err := pgx.Connect(ctx, s.store.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if err := c.QueryRow(ctx, sql).Scan(out); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatal(err)
	}
}
