package login

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// ErrNewer means that the file has a format of a later version of the
// platform. It is not touched.
var ErrNewer = errors.New("login: the file has a newer format than this version knows")

// A database is one SQLite file with one writing connection, so that writers
// queue in Go, where they can give up.
type database struct{ write, read *sql.DB }

func openDatabase(ctx context.Context, path string) (*database, error) {
	if err := touch(path); err != nil {
		return nil, err
	}
	dsn, err := dataSource(path)
	if err != nil {
		return nil, err
	}
	d := &database{}
	if d.write, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return nil, err
	}
	d.write.SetMaxOpenConns(1)
	if d.read, err = sql.Open("sqlite", dsn); err != nil {
		d.write.Close()
		return nil, err
	}
	d.read.SetMaxOpenConns(2)
	for _, step := range []func(context.Context) error{d.asserted, d.migrate} {
		if err := step(ctx); err != nil {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

// touch makes a missing file, for its owner only. SQLite gives the files
// beside it the same mode.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return syncFolder(path)
}

// syncFolder makes the entry of a file in its folder durable.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

func dataSource(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	file := url.URL{Scheme: "file", OmitHost: true, Path: abs}
	return file.String() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=secure_delete(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-256)", nil
}

// asserted fails unless SQLite does what durability and erasure rest on.
func (d *database) asserted(ctx context.Context) error {
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1"} {
		var got string
		if err := d.write.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s is %s, not %s", pragma, got, want)
		}
	}
	return nil
}

// update runs do in one transaction, which is durable when update returns.
func (d *database) update(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (d *database) close() error { return errors.Join(d.read.Close(), d.write.Close()) }
