package platform

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/sqlite"

	"github.com/google/uuid"
)

var errNoShared = fmt.Errorf("%w in the database that store names: serve makes one", ErrNoData)

// Schemas of the database that nodes share, beside that of the log.
const (
	keysSchema        = "chirograph_keys"
	loginSchema       = "chirograph_login"
	waitingSchema     = "chirograph_waiting"
	projectionsSchema = "chirograph_projections"
)

// A shared is what the nodes of an installation have in common besides the
// log. It is nil where there is one node.
type shared struct {
	url  string
	node string

	keys, login, waiting, tables *sql.DB         // the last two are nil for reading only
	nodes                        *postgres.Nodes // likewise
}

// openShared connects to what other nodes use too.
func (p *Platform) openShared(ctx context.Context) (err error) {
	if !p.ReadOnly {
		if p.folder, err = sqlite.Lock(p.Folder.Dir); err != nil {
			return err
		}
	}
	s := &shared{node: p.Config.Store.Node}
	p.shared = s
	if s.url, err = p.Config.Store.PostgresURL(); err != nil {
		return err
	}
	if s.node == "" {
		if s.node, err = someName(); err != nil {
			return err
		}
	}
	if p.ReadOnly {
		return s.look(ctx)
	}
	for schema, db := range map[string]**sql.DB{keysSchema: &s.keys, loginSchema: &s.login, waitingSchema: &s.waiting, projectionsSchema: &s.tables} {
		if *db, err = postgres.OpenSQL(ctx, s.url, schema); err != nil {
			return err
		}
	}
	s.nodes, err = postgres.OpenNodes(ctx, s.url)
	return err
}

// look connects for reading: a standby will do, and nothing is made.
func (s *shared) look(ctx context.Context) (err error) {
	for schema, db := range map[string]**sql.DB{keysSchema: &s.keys, loginSchema: &s.login} {
		*db, err = postgres.OpenSQLForReading(ctx, s.url, schema)
		if errors.Is(err, postgres.ErrNoSchema) {
			return errNoShared
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// someName tells processes of one machine apart, also from their predecessors.
func someName() (string, error) {
	host, err := os.Hostname()
	return host + "-" + uuid.NewString()[:8], err
}

func (s *shared) close() error {
	if s == nil {
		return nil
	}
	var all []error
	if s.nodes != nil {
		all = append(all, s.nodes.Close())
	}
	for _, db := range []*sql.DB{s.keys, s.login, s.waiting, s.tables} {
		if db != nil {
			all = append(all, db.Close())
		}
	}
	return errors.Join(all...)
}

// leadership is how long a node that no longer answers keeps what only one
// node does.
const leadership = 6 * time.Second

// lead runs work while this node is the one of all that does it, until ctx
// ends. A single node always is.
func (p *Platform) lead(ctx context.Context, name string, work func(context.Context)) {
	if p.shared == nil {
		work(ctx)
		return
	}
	p.shared.nodes.Lead(ctx, name, p.shared.node, leadership, work)
}

// ClockDifference is how far this node's clock is ahead of the database's: 0
// where there is one node.
func (p *Platform) ClockDifference(ctx context.Context) (time.Duration, error) {
	if p.shared == nil {
		return 0, nil
	}
	var theirs time.Time
	before := p.Now()
	err := p.shared.login.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&theirs)
	between := before.Add(p.Now().Sub(before) / 2) // the answer was given about then
	return between.Sub(theirs), err
}
