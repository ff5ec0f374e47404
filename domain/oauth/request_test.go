package oauth_test

import (
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

func TestParseAuthorizationRequest(t *testing.T) {
	form := url.Values{}
	kind := reflect.TypeFor[oauth.AuthorizationRequest]()
	for _, name := range []string{
		"client_id", "response_type", "response_mode", "redirect_uri", "state", "scope", "nonce", "code_challenge",
		"code_challenge_method", "prompt", "max_age", "acr_values", "login_hint", "id_token_hint", "claims",
		"authorization_details", "resource", "dpop_jkt", "request", "request_uri",
	} {
		form.Set(name, "value of "+name)
	}
	form.Add("resource", "")
	form.Add("resource", "another")
	r := reflect.ValueOf(oauth.ParseAuthorizationRequest(form))
	seen := map[string]bool{}
	for i := range kind.NumField() {
		if kind.Field(i).Type.Kind() != reflect.String {
			continue
		}
		value := r.Field(i).String()
		if value == "" || seen[value] {
			t.Errorf("%s is %q", kind.Field(i).Name, value)
		}
		seen[value] = true
	}
	got := r.Interface().(oauth.AuthorizationRequest)
	if !reflect.DeepEqual(got.Resource, []string{"value of resource", "another"}) || got.Others {
		t.Errorf("got resource %q and others %v", got.Resource, got.Others)
	}
}

func TestPersonal(t *testing.T) {
	detail := func(member string) url.Values {
		return url.Values{"authorization_details": {`[{"type":"account_information","permissions":["ReadBalances"]` + member + `}]`}}
	}
	tests := []struct {
		name string
		form url.Values
		want bool
	}{
		{"a plain request", url.Values{"client_id": {"c"}, "state": {"s"}, "client_assertion": {"e30"}, "ui_locales": {"de"}}, false},
		{"details that name nobody", detail(""), false},
		{"a login hint", url.Values{"login_hint": {"alice"}}, true},
		{"an ID token", url.Values{"id_token_hint": {"e30"}}, true},
		{"claims", url.Values{"claims": {"{}"}}, true},
		{"a request object", url.Values{"request": {"e30"}}, true},
		{"an account", detail(`,"accounts":["GB01"]`), true},
		{"an account in other letters", detail(`,"\u0061ccounts":["GB01"]`), true},
		{"free text", detail(`,"purpose":"rent of Alice"`), true},
		{"details that cannot be read", url.Values{"authorization_details": {"["}}, true},
		{"a parameter that nobody knows", url.Values{"cpf": {"123"}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := oauth.ParseAuthorizationRequest(tt.form).Personal(); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestAuthenticationAge(t *testing.T) {
	tests := []struct {
		name, asked string
		registered  *int
		want        time.Duration
		limited     bool
	}{
		{"nobody asks", "", nil, 0, false},
		{"the request asks", "300", nil, 5 * time.Minute, true},
		{"for a new sign-in", "0", nil, 0, true},
		{"the client always asks", "", new(60), time.Minute, true},
		{"always for a new sign-in", "", new(0), 0, true},
		{"the request goes first", "300", new(60), 5 * time.Minute, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := oauth.Client{ClientMetadata: oauth.ClientMetadata{DefaultMaxAge: tt.registered}}
			got, limited := oauth.AuthorizationRequest{MaxAge: tt.asked}.AuthenticationAge(c)
			if got != tt.want || limited != tt.limited {
				t.Errorf("got %s, %v", got, limited)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	r := oauth.AuthorizationRequest{Scope: "openid  accounts", Prompt: "login consent"}
	if !r.OpenID() || len(r.Scopes()) != 2 || !r.Prompts("consent") || r.Prompts("none") {
		t.Errorf("got %v", r.Scopes())
	}
	if (oauth.AuthorizationRequest{Scope: "openid2"}).OpenID() {
		t.Error("openid2 is not openid")
	}
}
