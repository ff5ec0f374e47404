package tables

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"
)

// Backup writes a consistent copy to a new SQLite file, durably, and while the
// tables are in use. This node's calls of [DB.Scrub] wait for it.
func (d *DB) Backup(ctx context.Context, file string) error {
	d.copying.Lock()
	defer d.copying.Unlock()
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if d.shared {
		err = d.export(ctx, file)
	} else {
		_, err = d.read.ExecContext(ctx, "VACUUM INTO ?", file)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = SyncFolder(file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

// export copies a shared database into a file, row by row.
func (d *DB) export(ctx context.Context, file string) error {
	from, err := d.read.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer from.Rollback()
	if _, err := from.ExecContext(ctx, "SET LOCAL statement_timeout = 0"); err != nil { // who backs up may be slow
		return err
	}
	to, err := Open(ctx, file, d.schema)
	if err != nil {
		return err
	}
	err = to.Update(ctx, func(tx Tx) error { return fill(ctx, Tx{db: d, tx: from}, tx, d.schema.Tables) })
	if err == nil { // one file, which can be read where nothing can be written
		_, err = to.write.ExecContext(ctx, "PRAGMA journal_mode = DELETE")
	}
	return errors.Join(err, to.Close())
}

// Restore fills empty tables with the rows of a backup, all of them or none,
// when check accepts what the backup holds. [ErrNotEmpty] if there are rows.
func (d *DB) Restore(ctx context.Context, file string, check func(Reader) error, tables ...string) error {
	from, err := openBackup(ctx, file, d.schema)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := check(from); err != nil {
		return err
	}
	return d.repeat(ctx, time.Time{}, func(tx Tx) error {
		for _, t := range tables {
			if err := empty(ctx, tx, t); err != nil {
				return err
			}
		}
		if err := fill(ctx, from, tx, tables); err != nil {
			return err
		}
		return renumber(ctx, tx, tables)
	})
}

// openBackup opens a file of exactly this format, and writes nothing to it.
func openBackup(ctx context.Context, file string, s Schema) (*DB, error) {
	name, err := uri(file)
	if err != nil {
		return nil, err
	}
	read, err := sql.Open("sqlite", name+"?mode=ro")
	if err != nil {
		return nil, err
	}
	d := &DB{schema: s, read: read, write: read}
	var format int
	err = read.QueryRowContext(ctx, "PRAGMA user_version").Scan(&format)
	switch {
	case err != nil:
	case format > len(s.Formats):
		err = ErrNewer
	case format < len(s.Formats):
		err = ErrOlder
	default:
		return d, nil
	}
	return nil, errors.Join(err, d.Close())
}
