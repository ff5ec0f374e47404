// Package dev is the first run: a bank with customers and third parties on one
// machine, without a file or a server to prepare. It plays the main job once
// and then goes on serving.
//
// It is not for production, and its data folder never becomes one: the first
// event of the log says so.
package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/serve"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/spread"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/tillpage"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/installation"

	"golang.org/x/sync/errgroup"
)

// Options of [Run].
type Options struct {
	Dir                 string
	Ephemeral           bool   // a temporary folder, removed at the end
	Once                bool   // end after the story
	Public, MTLS, Admin int    // ports on loopback; 0 for any that is free
	Notify              int    // port of the third parties' notification endpoints, likewise
	Nodes               int    // that serve together, 0 or 1 for one
	Postgres            string // URL of an own, empty database, which several nodes need
	EventStoreDB        string // connection string, if the log is to be there
	Version             string
	Out                 io.Writer // the story
	Log                 *slog.Logger
}

// A stage is where the story is played.
type stage struct {
	Options
	folder
	node                  // the first, which also tells the story from the log
	others []node         // if there are several
	till   *tillpage.Till // one for all of them
	spread []*spread.Spread
}

// A node is one server.
type node struct {
	config   config.Config
	platform *platform.Platform
	server   *serve.Server
}

// Run prepares the folder if that has not been done, serves, plays the story
// and serves on until ctx ends.
func Run(ctx context.Context, o Options) error {
	if o.Ephemeral {
		dir, err := os.MkdirTemp("", "chirograph-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.Dir = dir
	}
	s := &stage{Options: o}
	var err error
	if s.folder, err = prepare(o.Dir, time.Now()); err != nil {
		return err
	}
	if s.Notify, err = free(o.Notify); err != nil {
		return err
	}
	open := s.open
	if o.Nodes > 1 {
		open = s.openSeveral
	}
	if err := open(ctx); err != nil {
		return err
	}
	defer s.close()
	return s.serve(ctx)
}

func (s *stage) nodes() []node { return append([]node{s.node}, s.others...) }

func (s *stage) close() {
	if s.till != nil {
		s.till.Close()
	}
	for _, n := range s.nodes() {
		n.platform.Close()
	}
}

// open binds the ports, because the issuers are named after them, and opens
// the platform behind them.
func (s *stage) open(ctx context.Context) (err error) {
	s.config = s.settings()
	bound, err := serve.Bind(s.config)
	if err != nil {
		return fmt.Errorf("%w (ports can be chosen: --port, --mtls-port, --admin-port)", err)
	}
	s.Public, s.MTLS, s.Admin = port(bound.Public), port(bound.MTLS), port(bound.Admin)
	s.config = s.settings()
	if s.node, err = s.start(ctx, s.config, bound); err != nil {
		return err
	}
	if err := s.furnish(ctx); err != nil {
		return errors.Join(s.mismatch(err), s.platform.Close(), bound.Close())
	}
	return nil
}

// start opens a platform and a server on bound sockets.
func (s *stage) start(ctx context.Context, c config.Config, bound serve.Bound) (n node, err error) {
	n.config = c
	n.platform, err = platform.Open(ctx, platform.Options{
		Config: c, Purpose: installation.Development, Create: true, Dev: true, Version: s.Version, Log: s.Log,
	})
	if err != nil {
		return n, errors.Join(err, bound.Close())
	}
	if n.server, err = serve.New(ctx, n.platform, bound); err != nil {
		return n, errors.Join(s.mismatch(err), n.platform.Close(), bound.Close())
	}
	n.server.Elsewhere = s.elsewhere(n)
	return n, nil
}

func (s *stage) mismatch(err error) error {
	return fmt.Errorf("%w\n%s was made with other ports or by another version: choose the same ports, "+
		"another folder (--data), or wipe it (chirograph dev reset)", err, s.Dir)
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// settings are those of a server on loopback.
func (s *stage) settings() config.Config {
	c := config.Default()
	c.DataDir = s.Dir
	c.Public.Listen = address(s.Public)
	c.Public.TLS = config.TLS{Cert: s.path(serverCert), Key: s.path(serverKey)}
	c.MTLS = config.MTLS{Listen: address(s.MTLS), Origin: origin(s.MTLS), ClientCA: s.path(caCert)}
	c.Admin = config.Admin{Listen: address(s.Admin), Origin: origin(s.Admin), TLS: c.Public.TLS}
	c.Fetch.CA = s.path(caCert)
	c.Drain.Delay = 0
	c.Limits = config.Limits{Buckets: c.Limits.Buckets} // whoever loads it is its owner
	return c
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
func origin(port int) string  { return "https://localhost:" + strconv.Itoa(port) }

// free returns a port as it is, or any that is free in place of 0. Who is
// called there listens only while it expects to be.
func free(named int) (int, error) {
	if named != 0 {
		return named, nil
	}
	l, err := net.Listen("tcp", address(0))
	if err != nil {
		return 0, err
	}
	return port(l), l.Close()
}

func (s *stage) origin() string { return origin(s.Public) }
func (s *stage) notify() string { return origin(s.Notify) }
func (s *stage) issuer() string { return s.origin() + "/fapi2" }

// furnish makes the bank, its customers and the third parties. Where they are
// already it changes nothing.
func (s *stage) furnish(ctx context.Context) error {
	_, err := s.platform.Admin.Apply(ctx, s.platform.Meta(event.ActorSystem), s.document())
	return err
}

// serve runs the server, and the story beside it.
func (s *stage) serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- s.run(ctx) }()
	s.banner()
	if err := s.announce(); err != nil {
		stop()
		return errors.Join(err, <-served)
	}
	defer s.withdraw()
	err := s.play(ctx)
	switch {
	case ctx.Err() != nil:
		return <-served // whoever ends the program ends the story too
	case err != nil:
		stop()
		return errors.Join(fmt.Errorf("the story: %w", err), <-served)
	case s.Once:
		stop()
		return <-served
	}
	s.signpost()
	return <-served
}

// run serves until ctx ends or a node fails.
func (s *stage) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range s.nodes() {
		group.Go(func() error { return n.server.Run(ctx) })
	}
	for _, spread := range s.spread {
		group.Go(func() error { return spread.Run(ctx) })
	}
	return group.Wait()
}

// elsewhere answers what is for no issuer: the sample bank, a third party's
// receiver of events, its till, and a page of directions.
func (s *stage) elsewhere(n node) http.Handler {
	mux := http.NewServeMux()
	for _, t := range tenants {
		mux.Handle(t.bank+"/", s.bank(n.platform, t))
	}
	mux.HandleFunc("POST "+eventsPath, takeEvent)
	till := s.tillPage().Handler()
	mux.Handle(tillpage.Path, till)
	mux.Handle(tillpage.Path+"/", till)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		for _, line := range s.directions() {
			fmt.Fprintf(w, "%-24s %s\n", line[0], line[1])
		}
	})
	return mux
}
