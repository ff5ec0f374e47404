package oauth

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An AuthorizationRequest is the parameters of RFC 6749, Section 4.1.1 and its
// extensions, as the client sent them. An empty parameter counts as absent
// (RFC 6749, Section 3.1).
type AuthorizationRequest struct {
	ClientID             string
	ResponseType         string
	ResponseMode         string
	RedirectURI          string
	State                string
	Scope                string
	Nonce                string
	CodeChallenge        string
	CodeChallengeMethod  string
	Prompt               string
	MaxAge               string
	ACRValues            string
	LoginHint            string
	IDTokenHint          string
	Claims               string
	AuthorizationDetails string
	Resource             []string
	DPoPJKT              string
	Request              string
	RequestURI           string

	// Others is true if the form had parameters that this server does not know.
	Others bool
}

// harmless are the parameters that say nothing about a person and are not
// read here.
var harmless = []string{"client_assertion", "client_assertion_type", "client_secret", "display", "ui_locales"}

// parameters are those that an [AuthorizationRequest] holds.
var parameters = []string{
	"client_id", "response_type", "response_mode", "redirect_uri", "state", "scope", "nonce",
	"code_challenge", "code_challenge_method", "prompt", "max_age", "acr_values", "login_hint", "id_token_hint",
	"claims", "authorization_details", "resource", "dpop_jkt", "request", "request_uri",
}

func known(parameter string) bool {
	return slices.Contains(parameters, parameter) || slices.Contains(harmless, parameter)
}

// ParseAuthorizationRequest reads the parameters it knows and ignores the rest
// (RFC 6749, Section 3.1).
func ParseAuthorizationRequest(form url.Values) AuthorizationRequest {
	return AuthorizationRequest{
		ClientID:             form.Get("client_id"),
		ResponseType:         form.Get("response_type"),
		ResponseMode:         form.Get("response_mode"),
		RedirectURI:          form.Get("redirect_uri"),
		State:                form.Get("state"),
		Scope:                form.Get("scope"),
		Nonce:                form.Get("nonce"),
		CodeChallenge:        form.Get("code_challenge"),
		CodeChallengeMethod:  form.Get("code_challenge_method"),
		Prompt:               form.Get("prompt"),
		MaxAge:               form.Get("max_age"),
		ACRValues:            form.Get("acr_values"),
		LoginHint:            form.Get("login_hint"),
		IDTokenHint:          form.Get("id_token_hint"),
		Claims:               form.Get("claims"),
		AuthorizationDetails: form.Get("authorization_details"),
		Resource:             slices.DeleteFunc(slices.Clone(form["resource"]), func(s string) bool { return s == "" }),
		DPoPJKT:              form.Get("dpop_jkt"),
		Request:              form.Get("request"),
		RequestURI:           form.Get("request_uri"),
		Others:               slices.ContainsFunc(slices.Collect(maps.Keys(form)), func(name string) bool { return !known(name) }),
	}
}

// Scopes returns the values of scope.
func (r AuthorizationRequest) Scopes() []string { return strings.Fields(r.Scope) }

// OpenID reports whether the request is an OpenID Connect one.
func (r AuthorizationRequest) OpenID() bool { return slices.Contains(r.Scopes(), "openid") }

// Prompts reports whether prompt has the given value.
func (r AuthorizationRequest) Prompts(value string) bool {
	return slices.Contains(strings.Fields(r.Prompt), value)
}

// AuthenticationAge returns the longest acceptable age of the customer's
// authentication, if the request limits it (OIDC-Core, Section 3.1.2.1).
func (r AuthorizationRequest) AuthenticationAge(c Client) (time.Duration, bool) {
	if r.MaxAge == "" {
		if c.DefaultMaxAge == nil {
			return 0, false
		}
		return time.Duration(*c.DefaultMaxAge) * time.Second, true
	}
	seconds, err := strconv.Atoi(r.MaxAge)
	return time.Duration(seconds) * time.Second, err == nil
}

// Personal reports whether the request may name or describe a person, so that
// its bytes must be sealed before they are stored. In doubt it does.
func (r AuthorizationRequest) Personal() bool {
	details, err := ParseDetails(r.AuthorizationDetails)
	names := func(d Detail) bool { return len(d.Accounts) > 0 || d.Purpose != "" }
	return r.LoginHint != "" || r.IDTokenHint != "" || r.Claims != "" || r.Request != "" || r.Others ||
		err != nil || slices.ContainsFunc(details, names)
}

// Limits of single parameters, in bytes.
const (
	maxState    = 4096
	maxNonce    = 512
	maxScope    = 1024
	maxURI      = 2048
	maxHint     = 4096
	maxDetails  = 16 << 10
	maxClaims   = 8 << 10
	maxResource = 8 // values
	maxSeconds  = 1<<31 - 1
)

// limits returns what refuses a parameter that is too long.
func limits(by Clause) func(name, value string, limit int) error {
	return func(name, value string, limit int) error {
		return refusal(len(value) > limit, InvalidRequest, by, name+" is longer than "+strconv.Itoa(limit)+" bytes")
	}
}

func (r AuthorizationRequest) bounded() error {
	tooLong := limits("RFC 6749 §4.1.2.1")
	return first(
		tooLong("state", r.State, maxState),
		tooLong("nonce", r.Nonce, maxNonce),
		tooLong("scope", r.Scope, maxScope),
		tooLong("redirect_uri", r.RedirectURI, maxURI),
		tooLong("login_hint", r.LoginHint, maxURI),
		tooLong("id_token_hint", r.IDTokenHint, maxHint),
		tooLong("claims", r.Claims, maxClaims),
		tooLong("authorization_details", r.AuthorizationDetails, maxDetails),
		tooLong("acr_values", r.ACRValues, maxScope),
		tooLong("prompt", r.Prompt, maxScope),
		refusal(len(r.Resource) > maxResource, InvalidTarget, "RFC 8707 §2", "resource is sent too often"),
	)
}
