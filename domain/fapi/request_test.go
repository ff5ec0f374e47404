package fapi_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/oauth"
)

var budgetly = oauth.Client{ID: "budgetly", ClientMetadata: oauth.ClientMetadata{
	RedirectURIs: []string{"https://budgetly.example/cb", "http://127.0.0.1/cb"},
	GrantTypes:   []string{"authorization_code", "refresh_token"},
	Scope:        "openid accounts",
}}

var good = oauth.AuthorizationRequest{
	ClientID: "budgetly", ResponseType: "code", RedirectURI: "https://budgetly.example/cb", Scope: "openid accounts",
	CodeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", CodeChallengeMethod: "S256", // RFC 7636, Appendix B
	State: "af0ifjsldkj", Nonce: strings.Repeat("n", 64),
}

func TestCheck(t *testing.T) {
	for _, r := range requestRows {
		r.test(t)
	}
}

var requestRows = slices.Concat(
	[]row{
		request("a good request", "", "", func(r *oauth.AuthorizationRequest) {}),
		request("a long state", "", "", func(r *oauth.AuthorizationRequest) { r.State = strings.Repeat("s", 4096) }),
		request("everything as long as permitted", "", "", func(r *oauth.AuthorizationRequest) {
			r.State, r.Nonce, r.LoginHint, r.IDTokenHint = long("", 4096), long("", 512), long("", 2048), long("", 4096)
			r.ACRValues, r.Scope, r.Prompt, r.Claims = long("", 1024), long("openid", 1024), long("login", 1024), long("{}", 8<<10)
			r.AuthorizationDetails = long(`[{"type":"account_information","permissions":["ReadBalances"]}]`, 16<<10)
			r.MaxAge, r.Resource = "2147483647", slices.Repeat(bank.Resources, 8)
		}),
		request("prompt none alone", "", "", func(r *oauth.AuthorizationRequest) { r.Prompt, r.MaxAge = "none", "0" }),
		request("two prompts", "", "", func(r *oauth.AuthorizationRequest) { r.Prompt = "login consent" }),
		request("no state and no nonce", "", "", func(r *oauth.AuthorizationRequest) { r.State, r.Nonce = "", "" }),
		request("response_mode query", "", "", func(r *oauth.AuthorizationRequest) { r.ResponseMode = "query" }),
		request("another port on loopback", "", "", func(r *oauth.AuthorizationRequest) { r.RedirectURI = "http://127.0.0.1:51004/cb" }),
		request("details in place of scope", "", "", func(r *oauth.AuthorizationRequest) {
			r.Scope, r.AuthorizationDetails = "", `[{"type":"account_information","permissions":["ReadBalances"]}]`
		}),
		request("a known resource", "", "", func(r *oauth.AuthorizationRequest) { r.Resource = bank.Resources }),
		request("a thumbprint", "", "", func(r *oauth.AuthorizationRequest) { r.DPoPJKT = good.CodeChallenge }),
		request("an essential acr among others", "", "", func(r *oauth.AuthorizationRequest) {
			r.Claims = `{"id_token":{"acr":{"essential":true,"values":["urn:other","urn:bank:sca"]}}}`
		}),

		request("request_uri", "RFC 9126 §2.1", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.RequestURI = "urn:x" }),
		request("a request object", "OIDC-Core §3.1.2.6", oauth.RequestNotSupported, func(r *oauth.AuthorizationRequest) { r.Request = "e30" }),
		request("another client_id", "RFC 9126 §2.1", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.ClientID = "payzip" }),

		request("no redirect_uri", "FAPI2-SP §5.3.2.2-2.6", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.RedirectURI = "" }),
		request("a longer redirect_uri", "RFC 9700 §2.1", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.RedirectURI += "/" }),
		request("https on another port", "RFC 9700 §2.1", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.RedirectURI = "https://budgetly.example:444/cb" }),

		request("no response_type", "RFC 6749 §3.1.1", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.ResponseType = "" }),
		request("response_type code id_token", "FAPI2-SP §5.3.2.2-2.1", oauth.UnsupportedResponseType, func(r *oauth.AuthorizationRequest) { r.ResponseType = "code id_token" }),
		request("response_type token", "FAPI2-SP §5.3.2.2-2.1", oauth.UnsupportedResponseType, func(r *oauth.AuthorizationRequest) { r.ResponseType = "token" }),
		request("response_mode fragment", "OAuth Multiple Response Types §2.1", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.ResponseMode = "fragment" }),

		request("no code_challenge", "FAPI2-SP §5.3.2.2-2.5", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.CodeChallenge = "" }),
		request("code_challenge_method plain", "FAPI2-SP §5.3.2.2-2.5", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.CodeChallengeMethod = "plain" }),
		request("no code_challenge_method", "FAPI2-SP §5.3.2.2-2.5", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.CodeChallengeMethod = "" }),
		request("a short code_challenge", "RFC 7636 §4.2", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.CodeChallenge = "short" }),

		request("a scope beyond the registered", "RFC 6749 §3.3", oauth.InvalidScope, func(r *oauth.AuthorizationRequest) { r.Scope = "openid email" }),
		request("an unknown scope", "RFC 6749 §3.3", oauth.InvalidScope, func(r *oauth.AuthorizationRequest) { r.Scope = "openid payments" }),
		request("a tab in scope", "RFC 6749 §3.3", oauth.InvalidScope, func(r *oauth.AuthorizationRequest) { r.Scope = "openid\taccounts" }),
		request("neither scope nor details", "RFC 6749 §3.3", oauth.InvalidScope, func(r *oauth.AuthorizationRequest) { r.Scope = "" }),

		request("prompt none with another", "OIDC-Core §3.1.2.1", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.Prompt = "none login" }),
		request("an unknown prompt", "OIDC-Core §3.1.2.1", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.Prompt = "dance" }),
		request("max_age in words", "OIDC-Core §3.1.2.1", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.MaxAge = "soon" }),
		request("a negative max_age", "OIDC-Core §3.1.2.1", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.MaxAge = "-1" }),
		request("an endless max_age", "OIDC-Core §3.1.2.1", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.MaxAge = "4294967296" }),

		request("an unknown resource", "RFC 8707 §2", oauth.InvalidTarget, func(r *oauth.AuthorizationRequest) { r.Resource = []string{"https://other.example"} }),
		request("a relative resource", "RFC 8707 §2", oauth.InvalidTarget, func(r *oauth.AuthorizationRequest) { r.Resource = []string{"/accounts"} }),
		request("a resource with a fragment", "RFC 8707 §2", oauth.InvalidTarget, func(r *oauth.AuthorizationRequest) { r.Resource = []string{bank.Resources[0] + "#a"} }),
		request("resource nine times", "RFC 8707 §2", oauth.InvalidTarget, func(r *oauth.AuthorizationRequest) { r.Resource = slices.Repeat(bank.Resources, 9) }),

		request("dpop_jkt that is no thumbprint", "RFC 9449 §10", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.DPoPJKT = strings.Repeat("=", 43) }),
		request("details that are no array", "RFC 9396 §5", oauth.InvalidAuthorizationDetails, func(r *oauth.AuthorizationRequest) { r.AuthorizationDetails = "{}" }),
		request("access that has already ended", "RFC 9396 §5", oauth.InvalidAuthorizationDetails, func(r *oauth.AuthorizationRequest) {
			r.AuthorizationDetails = `[{"type":"account_information","permissions":["ReadBalances"],"expires_at":"2026-01-01T12:00:00Z"}]`
		}),
		request("claims that are no object", "OIDC-Core §5.5", oauth.InvalidRequest, func(r *oauth.AuthorizationRequest) { r.Claims = "[]" }),
		request("an essential acr that cannot be met", "OIDC-Core §5.5.1.1", oauth.UnmetAuthenticationRequirements, func(r *oauth.AuthorizationRequest) {
			r.Claims = `{"id_token":{"acr":{"essential":true,"value":"urn:other"}}}`
		}),

		asked("a resource server", "RFC 6749 §4.1.2.1", oauth.UnauthorizedClient, func(c *oauth.Client) { c.Resources = bank.Resources }),
		asked("a client that registered no code grant", "RFC 7591 §2", oauth.UnauthorizedClient, func(c *oauth.Client) { c.GrantTypes = []string{"client_credentials"} }),
	},
	tooLongRows(),
)

func request(name string, clause oauth.Clause, code oauth.Code, change func(*oauth.AuthorizationRequest)) row {
	return row{name, clause, code, func(p oauth.Profile) error {
		r := good
		change(&r)
		return p.Check(r, budgetly, bank)
	}}
}

func asked(name string, clause oauth.Clause, code oauth.Code, change func(*oauth.Client)) row {
	return row{name, clause, code, func(p oauth.Profile) error {
		c := budgetly
		change(&c)
		return p.Check(good, c, bank)
	}}
}

// long pads a value with spaces to a length.
func long(value string, length int) string { return value + strings.Repeat(" ", length-len(value)) }

// tooLongRows has one parameter each that is one byte longer than its limit.
func tooLongRows() (rows []row) {
	for name, limit := range map[string]int{
		"state": 4096, "nonce": 512, "scope": 1024, "redirect_uri": 2048, "login_hint": 2048, "id_token_hint": 4096,
		"claims": 8 << 10, "authorization_details": 16 << 10, "acr_values": 1024, "prompt": 1024,
	} {
		rows = append(rows, row{name + " is too long", "RFC 6749 §4.1.2.1", oauth.InvalidRequest, func(p oauth.Profile) error {
			r := oauth.ParseAuthorizationRequest(url.Values{"client_id": {"budgetly"}, name: {strings.Repeat("x", limit+1)}})
			return p.Check(r, budgetly, bank)
		}})
	}
	return rows
}

// Whatever is pushed, nothing panics, and who is refused learns the code and
// the clause.
func FuzzCheck(f *testing.F) {
	f.Add("client_id=budgetly&response_type=code&redirect_uri=https://budgetly.example/cb&scope=openid&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
	f.Add("client_id=budgetly&redirect_uri=http://127.0.0.1:1/cb&claims={}&authorization_details=[]&resource=%00&max_age=9&prompt=none")
	f.Add("client_id=budgetly&redirect_uri=http://[::1%25]:x&request_uri=&state=%ff")
	f.Fuzz(func(t *testing.T, raw string) {
		form, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		r := oauth.ParseAuthorizationRequest(form)
		r.Personal()
		err = fapi.SecurityProfile.Check(r, budgetly, bank)
		if err == nil {
			if !slices.Contains(budgetly.RedirectURIs, r.RedirectURI) && !strings.HasPrefix(r.RedirectURI, "http://127.0.0.1:") {
				t.Fatalf("answers would go to %q", r.RedirectURI)
			}
			return
		}
		refused, ok := errors.AsType[*oauth.Error](err)
		if !ok || refused.Code == "" || refused.By == "" || refused.Description == "" {
			t.Fatalf("refused by %#v", err)
		}
	})
}
