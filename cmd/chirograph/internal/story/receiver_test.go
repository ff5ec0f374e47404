package story

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReceiver(t *testing.T) {
	const good = `{"auth_req_id":"a1"}`
	tests := []struct {
		name                              string
		method, path, bearer, media, sent string
		status                            int
		heard                             bool
	}{
		{"a ping with the token is heard", "POST", "/till", "Bearer secret", "application/json", good, 204, true},
		{"whatever the charset", "POST", "/till", "Bearer secret", "application/json; charset=utf-8", good, 204, true},
		{"not with another token", "POST", "/till", "Bearer guess", "application/json", good, 401, false},
		{"nor with the token in another scheme", "POST", "/till", "Basic secret", "application/json", good, 401, false},
		{"nor without", "POST", "/till", "", "application/json", good, 401, false},
		{"nor at another path", "POST", "/other", "Bearer secret", "application/json", good, 404, false},
		{"nor by another method", "GET", "/till", "Bearer secret", "application/json", good, 405, false},
		{"nor as a form", "POST", "/till", "Bearer secret", "application/x-www-form-urlencoded", good, 400, false},
		{"nor without end", "POST", "/till", "Bearer secret", "application/json", strings.Repeat(" ", maxAnswer+1), 400, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReceiver("/till", "secret")
			in := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.sent))
			in.Header = http.Header{"Content-Type": {tt.media}, "Authorization": {tt.bearer}}
			w := httptest.NewRecorder()
			r.ServeHTTP(w, in)
			if w.Code != tt.status || len(r.calls) > 0 != tt.heard {
				t.Errorf("answered %d, %d calls heard", w.Code, len(r.calls))
			}
		})
	}
}

func TestWait(t *testing.T) {
	tests := []struct {
		name, sent, err string
	}{
		{"a call about the request ends the wait", `{"auth_req_id":"a1"}`, ""},
		{"one about another does not pass", `{"auth_req_id":"a2"}`, "another auth_req_id"},
		{"nor what is no JSON", `auth_req_id=a1`, "invalid character"},
		{"if nobody calls, the request runs out", "", ErrNotCalled.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, life := NewReceiver("/till", "secret"), int64(0)
			if tt.sent != "" {
				life = 60
				r.calls <- []byte(tt.sent)
			}
			_, err := r.Wait(t.Context(), Asked{ID: "a1", Expires: life}, 0)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}

func TestCheckPush(t *testing.T) {
	good := Push{AuthReqID: "a1", Tokens: Tokens{Access: "access", Refresh: "refresh"}}
	vouches := IDToken{AuthReqID: "a1", AccessHash: halfHash("access"), RefreshHash: halfHash("refresh")}
	tests := []struct {
		name string
		push func(*Push)
		err  string
	}{
		{"tokens that the ID token vouches for are taken", func(*Push) {}, ""},
		{"without a refresh token too", func(p *Push) { p.Refresh = "" }, ""},
		{"another access token is not", func(p *Push) { p.Access += "x" }, "at_hash"},
		{"nor another refresh token", func(p *Push) { p.Refresh += "x" }, "rt_hash"},
		{"nor the answer to another request", func(p *Push) { p.AuthReqID = "a2" }, "auth_req_id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := good
			tt.push(&p)
			err := vouches.CheckPush(p)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
	// OIDC-Core, Appendix A.3 has this access token and at_hash.
	if got := halfHash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"); got != "77QmUPtjPfzWtF2AnpK9RQ" {
		t.Errorf("the hash of the example is %s", got)
	}
}
