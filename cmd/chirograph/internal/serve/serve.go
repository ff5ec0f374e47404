// Package serve lets an open platform answer the network: listeners, the order
// of handlers on each, readiness, and the orderly end.
package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"

	"golang.org/x/sync/errgroup"
)

// A Server serves a platform. Make it with [New], then [Server.Run] it.
type Server struct {
	*platform.Platform

	// Elsewhere answers on the public and the mutual-TLS listener what is for
	// no issuer. It may be nil.
	Elsewhere http.Handler

	listeners listeners
	reloaders []*mtls.Reloader
	adminCA   []byte
	proxies   []netip.Prefix
	health    health
	trace     func(http.Handler) http.Handler
	stop      []func(context.Context) error
}

// New prepares to serve a platform on sockets that are bound. If it fails they
// are the caller's to close.
func New(ctx context.Context, p *platform.Platform, bound Bound) (*Server, error) {
	s := &Server{Platform: p}
	for _, text := range p.Config.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		s.proxies = append(s.proxies, prefix)
	}
	s.health.server = s
	if err := s.startTracing(ctx); err != nil {
		return nil, err
	}
	if err := s.open(ctx, bound); err != nil {
		return nil, err
	}
	if err := EnsurePlatform(ctx, p); err != nil {
		return nil, err
	}
	if _, err := p.Keeper.Sign(ctx); err != nil { // a new log is covered from the start
		return nil, err
	}
	s.gauges()
	return s, nil
}

// Run serves until ctx ends, and then until requests under way have ended. It
// returns early if the log turns out to be altered or a listener fails.
func (s *Server) Run(ctx context.Context) error {
	if err := s.writeAdminFile(); err != nil {
		return err
	}
	defer s.removeAdminFile()
	background, endBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer endBackground()
	serving, endServing := context.WithCancelCause(ctx)
	defer endServing(nil)

	var work errgroup.Group
	work.Go(func() error {
		err := s.Platform.Run(background)
		endServing(err)
		return err
	})
	work.Go(func() error { return s.listeners.follow(background) })
	for _, l := range s.listeners {
		work.Go(func() error {
			err := l.serve()
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			endServing(err)
			return err
		})
	}
	s.health.serving.Store(true)
	<-serving.Done()
	err := s.drain(ctx)
	endBackground()
	ended := context.Cause(serving)
	if ctx.Err() != nil {
		ended = nil // asked to
	}
	return errors.Join(ended, work.Wait(), err, s.flush(ctx))
}

// lastWords bounds what is done after the last request.
const lastWords = 10 * time.Second

func (s *Server) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	return s.Flush(ctx)
}

// drain says that no more requests are welcome, waits until load balancers
// know, and lets those under way end.
func (s *Server) drain(ctx context.Context) error {
	s.health.serving.Store(false)
	s.Options.Log.Info("draining", "delay", s.Config.Drain.Delay.String())
	time.Sleep(time.Duration(s.Config.Drain.Delay))
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(s.Config.Drain.Timeout))
	defer cancel()
	s.API.EndWaits()
	var all errgroup.Group
	for _, l := range s.listeners {
		all.Go(func() error { return l.server.Shutdown(ending) })
	}
	err := all.Wait()
	for _, stop := range s.stop {
		err = errors.Join(err, stop(ending))
	}
	return err
}

// A listener is one address and what answers there.
type listener struct {
	name   string
	inner  net.Listener
	server *http.Server
	follow func(context.Context) error // follows changes of the certificate; nil if it never changes
}

type listeners []listener

func (l listener) serve() error {
	if l.server.TLSConfig == nil {
		return l.server.Serve(l.inner)
	}
	return l.server.ServeTLS(l.inner, "", "")
}

func (all listeners) follow(ctx context.Context) error {
	var group errgroup.Group
	for _, l := range all {
		if l.follow != nil {
			group.Go(func() error { return l.follow(ctx) })
		}
	}
	return group.Wait()
}

// What a peer may take its time for. Headers come before anything is known of
// who sends them.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second
	adminTimeout  = 30 * time.Minute // verifying a long log takes a while
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
)

func (s *Server) newServer(h http.Handler, config *tls.Config) *http.Server {
	return &http.Server{
		Handler: h, TLSConfig: config, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.Options.Log.Handler(), slog.LevelDebug), // handshakes that fail are the peer's affair
	}
}
