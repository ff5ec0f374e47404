package serve

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
)

// Bound are the sockets of a server. They are opened before the platform is,
// because issuers are named after their ports. MTLS may be nil.
type Bound struct{ Public, MTLS, Admin net.Listener }

// Bind opens the sockets of a configuration.
func Bind(c config.Config) (b Bound, err error) {
	for _, l := range []struct {
		setting, address string
		socket           *net.Listener
	}{
		{"public.listen", c.Public.Listen, &b.Public}, {"mtls.listen", c.MTLS.Listen, &b.MTLS}, {"admin.listen", c.Admin.Listen, &b.Admin},
	} {
		if l.address == "" {
			continue
		}
		if *l.socket, err = net.Listen("tcp", l.address); err != nil {
			return b, errors.Join(fmt.Errorf("%s: %w", l.setting, err), b.Close())
		}
	}
	return b, nil
}

// Close closes what is open.
func (b Bound) Close() (err error) {
	for _, l := range []net.Listener{b.Public, b.MTLS, b.Admin} {
		if l != nil {
			err = errors.Join(err, l.Close())
		}
	}
	return err
}

// A certificate is what a listener shows, and how it follows changes.
type certificate struct {
	get    func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	follow func(context.Context) error
	ca     []byte // PEM of what vouches for it: our own authority, or the chain in its file
}

func (s *Server) open(_ context.Context, bound Bound) (err error) {
	public := certificate{}
	if c := s.Config.Public.TLS; c.Cert != "" {
		if public, err = s.reloading(c); err != nil {
			return fmt.Errorf("public.tls: %w", err)
		}
	}
	admin, err := s.adminCertificate(public)
	if err != nil {
		return fmt.Errorf("admin.tls: %w", err)
	}
	s.adminCA = admin.ca
	var config *tls.Config
	if public.get != nil {
		config = mtls.ServerConfig(public.get)
	}
	s.listeners = append(s.listeners, listener{"public", bound.Public, s.newServer(s.public(), config), public.follow})
	if bound.MTLS != nil {
		server := s.newServer(s.public(), mtls.MutualConfig(public.get))
		s.listeners = append(s.listeners, listener{"mtls", bound.MTLS, server, nil})
	}
	server := s.newServer(s.adminPort(), mtls.ServerConfig(admin.get))
	server.WriteTimeout = adminTimeout
	s.listeners = append(s.listeners, listener{"admin", bound.Admin, server, admin.follow})
	return nil
}

// reloading reads a certificate from files and follows their changes.
func (s *Server) reloading(files config.TLS) (certificate, error) {
	r, err := mtls.NewReloader(files.Cert, files.Key, s.Options.Log)
	if err != nil {
		return certificate{}, err
	}
	s.reloaders = append(s.reloaders, r)
	chain, err := os.ReadFile(files.Cert)
	return certificate{get: r.Certificate, follow: r.Follow, ca: chain}, err
}

// Reload reads the certificates again. What cannot be read leaves the last
// good one in place.
func (s *Server) Reload() error {
	var all error
	for _, r := range s.reloaders {
		all = errors.Join(all, r.Reload())
	}
	return all
}

// adminCertificate is the one that is configured, or one for localhost that
// lives as long as the process. What vouches for it is told in admin.json.
func (s *Server) adminCertificate(public certificate) (certificate, error) {
	if c := s.Config.Admin.TLS; c.Cert != "" {
		if c == s.Config.Public.TLS {
			return certificate{get: public.get, ca: public.ca}, nil
		}
		return s.reloading(c)
	}
	authority, err := mtls.NewAuthority(s.Now())
	if err != nil {
		return certificate{}, err
	}
	own, err := authority.IssueServer(s.Now())
	if err != nil {
		return certificate{}, err
	}
	return certificate{
		get: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &own, nil },
		ca:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate.Raw}),
	}, nil
}
