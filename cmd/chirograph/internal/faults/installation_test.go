package faults

import (
	"context"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/installation"
)

// A site is an installation: databases, links and three nodes.
type site struct {
	engine   string
	dir      string
	master   string
	admin    string
	store    config.Store // without links
	postgres *pgtest.Server
	events   *standin.Cluster // nil on PostgreSQL
	losses   loss             // of commits in PostgreSQL
	nodes    []*node
	bank     *bank
}

const nodes = 3

// newSite starts everything, and makes the bank before its nodes begin.
func newSite(t *testing.T, engine string) *site {
	t.Helper()
	s := &site{engine: engine, dir: t.TempDir(), admin: freeAddress(t), bank: newBank(t)}
	s.master = filepath.Join(s.dir, "master.key")
	if _, err := keys.OpenMaster(s.master, true); err != nil {
		t.Fatal(err)
	}
	s.postgres = pgtest.Start(t, pgtest.Settings{Fsync: true, Config: map[string]string{"autovacuum": "off"}})
	s.store = config.Store{Engine: engine, Postgres: s.postgres.New(t)}
	if engine == config.EventStoreDB {
		s.events = standin.New(t, standin.Options{Nodes: 3, ElectionDelay: 500 * time.Millisecond, CaughtUp: true})
		s.store.EventStoreDB = s.events.URL()
	}
	s.furnish(t)
	for i := range nodes {
		store, links := s.linked(t)
		n := newNode(t, i, s.dir, s.master, s.admin, store)
		n.links = links
		s.nodes = append(s.nodes, n)
	}
	for _, n := range s.nodes {
		n.begin(t, current)
	}
	for _, n := range s.nodes {
		n.await(t)
	}
	return s
}

// furnish makes the bank as an operator does who applies a document.
func (s *site) furnish(t *testing.T) {
	t.Helper()
	p, err := platform.Open(t.Context(), s.options(s.store, true))
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Admin.Apply(t.Context(), p.Meta(event.ActorOperator), s.bank.document())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

func (s *site) options(store config.Store, create bool) platform.Options {
	store.Node = "operator"
	return platform.Options{
		Config:  settings(filepath.Join(s.dir, "operator"), s.master, s.admin, store),
		Purpose: installation.Production, Create: create, Version: "test",
	}
}

// linked returns where a node finds its databases, behind links of its own.
func (s *site) linked(t *testing.T) (config.Store, []*link) {
	t.Helper()
	store := s.store
	u, err := url.Parse(store.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	links := []*link{newLink(t, u.Host, postgresAnswers(&s.losses))}
	u.Host = links[0].address()
	store.Postgres = u.String()
	if s.events == nil {
		return store, links
	}
	var ports sync.Map
	for i := range s.events.Nodes() {
		at := s.events.Node(i).Address()
		l := newLink(t, at, eventstoreAnswers(&ports))
		ports.Store(portOf(at), portOf(l.address()))
		store.EventStoreDB = strings.Replace(store.EventStoreDB, at, l.address(), 1)
		links = append(links, l)
	}
	return store, links
}

// link sets the state of all links of some nodes.
func (s *site) link(state int32, some ...*node) {
	for _, n := range some {
		for _, l := range n.links {
			l.is(state)
		}
	}
}

// governor returns the node that does what one does for all, nil if at the
// moment none is known to.
func (s *site) governor(t testing.TB) *node {
	t.Helper()
	holder := s.leaseholder(t)
	for _, n := range s.nodes {
		if strings.HasPrefix(holder, n.name+"/") {
			return n
		}
	}
	return nil
}

func (s *site) leaseholder(t testing.TB) (holder string) {
	t.Helper()
	s.query(t, "SELECT holder FROM chirograph_nodes.lease WHERE name = 'platform' AND expires > clock_timestamp()", &holder)
	return holder
}

// claimed is how many events the newest claim of a checkpoint is over.
func (s *site) claimed(t testing.TB) int64 {
	t.Helper()
	var text string
	schema := postgres.DefaultSchema
	if s.events != nil {
		schema = postgres.DefaultTableSchema
	}
	s.query(t, "SELECT coalesce(max(size), 0)::text FROM "+schema+".claim", &text)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// converged waits until every node's projections have seen the whole log.
func (s *site) converged(t testing.TB) {
	t.Helper()
	for _, n := range s.nodes {
		eventually(t, "the projections of "+n.name+" have caught up", func() bool {
			return n.gauge("chirograph_projection_lag_events") == 0
		})
	}
}

func background() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}
