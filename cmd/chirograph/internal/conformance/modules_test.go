package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/mtls"
)

// A plan is a test plan of the OpenID conformance suite.
type plan struct {
	name    string
	cast    func(*client) bool // who can play it
	modules []module
	varies  func(*client) string // in which variant a client plays it
	own     func(script) bool    // scripts beyond the modules that are listed with it
}

var plans = []plan{
	{"fapi2-security-profile-final", (*client).redirects, modules, (*client).variant, func(s script) bool { return !strings.HasPrefix(s.name, "ciba-") }},
	{"fapi-ciba-id1", (*client).ofFAPICIBA, backchannelModules, (*client).deliveryVariant, func(s script) bool { return strings.HasPrefix(s.name, "ciba-") }},
}

// A module is a row of a plan that does not belong to one ecosystem.
type module struct {
	name string // in the plan of FAPI 2.0 without its prefix fapi2-security-profile-final-
	need need
}

// A need is for which variants of a client a module is in the plan.
type need struct {
	title   string
	applies func(*client) bool
}

var (
	everyone = need{"every variant", func(*client) bool { return true }}
	byKey    = need{"private_key_jwt", (*client).signs}
	byProof  = need{"DPoP", (*client).proves}
)

var modules = []module{
	{"discovery-end-point-verification", need{"the issuer", nil}},
	{"happy-flow", everyone},
	{"user-rejects-authentication", everyone},
	{"ensure-authorization-request-without-state-success", everyone},
	{"ensure-authorization-request-without-nonce-success", everyone},
	{"ensure-authorization-request-with-64-char-nonce-success", everyone},
	{"ensure-other-scope-order-succeeds", everyone},
	{"test-claims-parameter-identity-claims", everyone},
	{"access-token-type-header-case-sensitivity", everyone},
	{"check-dpop-proof-nbf-exp", byProof},
	{"ensure-dpopproof-with-iat-10seconds-before-succeeds", byProof},
	{"ensure-dpopproof-with-iat-10seconds-after-succeeds", byProof},
	{"ensure-mismatched-dpop-jkt-fails", byProof},
	{"ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt", byProof},
	{"ensure-token-endpoint-fails-with-mismatched-dpop-jkt", byProof},
	{"ensure-dpopproof-at-par-endpoint-binding-success", byProof},
	{"ensure-dpop-auth-code-binding-success", byProof},
	{"ensure-different-nonce-inside-and-outside-request-object", everyone},
	{"ensure-different-state-inside-and-outside-request-object", everyone},
	{"ensure-authorization-request-with-long-nonce", everyone},
	{"ensure-authorization-request-with-long-state", everyone},
	{"state-only-outside-request-object-not-used", everyone},
	{"ensure-request-object-without-redirect-uri-fails", everyone},
	{"ensure-registered-redirect-uri", everyone},
	{"plain-fapi-tolerate-unregistered-redirect-uri", everyone},
	{"ensure-unsigned-authorization-request-without-using-par-fails", everyone},
	{"ensure-redirect-uri-in-authorization-request", everyone},
	{"ensure-response-type-code-idtoken-fails", everyone},
	{"ensure-response-type-token-fails", everyone},
	{"ensure-client-id-in-token-endpoint", everyone},
	{"ensure-holder-of-key-required", everyone},
	{"ensure-authorization-code-is-bound-to-client", everyone},
	{"attempt-reuse-authorization-code-after-one-second", everyone},
	{"ensure-token-endpoint-fails-with-expired-auth-code", everyone},
	{"ensure-signed-client-assertion-with-RS256-fails", byKey},
	{"ensure-client-assertion-in-token-endpoint", byKey},
	{"ensure-client-assertion-with-exp-is-5-minutes-in-past-fails", byKey},
	{"ensure-client-assertion-with-wrong-aud-fails", byKey},
	{"ensure-client-assertion-with-no-sub-fails", byKey},
	{"dpop-negative-tests", byProof},
	{"refresh-token", everyone},
	{"par-ensure-reused-request-uri-prior-to-auth-completion-succeeds", everyone},
	{"par-attempt-reuse-request_uri", everyone},
	{"par-attempt-to-use-expired-request_uri", everyone},
	{"par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted", byKey},
	{"par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails", byKey},
	{"par-attempt-to-use-request_uri-for-different-client", everyone},
	{"par-authorization-request-containing-request_uri-form-param", everyone},
	{"par-attempt-invalid-http-method", everyone},
	{"par-ensure-pkce-required", everyone},
	{"ensure-pkce-code-verifier-required", everyone},
	{"incorrect-pkce-code-verifier-rejected", everyone},
	{"par-plain-pkce-rejected", everyone},
	{"par-without-duplicate-parameters", everyone},
	{"par-test-array-as-audience-fails", byKey},
	{"par-test-par-endpoint-url-as-audience-fails", byKey},
	{"par-test-token-endpoint-url-as-audience-fails", byKey},
}

// variant is how a client authenticates and what its tokens are bound to.
func (c *client) variant() string {
	binding := "mtls"
	if c.proves() {
		binding = "dpop"
	}
	return "authentication by " + c.auth() + " and tokens bound by " + binding
}

func (c *client) auth() string {
	if c.signs() {
		return "private_key_jwt"
	}
	return "mtls"
}

// redirects reports whether the client sends browsers.
func (c *client) redirects() bool { return c.metadata.Grants("authorization_code") }

// variantsOf returns the variants among clients that satisfy a need.
func (p plan) variantsOf(n need, clients map[string]*client, names []string) []string {
	var all []string
	for _, name := range names {
		if c := clients[name]; c != nil && p.cast(c) && n.applies(c) && !slices.Contains(all, p.varies(c)) {
			all = append(all, p.varies(c))
		}
	}
	return all
}

// TestModules demands that every module of a plan is played by a script, for
// every variant in which the plan has it.
func TestModules(t *testing.T) {
	authority, err := mtls.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	clients := cast(time.Now(), authority)
	everybody := make([]string, 0, len(clients))
	for name := range clients {
		everybody = append(everybody, name)
	}
	scripts := readScripts(t)
	known := map[string]bool{}
	for _, p := range plans {
		for _, m := range p.modules {
			known[m.name] = true
			for _, v := range p.unplayed(m, scripts, clients, everybody) {
				t.Errorf("no script plays %s %s", m.name, v)
			}
		}
	}
	for _, s := range scripts {
		for _, name := range s.modules {
			if !known[name] {
				t.Errorf("%s.http plays %s, which is in no plan", s.name, name)
			}
		}
	}
}

// unplayed returns the variants of a module that no script plays.
func (p plan) unplayed(m module, scripts []script, clients map[string]*client, everybody []string) (missing []string) {
	played := playing(scripts, m.name)
	if len(played) == 0 {
		return []string{"at all"}
	}
	if m.need.applies == nil {
		return nil
	}
	var speakers []string
	for _, s := range played {
		speakers = append(speakers, s.speakers()...)
	}
	for _, v := range p.variantsOf(m.need, clients, everybody) {
		if !slices.Contains(p.variantsOf(m.need, clients, speakers), v) {
			missing = append(missing, "with "+v)
		}
	}
	return missing
}

func playing(scripts []script, module string) []script {
	return slices.DeleteFunc(slices.Clone(scripts), func(s script) bool { return !slices.Contains(s.modules, module) })
}

// speakers are the clients for which a script is played.
func (sc script) speakers() []string {
	var names []string
	for _, w := range sc.lines[0].args {
		names = append(names, w.text)
	}
	return names
}
