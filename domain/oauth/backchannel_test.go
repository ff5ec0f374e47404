package oauth_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// everything is a request with every parameter.
var everything = oauth.BackchannelRequest{
	Scope: "openid", NotificationToken: "t", ACRValues: "a b", LoginHint: "l", LoginHintToken: "h", IDTokenHint: "i", BindingMessage: "m",
	UserCode: "u", RequestedExpiry: "60", AuthorizationDetails: "[{}]", RequestContext: "{}", Resource: []string{"urn:a", "urn:b"},
}

const everyClaim = `{"scope":"openid","client_notification_token":"t","acr_values":"a b","login_hint":"l","login_hint_token":"h","id_token_hint":"i",
	"binding_message":"m","user_code":"u","requested_expiry":60,"authorization_details":[{}],"request_context":{},"resource":["urn:a","urn:b"],"SCOPE":1,"odd":{}}`

func TestParseBackchannelForm(t *testing.T) {
	form := url.Values{
		"scope": {"openid"}, "client_notification_token": {"t"}, "acr_values": {"a b"}, "login_hint": {"l"}, "login_hint_token": {"h"},
		"id_token_hint": {"i"}, "binding_message": {"m"}, "user_code": {"u"}, "requested_expiry": {"60"}, "authorization_details": {"[{}]"},
		"request_context": {"{}"}, "resource": {"urn:a", "", "urn:b"}, "odd": {"o"},
	}
	if got := oauth.ParseBackchannelForm(form); !reflect.DeepEqual(got, everything) {
		t.Errorf("got %+v", got)
	}
}

func TestParseBackchannelClaims(t *testing.T) {
	tests := []struct {
		name   string
		claims string
		want   oauth.BackchannelRequest
		ok     bool
	}{
		{"every claim", everyClaim, everything, true},
		{"none", `{}`, oauth.BackchannelRequest{}, true},
		{"an expiry as a string", `{"requested_expiry":"60"}`, oauth.BackchannelRequest{RequestedExpiry: "60"}, true},
		{"an expiry that is judged later", `{"requested_expiry":-1.5}`, oauth.BackchannelRequest{RequestedExpiry: "-1.5"}, true},
		{"one resource", `{"resource":"urn:a"}`, oauth.BackchannelRequest{Resource: []string{"urn:a"}}, true},
		{"space around values", "\n{ \"scope\" : \"openid\" , \"request_context\" : { \"a\" : 1 } }", oauth.BackchannelRequest{Scope: "openid", RequestContext: `{ "a" : 1 }`}, true},
		{"a scope that is a list", `{"scope":["openid"]}`, oauth.BackchannelRequest{}, false},
		{"a scope that is null", `{"scope":null}`, oauth.BackchannelRequest{}, false},
		{"a hint that is a number", `{"login_hint":7}`, oauth.BackchannelRequest{}, false},
		{"a message that is an object", `{"binding_message":{}}`, oauth.BackchannelRequest{}, false},
		{"an expiry that is true", `{"requested_expiry":true}`, oauth.BackchannelRequest{}, false},
		{"an expiry in words", `{"requested_expiry":"ten"}`, oauth.BackchannelRequest{}, false},
		{"details as a string", `{"authorization_details":"[{}]"}`, oauth.BackchannelRequest{}, false},
		{"details as an object", `{"authorization_details":{}}`, oauth.BackchannelRequest{}, false},
		{"a context as a list", `{"request_context":[]}`, oauth.BackchannelRequest{}, false},
		{"a resource that is a number", `{"resource":7}`, oauth.BackchannelRequest{}, false},
		{"a resource among numbers", `{"resource":["urn:a",7]}`, oauth.BackchannelRequest{}, false},
		{"a resource among nulls", `{"resource":["urn:a",null]}`, oauth.BackchannelRequest{}, false},
		{"a claim that occurs twice", `{"scope":"openid","scope":"openid"}`, oauth.BackchannelRequest{}, false},
		{"a list", `[]`, oauth.BackchannelRequest{}, false},
		{"null", `null`, oauth.BackchannelRequest{}, false},
		{"no JSON", `{"scope":`, oauth.BackchannelRequest{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := oauth.ParseBackchannelClaims([]byte(tt.claims))
			if !tt.ok {
				judge(t, err, oauth.InvalidRequest, "CIBA §7.1.1")
			} else if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v %v", got, err)
			}
		})
	}
}

// What the client proves itself with may stand beside a signed request, and
// nothing of the request itself.
func TestCheckSignedForm(t *testing.T) {
	outside := url.Values{"request": {"e30"}, "client_id": {"c"}, "client_assertion": {"e30"}, "client_assertion_type": {"t"}, "odd": {"o"}, "scope": {""}}
	if err := oauth.CheckSignedForm(outside); err != nil {
		t.Errorf("refused: %v", err)
	}
	var parameters map[string]any
	if err := json.Unmarshal([]byte(everyClaim), &parameters); err != nil {
		t.Fatal(err)
	}
	delete(parameters, "SCOPE")
	delete(parameters, "odd")
	for name := range parameters {
		judge(t, oauth.CheckSignedForm(url.Values{"request": {"e30"}, name: {"1"}}), oauth.InvalidRequest, "CIBA §7.1.1")
	}
}

func TestClaimedClient(t *testing.T) {
	if id, err := oauth.ClaimedClient([]byte(`{"client_id":"c"}`)); id != "c" || err != nil {
		t.Errorf("got %q %v", id, err)
	}
	if id, err := oauth.ClaimedClient([]byte(`{}`)); id != "" || err != nil {
		t.Errorf("got %q %v", id, err)
	}
	_, err := oauth.ClaimedClient([]byte(`{"client_id":["c"]}`))
	judge(t, err, oauth.InvalidRequest, "CIBA §7.1.1")
}

func TestLifetime(t *testing.T) {
	for asked, want := range map[string]time.Duration{
		"": 2 * time.Minute, "1": time.Second, "10": 10 * time.Second, "600": 10 * time.Minute, "601": 10 * time.Minute,
		"9999999999": 10 * time.Minute, strings.Repeat("9", 40): 10 * time.Minute,
	} {
		if got := (oauth.BackchannelRequest{RequestedExpiry: asked}).Lifetime(2*time.Minute, 10*time.Minute); got != want {
			t.Errorf("%q: %s, want %s", asked, got, want)
		}
	}
}

// Whatever a client signs is refused or read as a request that the rules can
// judge, in one way only.
func FuzzBackchannelClaims(f *testing.F) {
	for _, seed := range []string{everyClaim, `{"resource":"urn:a"}`, `{"requested_expiry":"60"}`, `{"scope":null}`, `null`, `{"a":1,"a":2}`} {
		f.Add([]byte(seed))
	}
	c := oauth.Client{ID: "c", ClientMetadata: oauth.ClientMetadata{DeliveryMode: oauth.Ping, GrantTypes: []string{oauth.GrantCIBA}, Scope: "openid"}}
	f.Fuzz(func(t *testing.T, claims []byte) {
		r, err := oauth.ParseBackchannelClaims(claims)
		if err != nil {
			return
		}
		again, err := oauth.ParseBackchannelClaims(claims)
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Errorf("read as %+v and as %+v, %v", r, again, err)
		}
		if life := r.Lifetime(time.Minute, time.Hour); life > time.Hour {
			t.Errorf("it lives for %s", life)
		}
		err = oauth.Profile{}.CheckBackchannel(r, c, oauth.Server{Scopes: []string{"openid"}})
		if err == nil && (len(r.Hints()) != 1 || len(r.NotificationToken) < 22 || r.Lifetime(time.Minute, time.Hour) <= 0) {
			t.Errorf("permitted: %+v", r)
		}
	})
}
