package oauth_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/chirograph/chirograph/domain/oauth"
)

// example is that of OIDC-Core, Section 5.5.
const example = `{
   "userinfo": {"given_name": {"essential": true}, "nickname": null, "email": {"essential": true}, "http://example.info/claims/groups": null},
   "id_token": {"auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}}
}`

func TestParseClaims(t *testing.T) {
	c, err := oauth.ParseClaims(example)
	if err != nil || len(c.Userinfo) != 4 || len(c.IDToken) != 2 || !c.IDToken["auth_time"].Essential || c.Userinfo["nickname"] != nil {
		t.Errorf("got %+v, %v", c, err)
	}
	if c, err := oauth.ParseClaims(""); err != nil || c.Userinfo != nil || c.IDToken != nil {
		t.Errorf("got %+v, %v of nothing", c, err)
	}
	for _, raw := range []string{"null", " null", "[]", `"sub"`, "{", `{"id_token":[]}`, `{"id_token":{"acr":true}}`, `{"id_token":{"acr":{"essential":1}}}`} {
		_, err := oauth.ParseClaims(raw)
		if refused, ok := errors.AsType[*oauth.Error](err); !ok || refused.By != "OIDC-Core §5.5" || !errors.Is(err, oauth.InvalidRequest) {
			t.Errorf("%s: got %v", raw, err)
		}
	}
}

func TestEssentialACR(t *testing.T) {
	tests := []struct {
		name, raw string
		want      []string
	}{
		{"none is asked", `{}`, nil},
		{"one is wished for", `{"id_token":{"acr":{"values":["a"]}}}`, nil},
		{"any is essential", `{"id_token":{"acr":{"essential":true}}}`, nil},
		{"one is essential", `{"id_token":{"acr":{"essential":true,"value":"a"}}}`, []string{"a"}},
		{"one of several is essential", `{"id_token":{"acr":{"essential":true,"values":["a","b"],"value":"c"}}}`, []string{"a", "b", "c"}},
		{"what is no name does not count", `{"id_token":{"acr":{"essential":true,"values":[1,"a"]}}}`, []string{"a"}},
		{"userinfo does not count", `{"userinfo":{"acr":{"essential":true,"value":"a"}}}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := oauth.ParseClaims(tt.raw)
			if got := c.EssentialACR(); err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func TestRequestedSubject(t *testing.T) {
	c, _ := oauth.ParseClaims(`{"id_token":{"sub":{"value":"alice"}}}`)
	d, _ := oauth.ParseClaims(`{"id_token":{"sub":null}}`)
	if c.RequestedSubject() != "alice" || d.RequestedSubject() != "" {
		t.Errorf("got %q and %q", c.RequestedSubject(), d.RequestedSubject())
	}
}

func TestUserinfoClaims(t *testing.T) {
	c, _ := oauth.ParseClaims(`{"userinfo":{"nickname":null,"email":null}}`)
	got := oauth.UserinfoClaims("openid email unknown", c)
	if want := []string{"email", "email_verified", "nickname"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Nothing panics, and who is refused learns why.
func FuzzParseClaims(f *testing.F) {
	f.Add(example)
	f.Add(`{"id_token":{"acr":{"essential":true,"value":{},"values":[null,1,"a"]},"sub":{"value":[]}}}`)
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := oauth.ParseClaims(raw)
		if err != nil && !errors.Is(err, oauth.InvalidRequest) {
			t.Fatalf("refused by %v", err)
		}
		c.EssentialACR()
		c.RequestedSubject()
		oauth.UserinfoClaims("profile", c)
	})
}
