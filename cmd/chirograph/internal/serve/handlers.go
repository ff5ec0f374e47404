package serve

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/domain/subject"
)

// public answers clients and customers, on the public listener and on the
// mutual-TLS one.
func (s *Server) public() http.Handler {
	h := s.API.Handler(http.HandlerFunc(s.elsewhere))
	h = s.notPlatform(h)
	h = s.hosts(h)
	h = s.strictTransport(h)
	h = mtls.TrustedHeader(s.proxies, s.forwarded(h))
	if s.trace != nil {
		h = s.trace(h) // first, while it still shows who the peer is
	}
	return h
}

func (s *Server) elsewhere(w http.ResponseWriter, r *http.Request) {
	if s.Elsewhere != nil {
		s.Elsewhere.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r)
}

// forwarded takes the word of a trusted proxy for where a request is from: the
// last address that no trusted proxy added.
func (s *Server) forwarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.trusted(r.RemoteAddr) {
			chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
			for _, hop := range slices.Backward(chain) {
				hop = strings.TrimSpace(hop)
				if _, err := netip.ParseAddr(hop); err != nil {
					break
				}
				r.RemoteAddr = net.JoinHostPort(hop, "0")
				if !s.trusted(r.RemoteAddr) {
					break
				}
			}
		}
		r.Header.Del("X-Forwarded-For")
		next.ServeHTTP(w, r)
	})
}

func (s *Server) trusted(remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap()) })
}

// strictTransport tells browsers to come by TLS only; never on a developer's
// machine, where other servers share the name localhost.
func (s *Server) strictTransport(next http.Handler) http.Handler {
	if s.Dev || !s.Config.Public.HSTS {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}

// hosts lets a development server answer under loopback names only, so that no
// page on the internet can reach it by a name that resolves to this machine.
func (s *Server) hosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Dev && !loopbackHost(r.Host) || strings.EqualFold(r.Host, host(s.Config.AdminOrigin())) {
			misdirected(w)
			return
		}
		if _, port, err := net.SplitHostPort(r.Host); s.Dev && err == nil {
			r.Host = net.JoinHostPort("localhost", port) // its issuers go by that name
		}
		next.ServeHTTP(w, r)
	})
}

func misdirected(w http.ResponseWriter) {
	http.Error(w, "this server does not answer under that name", http.StatusMisdirectedRequest)
}

func loopbackHost(hostPort string) bool {
	name := hostPort
	if h, _, err := net.SplitHostPort(hostPort); err == nil {
		name = h
	}
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1", "[::1]"}, strings.ToLower(name))
}

func host(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Host
}

// notPlatform keeps the platform's own issuer off the listeners that everybody
// reaches.
func (s *Server) notPlatform(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own := r.URL.Path == platformPath || strings.HasPrefix(r.URL.Path, platformPath+"/") || strings.HasSuffix(r.URL.Path, platformPath)
		if own && strings.EqualFold(r.Host, host(s.Config.MTLS.Origin)) {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// adminPort answers operators.
func (s *Server) adminPort() http.Handler {
	operators := s.Admin.Handler(admin.Tokens{
		Checker: s.API.Checker(PlatformIssuer, resourceOf(s.Config)), Origin: s.Config.AdminOrigin(),
		Subjects: func(ctx context.Context, id string) (subject.State, error) {
			state, _, err := s.API.Subjects.Get(ctx, id)
			return state, err
		},
	})
	named := http.NewServeMux()
	named.Handle("/admin/", operators)
	named.Handle("/openapi.yaml", operators)
	named.Handle("/", s.API.Handler(http.NotFoundHandler()))
	all := http.NewServeMux()
	s.health.mount(all)
	all.Handle("GET /metrics", s.Metrics.Handler())
	all.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.EqualFold(r.Host, host(s.Config.AdminOrigin())) {
			misdirected(w)
			return
		}
		named.ServeHTTP(w, r)
	}))
	if s.trace != nil {
		return s.trace(all)
	}
	return all
}
