package tables

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

func openFile(path string) (write, read *sql.DB, err error) {
	if err := touch(path); err != nil {
		return nil, nil, err
	}
	name, err := uri(path)
	if err != nil {
		return nil, nil, err
	}
	name += "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=secure_delete(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-256)"
	if write, err = sql.Open("sqlite", name+"&_txlock=immediate"); err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1)
	if read, err = sql.Open("sqlite", name); err != nil {
		write.Close()
		return nil, nil, err
	}
	read.SetMaxOpenConns(2)
	return write, read, nil
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
	return SyncFolder(path)
}

// SyncFolder makes the entry of a file in its folder durable.
func SyncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

func uri(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	file := url.URL{Scheme: "file", OmitHost: true, Path: abs}
	return file.String(), nil
}
