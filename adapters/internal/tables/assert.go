package tables

import (
	"context"
	"fmt"
	"slices"
)

// A setting is what durability and erasure rest on.
type setting struct {
	query string
	want  []string
}

var (
	settingsOfFile = []setting{
		{"PRAGMA journal_mode", []string{"wal"}},
		{"PRAGMA synchronous", []string{"2"}},
		{"PRAGMA secure_delete", []string{"1"}},
	}
	settingsShared = []setting{
		{"SHOW synchronous_commit", []string{"on", "remote_apply"}},
		{"SELECT CAST(pg_is_in_recovery() AS text)", []string{"false"}},
	}
)

// asserted fails unless the engine does what durability and erasure rest on.
func (d *DB) asserted(ctx context.Context) error {
	settings := settingsOfFile
	if d.shared {
		settings = settingsShared
	}
	for _, s := range settings {
		var got string
		if err := d.write.QueryRowContext(ctx, s.query).Scan(&got); err != nil {
			return err
		}
		if !slices.Contains(s.want, got) {
			return fmt.Errorf("%s is %s, not %s", s.query, got, s.want[0])
		}
	}
	return nil
}
