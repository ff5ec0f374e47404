package tables

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// ErrTraces means that rows are deleted or overwritten, but that bytes of them
// may remain where they need not. Repeat the call.
var ErrTraces = errors.New("erased, but traces remain on disk")

// scrubPatience is how long a scrub of a shared database may take, with those
// of other nodes that it waits for.
const scrubPatience = time.Minute

// Traces says that a transaction erases something, so that there is something
// to do for [DB.Scrub]. That is remembered where the rows are: a scrub that
// failed, or whose process ended, is made up for by the next call, on a shared
// database on whichever node.
func (t Tx) Traces() { *t.traces = true }

// note remembers it. It is the last that a transaction does, so that whoever
// waits for another here holds all other rows already.
func (t Tx) note(ctx context.Context) error {
	if !t.db.shared {
		return nil
	}
	_, err := t.Exec(ctx, `
		INSERT INTO traces (part, erasures) VALUES (?, 1)
		ON CONFLICT (part) DO UPDATE SET erasures = traces.erasures + 1`, t.db.schema.Part)
	return err
}

// Scrub removes what deleted and overwritten rows of tables left behind, as
// far as the engine can, if there is anything. A part always scrubs the same
// tables.
//
// In a file, all of it: the write-ahead log, which holds older copies of
// pages, is written through and emptied.
//
// On a shared database, the older versions of the rows: their space in the
// tables is free and will be written over. Until then their bytes may lie
// there, and copies lie in the write-ahead log and its archive, on replicas
// and in backups for as long as those are kept.
func (d *DB) Scrub(ctx context.Context, tables ...string) error {
	d.copying.Lock() // a backup reads an old state, which then must be kept
	defer d.copying.Unlock()
	var err error
	if d.shared {
		c := d.begin(ctx, d.bound(scrubPatience))
		defer c.end()
		err = c.judged(d.vacuum(c.ctx, tables))
	} else if d.unclean.Swap(false) {
		if err = d.truncate(ctx); err != nil {
			d.unclean.Store(true)
		}
	}
	if err != nil && !errors.Is(err, ErrTraces) {
		err = fmt.Errorf("%w: %w", ErrTraces, err)
	}
	return err
}

func (d *DB) truncate(ctx context.Context) error {
	var busy, pages, moved int
	err := d.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if err == nil && busy != 0 {
		return ErrTraces
	}
	return err
}

// vacuum frees what was noted before it. Nodes do so one at a time: who had to
// wait finds nothing more to do.
func (d *DB) vacuum(ctx context.Context, tables []string) error {
	if erasures, err := d.noted(ctx, d.read); err != nil || erasures == 0 {
		return err
	}
	const key = "(hashtextextended('chirograph: traces in ' || current_schema(), 0))"
	c, err := d.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock"+key); err != nil {
		return err
	}
	defer func() {
		if _, err := c.ExecContext(ctx, "SELECT pg_advisory_unlock"+key); err != nil { // its end unlocks it too
			_ = c.Raw(func(any) error { return driver.ErrBadConn })
		}
	}()
	erasures, err := d.noted(ctx, c)
	if err != nil || erasures == 0 {
		return err
	}
	for _, t := range tables {
		if _, err := c.ExecContext(ctx, "VACUUM "+t); err != nil {
			return err
		}
	}
	_, err = c.ExecContext(ctx, "DELETE FROM traces WHERE part = $1 AND erasures = $2", d.schema.Part, erasures)
	return err
}

// noted is how many erasures left traces that nobody has removed.
func (d *DB) noted(ctx context.Context, e engine) (n int64, err error) {
	err = e.QueryRowContext(ctx, "SELECT erasures FROM traces WHERE part = $1", d.schema.Part).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}
