package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// What cannot be traced to the client ends on the error page.
func TestOpenRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(b *bank, q url.Values)
		want   string
	}{
		{"without client_id", func(_ *bank, q url.Values) { q.Del("client_id") }, "invalid_request"},
		{"without request_uri, whatever else is sent", func(_ *bank, q url.Values) {
			q.Del("request_uri")
			q.Set("response_type", "code")
			q.Set("redirect_uri", clientCallback)
		}, "FAPI2-SP §5.3.2.2-2.3"},
		{"with a repeated parameter", func(_ *bank, q url.Values) { q.Add("request_uri", q.Get("request_uri")) }, "more than once"},
		{"with a request_uri of another form", func(_ *bank, q url.Values) { q.Set("request_uri", "https://evil.example/r") }, "invalid_request_uri"},
		{"with a request_uri that nobody pushed", func(_ *bank, q url.Values) {
			q.Set("request_uri", oauth.RequestURIPrefix+newArtefact().Text())
		}, "invalid_request_uri"},
		{"with a wrong secret", func(_ *bank, q url.Values) {
			a, _ := oauth.ParseArtefact(strings.TrimPrefix(q.Get("request_uri"), oauth.RequestURIPrefix))
			a.Secret[0]++
			q.Set("request_uri", oauth.RequestURIPrefix+a.Text())
		}, "invalid_request_uri"},
		{"with the request_uri of another client", func(_ *bank, q url.Values) { q.Set("client_id", "other") }, "invalid_request_uri"},
		{"after its life", func(b *bank, _ url.Values) { b.clock.pass(90 * time.Second) }, "invalid_request_uri"},
		{"for a client that was suspended", func(b *bank, _ url.Values) {
			_, err := b.Clients.Execute(b.t.Context(), event.Meta{}, "budgetly", client.Suspend{})
			b.must(err)
		}, "invalid_client"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			opener, err := url.Parse(b.push())
			b.must(err)
			q := opener.Query()
			tt.change(b, q)
			opener.RawQuery = q.Encode()
			got := b.person().get(opener.String())
			if got.left != nil || got.status != http.StatusBadRequest || !got.has(`id="error"`) || !got.has(tt.want) {
				t.Errorf("got %d; want a page with %q:\n%s", got.status, tt.want, got.body)
			}
		})
	}
}

// Opening writes nothing, in any browser, any number of times.
func TestOpenWritesNothing(t *testing.T) {
	b := newBank(t)
	opener := b.push()
	for range 3 {
		p := b.person()
		p.get(opener)
		if page := p.get(opener); page.status != http.StatusOK || !page.has(`id="login"`) {
			t.Fatalf("got %d", page.status)
		}
	}
	b.clock.pass(89 * time.Second)
	b.person().get(opener)
	if _, types := b.journey(opener); len(types) != 1 {
		t.Errorf("the log has %v", types)
	}
}

// The client may post, and only what it pushed counts.
func TestOpenByPost(t *testing.T) {
	b := newBank(t)
	opener, err := url.Parse(b.push())
	b.must(err)
	q := opener.Query()
	q.Set("state", "from the front channel")
	r, err := http.NewRequest("POST", b.url+"/authorize", strings.NewReader(q.Encode()))
	b.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Origin", "https://budgetly.example")
	p := b.person()
	page := p.send(r)
	if page.header.Get("Access-Control-Allow-Origin") != "" { // FAPI2-SP §5.2.3-3
		t.Error("there must be no CORS")
	}
	answers(t, p.press(page, "cancel"), map[string]string{"state": "s-1"})
}

// prompt=none shows no page (OIDC-Core, Section 3.1.2.6), and uses nothing up.
func TestPromptNone(t *testing.T) {
	tests := []struct {
		name    string
		signed  string
		request []string
		want    oauth.Code
	}{
		{"nobody is signed in", "", nil, oauth.LoginRequired},
		{"the customer would have to agree", "alice", nil, oauth.ConsentRequired},
		{"the sign-in is too old", "alice", []string{"max_age", "10"}, oauth.LoginRequired},
		{"the sign-in is recent enough", "alice", []string{"max_age", "3600"}, oauth.ConsentRequired},
		{"another customer is hinted at", "alice", []string{"id_token_hint", "ben's"}, oauth.LoginRequired},
		{"the customer is hinted at", "alice", []string{"id_token_hint", "alice's"}, oauth.ConsentRequired},
		{"another customer is claimed", "alice", []string{"claims", `{"id_token":{"sub":{"value":"ben"}}}`}, oauth.LoginRequired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			p := b.person()
			if tt.signed != "" {
				p.signIn(p.get(b.url+"/login"), tt.signed)
				b.clock.pass(time.Minute)
			}
			for n, v := range tt.request {
				tt.request[n] = strings.NewReplacer("ben's", b.idToken("ben"), "alice's", b.idToken("alice")).Replace(v)
			}
			opener := b.push(append([]string{"prompt", "none"}, tt.request...)...)
			answers(t, p.get(opener), map[string]string{"error": string(tt.want), "state": "s-1", "iss": b.url})
			if _, types := b.journey(opener); len(types) != 1 {
				t.Errorf("the log has %v", types)
			}
		})
	}
}

// idToken is one that the stand-in for the signer takes for ours.
func (b *bank) idToken(subject string) string {
	return `{"iss":"` + b.url + `","sub":"` + subject + `"}`
}

// Who is signed in already goes straight to the question, unless the request
// wants a new sign-in.
func TestSingleSignOn(t *testing.T) {
	b := newBank(t)
	tests := []struct {
		name    string
		request []string
		want    string
	}{
		{"signed in is enough", nil, "approve"},
		{"prompt=consent is what happens anyway", []string{"prompt", "consent"}, "approve"},
		{"prompt=login asks again", []string{"prompt", "login"}, "login"},
		{"prompt=select_account asks again", []string{"prompt", "select_account"}, "login"},
		{"within max_age", []string{"max_age", "60"}, "approve"},
		{"beyond max_age", []string{"max_age", "59"}, "login"},
		{"max_age=0 is prompt=login", []string{"max_age", "0"}, "login"},
		{"a hint at another customer asks for that one", []string{"id_token_hint", b.idToken("ben")}, "login"},
		{"a hint at this customer", []string{"id_token_hint", b.idToken("alice")}, "approve"},
	}
	p := b.person()
	p.signIn(p.get(b.url+"/login"), "alice")
	b.clock.pass(time.Minute)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if page := p.get(b.push(tt.request...)); !page.has(`id="` + tt.want + `"`) {
				t.Errorf("got %d without %s:\n%s", page.status, tt.want, page.body)
			}
		})
	}
}

// A sign-in after the opening satisfies every wish for a fresh one, and its
// time is what the client will read.
func TestSignInAgain(t *testing.T) {
	for _, request := range [][]string{{"prompt", "login"}, {"max_age", "0"}, {"prompt", "select_account"}} {
		b := newBank(t)
		p := b.person()
		p.signIn(p.get(b.url+"/login"), "alice")
		b.clock.pass(time.Minute)
		opener := b.push(request...)
		if page := p.signIn(p.get(opener), "alice"); !page.has(`id="approve"`) {
			t.Errorf("%v: got %d", request, page.status)
		}
		if state, _ := b.journey(opener); !state.Person().AuthTime.Equal(b.clock.Now()) {
			t.Errorf("%v: auth_time is %v", request, state.Person().AuthTime)
		}
	}
}

func TestHints(t *testing.T) {
	t.Run("another customer signs in than was hinted at", func(t *testing.T) {
		b := newBank(t)
		p := b.person()
		done := p.signIn(p.get(b.push("id_token_hint", b.idToken("ben"))), "alice")
		answers(t, done, map[string]string{"error": "login_required", "state": "s-1", "iss": b.url})
	})
	t.Run("an id_token_hint that is not ours is refused", func(t *testing.T) {
		b := newBank(t)
		for _, hint := range []string{"nonsense", `{"iss":"https://elsewhere.example","sub":"alice"}`, `{"iss":"` + b.url + `"}`} {
			done := b.person().get(b.push("id_token_hint", hint))
			answers(t, done, map[string]string{"error": "invalid_request", "state": "s-1", "iss": b.url})
		}
	})
	t.Run("login_hint is filled in, inert", func(t *testing.T) {
		b := newBank(t)
		page := b.person().get(b.push("login_hint", `ali"><b>ce`))
		if !page.has(`value="ali&#34;&gt;&lt;b&gt;ce"`) || page.has("<b>ce") {
			t.Errorf("got\n%s", page.body)
		}
	})
}
