package dev

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/serve"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/spread"
)

const masterKey = "master.key" // of all nodes

var (
	errNoPostgres = errors.New("several nodes need a database that they share: --postgres URL of an empty one")
	errEphemeral  = errors.New("--ephemeral cannot forget what is in a database: name one that may be thrown away, without --ephemeral")
)

// openSeveral starts nodes over one database. Nobody reaches them but through
// the public and the mutual-TLS port, whose connections go to them in turn.
func (s *stage) openSeveral(ctx context.Context) error {
	switch {
	case s.Postgres == "":
		return errNoPostgres
	case s.Ephemeral:
		return errEphemeral
	}
	if _, err := keys.OpenMaster(s.path(masterKey), true); err != nil {
		return err
	}
	public, mtls, err := s.front()
	if err != nil {
		return err
	}
	var all []node
	for i := range s.Nodes {
		n, err := s.startNode(ctx, i)
		if err == nil && i == 0 {
			s.node = n
			err = s.furnish(ctx) // what is there when a node starts, it knows at once
		}
		if err != nil {
			for _, n := range all {
				err = errors.Join(err, n.platform.Close())
			}
			return errors.Join(err, public.Close(), mtls.Close())
		}
		all = append(all, n)
	}
	s.others = all[1:]
	if err := s.writeSettings(); err != nil {
		return err
	}
	s.spread = []*spread.Spread{spread.New(public, addresses(all, "public")...), spread.New(mtls, addresses(all, "mtls")...)}
	return nil
}

// front opens the ports that the issuers are named after.
func (s *stage) front() (public, mtls net.Listener, err error) {
	if public, err = net.Listen("tcp", address(s.Public)); err != nil {
		return nil, nil, err
	}
	if mtls, err = net.Listen("tcp", address(s.MTLS)); err != nil {
		return nil, nil, errors.Join(err, public.Close())
	}
	s.Public, s.MTLS = port(public), port(mtls)
	return public, mtls, nil
}

func (s *stage) startNode(ctx context.Context, i int) (node, error) {
	c := s.settings()
	c.Public.Listen, c.MTLS.Listen = address(0), address(0)
	c.Store = config.Store{Engine: config.PostgreSQL, Postgres: s.Postgres, Node: "node-" + strconv.Itoa(i+1)}
	if s.EventStoreDB != "" {
		c.Store.Engine, c.Store.EventStoreDB = config.EventStoreDB, s.EventStoreDB
	}
	c.Keys.MasterKeyFile = s.path(masterKey)
	if i > 0 {
		c.DataDir = filepath.Join(s.Dir, c.Store.Node)
		c.Admin.Listen = address(0)
	}
	bound, err := serve.Bind(c)
	if err != nil {
		return node{}, fmt.Errorf("%w (ports can be chosen: --port, --mtls-port, --admin-port)", err)
	}
	if i == 0 {
		s.Admin = port(bound.Admin)
	}
	c.Admin.Origin = origin(s.Admin)
	return s.start(ctx, c, bound)
}

// settingsFile tells commands where the log is, and that of the first node.
const settingsFile = "chirograph.yaml"

func (s *stage) writeSettings() error {
	c := config.Default()
	c.DataDir, c.Keys.MasterKeyFile, c.Store = ".", masterKey, s.node.config.Store
	c.Admin.Origin = s.node.config.Admin.Origin
	said := []string{"data_dir", "keys.master_key_file", "admin.origin", "store.engine", "store.postgres", "store.eventstoredb"}
	text := c.YAML(func(path string) bool { return slices.Contains(said, path) })
	return os.WriteFile(s.path(settingsFile), text, 0o600)
}

func addresses(all []node, listener string) (out []string) {
	for _, n := range all {
		out = append(out, n.server.Address(listener))
	}
	return out
}
