package resource

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// A Server protects the routes of a resource server. All fields are required.
type Server struct {
	Checker     Checker
	URLs        func(*http.Request) []string // configured addresses of the request's target, see [At]
	Certificate func(*http.Request) (*oauth.Certificate, error)
	Now         func() time.Time
	Log         *slog.Logger
}

// At returns the addresses of a request's target below each base, such as
// "https://bank.example", that the server is configured to answer at. Host and
// forwarded headers are never believed.
func At(bases ...string) func(*http.Request) []string {
	return func(r *http.Request) []string {
		urls := make([]string, len(bases))
		for i, base := range bases {
			urls[i] = strings.TrimSuffix(base, "/") + r.URL.EscapedPath()
		}
		return urls
	}
}

// A Route is what one path demands of an access token.
type Route struct {
	Path         string // as declared and recorded, such as "/accounts/:id"
	Scope        string // that the token must have
	NeedsConsent bool   // a customer must stand behind the token
	Permission   string // that the customer's consent must cover
	Account      string // name of the path value that is an account id, "" if the path has none
}

// An Answer is what a route has to say, and the accounts it tells about.
type Answer struct {
	Body     any // becomes JSON
	Accounts []string
}

// Serve answers a request that may be answered. It refuses with an
// [*oauth.Error]; any other error is the server's fault. Nothing it returns
// leaves before the access is recorded.
type Serve func(r *http.Request, p Pass) (Answer, error)

// ErrNotCovered refuses access to an account that the consent does not name,
// whether or not there is such an account.
var ErrNotCovered error = oauth.Refuse(oauth.InsufficientScope, "RFC 9396 §9", "the consent does not cover this account")

// maxAnswer bounds a response, which is complete in memory before it is sent.
const maxAnswer = 4 << 20

// Protect returns what serves a route. The order is fixed: token, binding and
// standing; scope, consent, permission and account; the answer; its record in
// the log; and only then the first byte of it.
func (s *Server) Protect(route Route, serve Serve) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.receive(w, r, route)
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			c.write(http.StatusMethodNotAllowed, oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.6", "this resource does not answer that method"))
			return
		}
		body, err := c.run(serve)
		if err != nil {
			c.refuse(err)
			return
		}
		c.send(http.StatusOK, body)
	})
}

// Nothing answers for paths that do not exist.
func (s *Server) Nothing() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.receive(w, r, Route{}).write(http.StatusNotFound, oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.5", "there is nothing at this path"))
	})
}

// run returns the response to a request, recorded, or why there is none.
func (c *call) run(serve Serve) ([]byte, error) {
	if err := c.admit(); err != nil {
		return nil, err
	}
	if err := c.permit(); err != nil {
		return nil, err
	}
	answer, err := serve(c.r, c.pass)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(answer.Body)
	if err == nil && len(body) > maxAnswer {
		err = errors.New("the answer is longer than 4 MiB")
	}
	if err != nil {
		return nil, err
	}
	return body, c.record(http.StatusOK, answer.Accounts)
}

// admit finds the token and has it checked.
func (c *call) admit() error {
	cert, err := c.server.Certificate(c.r)
	if err != nil {
		return &oauth.Error{Code: oauth.InvalidToken, By: "RFC 8705 §3", Description: "the client certificate cannot be read", Cause: err}
	}
	p, err := Present(c.r, c.server.URLs(c.r), cert)
	if err != nil {
		return err
	}
	c.proving = strings.EqualFold(p.Scheme, "DPoP")
	p.Interaction, p.Address = c.interaction, c.address()
	c.pass, err = c.server.Checker.Check(c.r.Context(), p)
	if _, refused := errors.AsType[*oauth.Error](err); err != nil && !refused {
		return &oauth.Error{Code: oauth.TemporarilyUnavailable, Description: "the access token cannot be checked now: try again", Cause: err}
	}
	return err
}

// permit compares what the route demands with what the token may do.
func (c *call) permit() error {
	refuse := func(by oauth.Clause, description string) error {
		return oauth.Refuse(oauth.InsufficientScope, by, description)
	}
	route, grant := c.route, c.pass.Grant()
	switch {
	case route.Scope != "" && !slices.Contains(strings.Fields(grant.Scope), route.Scope):
		return refuse("RFC 6750 §3.1", "the access token does not have the scope "+route.Scope)
	case route.NeedsConsent && grant.Consent == "":
		return refuse("RFC 6750 §3.1", "the access token does not stand on a customer's consent")
	case route.Permission != "" && !c.pass.Permits(route.Permission, ""):
		return refuse("RFC 9396 §9", "the consent does not cover "+route.Permission)
	case route.Account != "" && !c.pass.Permits(route.Permission, c.r.PathValue(route.Account)):
		return ErrNotCovered
	}
	return nil
}
