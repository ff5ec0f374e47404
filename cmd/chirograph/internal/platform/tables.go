package platform

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/projections"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// openProjections opens the tables of the folder; beside a server, tables that
// are folded anew and thrown away.
func (p *Platform) openProjections(ctx context.Context) (err error) {
	c := projections.Config{Journal: p.Journal, Scratch: scratch, Log: p.Options.Log}
	switch {
	case p.ReadOnly:
		c.DB, err = scratch(ctx)
	case p.Config.Projections.Where == config.Shared:
		c.DB, c.Dialect, c.Lead = p.shared.tables, projections.PostgreSQL, p.lead
	default:
		c.DB, err = tablesIn(p.Folder.projections())
	}
	if err != nil {
		return err
	}
	if p.tables = c.DB; c.Lead != nil {
		p.tables = nil // closed with what is shared
	}
	p.Projections, err = projections.Open(ctx, c)
	if err != nil && !p.ReadOnly {
		err = fmt.Errorf("%s: %w (it holds nothing that the log has not: it can be moved away, and is built again)", p.Folder.projections(), err)
	}
	return err
}

// tablesIn opens a file whose loss costs only time, so that a commit need not
// wait for the disk.
func tablesIn(path string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	file := url.URL{Scheme: "file", OmitHost: true, Path: abs}
	db, err := sql.Open("sqlite", file.String()+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"+
		"&_pragma=temp_store(MEMORY)&_pragma=cache_size(-512)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	return db, nil
}

// scratch opens a database that lies in a temporary file, which SQLite deletes
// with the connection.
func scratch(context.Context) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}
