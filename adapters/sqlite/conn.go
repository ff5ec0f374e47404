package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/chirograph/chirograph/eventstore/ledger"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const (
	writerCache = 12 << 10 // KiB of pages that the writer keeps
	readerCache = 2 << 10
	busyTimeout = 5 * time.Second
)

// openWriter opens the one connection that writes. What the platform promises
// rests on the settings here, so each is asked back.
func openWriter(path string) (*sqlite.Conn, error) {
	return configured(path, sqlite.OpenReadWrite|sqlite.OpenCreate, [][2]string{
		{"journal_mode = WAL", "wal"},
		{"synchronous = FULL", "2"}, // NORMAL loses acknowledged commits at power loss
		{fmt.Sprintf("cache_size = -%d", writerCache), fmt.Sprintf("-%d", writerCache)},
		{"mmap_size = 0", "0"},
		{"temp_store = MEMORY", "2"},
		{"wal_autocheckpoint = 4000", "4000"},
		{"journal_size_limit = 67108864", "67108864"},
		{"cell_size_check = ON", "1"},
	})
}

// openReader opens a connection that cannot write. Where nothing can be
// written, not even the index of the write-ahead log, the file is read as it
// stands, if no such log is left beside it.
func openReader(path string) (*sqlite.Conn, error) {
	settings := [][2]string{
		{"query_only = ON", "1"},
		{fmt.Sprintf("cache_size = -%d", readerCache), fmt.Sprintf("-%d", readerCache)},
		{"mmap_size = 0", "0"},
		{"cell_size_check = ON", "1"},
	}
	c, err := configured(path, sqlite.OpenReadOnly, settings)
	if err == nil {
		if _, err = queryText(c, "SELECT count(*) FROM sqlite_schema"); err == nil {
			return c, nil
		}
		c.Close()
	}
	code := sqlite.ErrCode(err).ToPrimary()
	_, left := os.Stat(path + "-wal")
	if code != sqlite.ResultCantOpen && code != sqlite.ResultReadOnly || !errors.Is(left, fs.ErrNotExist) {
		return nil, err
	}
	still := &url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: "immutable=1"}
	return configured(still.String(), sqlite.OpenReadOnly|sqlite.OpenURI, settings)
}

func configured(path string, flags sqlite.OpenFlags, settings [][2]string) (*sqlite.Conn, error) {
	c, err := sqlite.OpenConn(path, flags)
	if err != nil {
		return nil, err
	}
	c.SetBusyTimeout(busyTimeout)
	if err := configure(c, settings); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func configure(c *sqlite.Conn, settings [][2]string) error {
	if err := fixedVersion(c); err != nil {
		return err
	}
	for _, s := range settings {
		if err := sqlitex.ExecuteTransient(c, "PRAGMA "+s[0], nil); err != nil {
			return fmt.Errorf("%s: %w", s[0], err)
		}
		name, _, _ := strings.Cut(s[0], " ")
		got, err := queryText(c, "PRAGMA "+name)
		if err != nil {
			return err
		}
		if got != s[1] {
			return fmt.Errorf("%s: is %q after setting %q", name, got, s[0])
		}
	}
	return nil
}

// fixedVersion refuses SQLite before 3.51.3, which can corrupt the database
// when the write-ahead log is reset.
func fixedVersion(c *sqlite.Conn) error {
	version, err := queryText(c, "SELECT sqlite_version()")
	if err != nil {
		return err
	}
	if !atLeast(version, 3, 51, 3) {
		return fmt.Errorf("SQLite %s can corrupt its log, 3.51.3 is the first that does not", version)
	}
	return nil
}

func atLeast(version string, want ...int) bool {
	parts := strings.Split(version, ".")
	for i, w := range want {
		if i >= len(parts) {
			return false
		}
		have, err := strconv.Atoi(parts[i])
		if err != nil || have != w {
			return err == nil && have > w
		}
	}
	return true
}

// told turns what SQLite says about a damaged file into a finding.
func told(err error) error {
	switch code := sqlite.ErrCode(err); {
	case err == nil:
		return nil
	case code.ToPrimary() == sqlite.ResultCorrupt, code == sqlite.ResultNotADB, code == sqlite.ResultIOErrShortRead:
		return &ledger.AlteredError{What: "database file is damaged", Err: err}
	}
	return err
}
