package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
)

// A Tenant is an issuer as requests meet it.
type Tenant struct {
	ID       string
	URL      string // the issuer identifier
	MTLS     string // the same on the mutual-TLS listener, "" without one
	Active   bool
	Profile  oauth.Profile
	Settings issuer.Settings

	host, path string
}

// Server returns what request rules need to know of the tenant.
func (t Tenant) Server() oauth.Server {
	return oauth.Server{
		Issuer: t.URL, Scopes: t.Settings.Scopes, Resources: t.Settings.Resources, ACRs: supportedACRs, UserCodes: t.Settings.UserCodes,
	}
}

// serves reports whether a subject is a customer of the issuer. One for
// conformance tests has no real ones.
func (t Tenant) serves(who subject.State) bool {
	real := t.Settings.Purpose != issuer.Conformance || who.Test()
	return who.Active() && who.Issuer() == t.ID && real
}

// URLs returns the addresses at which an endpoint answers; a DPoP proof may
// name either.
func (t Tenant) URLs(path string) []string {
	if t.MTLS == "" {
		return []string{t.URL + path}
	}
	return []string{t.URL + path, t.MTLS + path}
}

// tenants are all issuers, derived again when one changes.
type tenants struct {
	mu      sync.Mutex
	version uint64
	fresh   bool
	all     []Tenant // longest path first
}

func (s *Server) allTenants(ctx context.Context) ([]Tenant, error) {
	states, version, err := s.Issuers.Versioned(ctx)
	if err != nil {
		return nil, err
	}
	s.tenants.mu.Lock()
	defer s.tenants.mu.Unlock()
	if s.tenants.fresh && s.tenants.version == version {
		return s.tenants.all, nil
	}
	var all []Tenant
	for id, state := range states {
		all = append(all, s.tenant(id, state))
	}
	slices.SortFunc(all, func(a, b Tenant) int {
		return cmp.Or(len(b.path)-len(a.path), strings.Compare(a.ID, b.ID))
	})
	s.tenants.all, s.tenants.version, s.tenants.fresh = all, version, true
	return all, nil
}

func (s *Server) tenant(id string, state issuer.State) Tenant {
	t := Tenant{ID: id, URL: state.URL(), Settings: state.Settings()}
	t.Profile, t.Active = s.Profiles[state.Profile()], state.Active()
	if t.Profile.Name == "" {
		t.Active = false // a profile that this version does not know: fail closed
	}
	if u, err := url.Parse(t.URL); err == nil {
		t.host, t.path = u.Host, strings.TrimSuffix(u.Path, "/")
		if s.MTLSOrigin != "" {
			t.MTLS = s.MTLSOrigin + t.path
		}
	}
	return t
}

// Tenant returns an issuer by id. One that another node has just made is found
// in its stream.
func (s *Server) Tenant(ctx context.Context, id string) (Tenant, bool, error) {
	all, err := s.allTenants(ctx)
	if err != nil {
		return Tenant{}, false, err
	}
	if i := slices.IndexFunc(all, func(t Tenant) bool { return t.ID == id }); i >= 0 {
		return all[i], true, nil
	}
	state, _, err := s.Issuers.Load(ctx, id)
	if err != nil || !state.Exists() {
		return Tenant{}, false, err
	}
	return s.tenant(id, state), true, nil
}

// route finds the issuer that a request is for and the path below it. Metadata
// also has its well-known form in front of the issuer's path (RFC 8414,
// Section 3.1).
func (s *Server) route(r *http.Request) (Tenant, string, bool, error) {
	all, err := s.allTenants(r.Context())
	if err != nil {
		return Tenant{}, "", false, err
	}
	mtls := strings.TrimPrefix(s.MTLSOrigin, "https://")
	for _, t := range all {
		if !strings.EqualFold(r.Host, t.host) && !(mtls != "" && strings.EqualFold(r.Host, mtls)) {
			continue
		}
		for _, inserted := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
			if t.path != "" && r.URL.Path == inserted+t.path {
				return t, inserted, true, nil
			}
		}
		if rest, found := strings.CutPrefix(r.URL.Path, t.path); found && (rest == "" || rest[0] == '/') {
			return t, rest, true, nil
		}
	}
	return Tenant{}, "", false, nil
}

// supportedACRs are the authentication contexts that sign-in can reach.
var supportedACRs = []string{ACRPassword}

// ACRPassword is a sign-in with name and password.
const ACRPassword = "urn:chirograph:acr:password"

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
