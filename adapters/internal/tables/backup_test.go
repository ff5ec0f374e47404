package tables

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func anything(Reader) error { return nil }

func TestBackupsGoAnywhere(t *testing.T) {
	engines(t, func(t *testing.T, fresh func() place) {
		d := open(t, fresh())
		const rows = 2*rowsAtOnce + 7
		for i := range rows {
			_, err := d.Exec(ctx, `INSERT INTO things (name, n, raw) VALUES (?, ?, ?)`, fmt.Sprint(i), i, []byte{0, byte(i)})
			must(t, err)
		}
		_, err := d.Exec(ctx, `DELETE FROM things WHERE n = 3`)
		must(t, err)
		file := filepath.Join(t.TempDir(), "a copy?#%.db")
		must(t, d.Backup(ctx, file))
		before, err := os.ReadFile(file)
		must(t, err)
		if before[18] != 1 { // https://sqlite.org/fileformat.html: 2 wants to write a log beside it
			t.Error("the copy cannot be read where nothing can be written")
		}

		back := open(t, fresh())
		must(t, back.Restore(ctx, file, anything, "things"))
		const all = `SELECT count(*), sum(n), sum(id), sum(length(raw)) FROM things WHERE note IS NULL`
		var got, want [4]int
		must(t, d.QueryRow(ctx, all).Scan(&want[0], &want[1], &want[2], &want[3]))
		must(t, back.QueryRow(ctx, all).Scan(&got[0], &got[1], &got[2], &got[3]))
		if got != want || want[0] != rows-1 {
			t.Errorf("got %v, want %v", got, want)
		}
		var id int
		must(t, back.QueryRow(ctx, `INSERT INTO things (name, n) VALUES ('next', 0) RETURNING id`).Scan(&id))
		if id != rows+1 {
			t.Errorf("the next row is number %d, want %d", id, rows+1)
		}
		if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
			t.Error("the backup was changed")
		}
	})
}

func TestRestoreRefuses(t *testing.T) {
	engines(t, func(t *testing.T, fresh func() place) {
		d := open(t, fresh())
		must(t, d.Update(ctx, func(tx Tx) error { return add(tx, "a") }))
		file := filepath.Join(t.TempDir(), "copy.db")
		must(t, d.Backup(ctx, file))
		older, newer := version(1, 1), things
		newer.Formats = append(newer.Formats[:2:2], `CREATE TABLE more (id INTEGER PRIMARY KEY)`)
		wrong := errors.New("wrong")
		tests := []struct {
			name  string
			into  Schema
			check func(Reader) error
			err   error
		}{
			{"what its caller does not accept", things, func(Reader) error { return wrong }, wrong},
			{"a backup of a newer version", older, anything, ErrNewer},
			{"a backup of an older version", newer, anything, ErrOlder},
		}
		for _, tt := range tests {
			back, err := fresh()(tt.into)
			must(t, err)
			if err := back.Restore(ctx, file, tt.check, "things"); !errors.Is(err, tt.err) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if err := d.Restore(ctx, file, anything, "things"); !errors.Is(err, ErrNotEmpty) {
			t.Errorf("over rows that are there: %v", err)
		}
	})
}

func TestABackupThatFailsLeavesNoFile(t *testing.T) {
	engines(t, func(t *testing.T, fresh func() place) {
		d := open(t, fresh())
		file := filepath.Join(t.TempDir(), "copy.db")
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if d.Backup(gone, file) == nil {
			t.Error("it was made")
		}
		if left, err := filepath.Glob(file + "*"); err != nil || len(left) > 0 {
			t.Errorf("%v stay", left)
		}
	})
}
