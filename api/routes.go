package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"

	"github.com/labstack/echo/v4"
)

// A visit is one request to one issuer.
type visit struct {
	echo.Context
	Tenant   Tenant
	At       time.Time
	endpoint string
	caller   string // client id, once authenticated
}

type route struct {
	method, path string
	serve        func(*Server, *visit) error
	page         bool // for people: refusals are pages
}

// routes are the paths below an issuer, each with its specification.
var routes = []route{
	{"GET", "/.well-known/openid-configuration", (*Server).metadata, false},       // OIDC-Discovery §4
	{"GET", "/.well-known/oauth-authorization-server", (*Server).metadata, false}, // RFC 8414 §3
	{"GET", "/jwks", (*Server).jwks, false},                                       // RFC 7517 §5
	{"POST", "/par", (*Server).pushRequest, false},                                // RFC 9126 §2
	{"POST", "/bc-authorize", (*Server).authenticateBackchannel, false},           // CIBA §7.1
	{"POST", decidePath, (*Server).decideBackchannel, false},                      // for test tools
	{"POST", "/token", (*Server).issueToken, false},                               // RFC 6749 §3.2
	{"GET", "/userinfo", (*Server).userinfo, false},                               // OIDC-Core §5.3
	{"POST", "/userinfo", (*Server).userinfo, false},                              // OIDC-Core §5.3
	{"POST", "/introspect", (*Server).introspect, false},                          // RFC 7662 §2
	{"POST", "/revoke", (*Server).revoke, false},                                  // RFC 7009 §2
	{"POST", "/register", (*Server).register, false},                              // RFC 7591 §3
	{"GET", "/register/:client", (*Server).readRegistration, false},               // RFC 7592 §2.1
	{"PUT", "/register/:client", (*Server).updateRegistration, false},             // RFC 7592 §2.2
	{"DELETE", "/register/:client", (*Server).deleteRegistration, false},          // RFC 7592 §2.3
	{"GET", "/device-port/devices", onPort((*Server).portDevices), false},
	{"POST", "/device-port/devices", onPort((*Server).bindDevice), false},
	{"DELETE", "/device-port/devices/:device", onPort((*Server).unbindDevice), false},
	{"GET", "/device-port/requests", onPort((*Server).portRequests), false},
	{"GET", "/device-port/requests/:request", onPort((*Server).portRequest), false},
	{"POST", "/device-port/requests/:request", onPort((*Server).answerOnPort), false}, // RFC 7515 §9.2.1
}

// Handler returns everything below the issuers. A request for no issuer is
// answered by otherwise.
func (s *Server) Handler(otherwise http.Handler) http.Handler {
	e := echo.New()
	e.HideBanner = true
	e.IPExtractor = echo.ExtractIPDirect() // a trusted proxy's word is taken before us
	e.HTTPErrorHandler = s.unrouted
	for _, r := range append(routes, pageRoutes...) {
		e.Add(r.method, r.path, s.visited(r))
		if r.method == http.MethodGet {
			e.Add(http.MethodHead, r.path, s.visited(r)) // RFC 9110 §9.1
		}
	}
	e.RouteNotFound(decidePath, func(echo.Context) error { return echo.ErrNotFound })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, done := context.WithTimeout(r.Context(), answerWithin)
		defer done()
		tenant, path, found, err := s.route(r.WithContext(ctx))
		switch {
		case err != nil:
			s.writeNobody(w, r, err)
		case !found:
			otherwise.ServeHTTP(w, r)
		default:
			inner := r.WithContext(context.WithValue(withTenant(ctx, tenant), connectionKey{}, r.Context()))
			inner.URL = cloneURL(r.URL, path)
			e.ServeHTTP(w, inner)
		}
	})
}

// answerWithin bounds a request, so that what waits for a log that does not
// answer is told to try again rather than cut off.
const answerWithin = 15 * time.Second

// writeNobody answers while it cannot be told whose issuer a request is for, and
// so neither whether it is for a page.
func (s *Server) writeNobody(w http.ResponseWriter, r *http.Request, err error) {
	s.Log.ErrorContext(r.Context(), "issuers cannot be read", "err", err)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Retry-After", "1")
	if strings.Contains(r.Header.Get("Accept"), "text/html") { // a browser
		http.Error(w, "The bank cannot answer at the moment. Try again later.", http.StatusServiceUnavailable)
		return
	}
	body, _ := json.Marshal(errorResponse{string(oauth.TemporarilyUnavailable), "the server cannot read its log: try again"}) // strings always marshal
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusServiceUnavailable)
	w.Write(append(body, '\n'))
}

// visited wraps a row of the table: limits, headers, metrics, refusals.
func (s *Server) visited(r route) echo.HandlerFunc {
	endpoint := strings.TrimPrefix(r.path, "/")
	return func(c echo.Context) error {
		start := s.Now()
		v := &visit{Context: c, Tenant: tenantOf(c.Request().Context()), At: start, endpoint: endpoint}
		setHeaders(v)
		err := s.admit(v)
		if err == nil {
			err = r.serve(s, v)
		}
		if err != nil && r.page {
			s.writeErrorPage(v, err)
		} else if err != nil {
			s.writeError(v, err)
		}
		s.Metrics.Served(endpoint, c.Response().Status, s.Now().Sub(start))
		return nil
	}
}

// setHeaders sets what every response has unless its endpoint says otherwise.
func setHeaders(v *visit) {
	h := v.Response().Header()
	h.Set("Cache-Control", "no-store") // RFC 6749 §5.1
	h.Set("X-Content-Type-Options", "nosniff")
}
