package resource

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// A ledger checks every token alike and remembers what was recorded.
type ledger struct {
	grant    Grant
	accounts []string // with every permission but those of forbidden
	refusal  error    // of Check
	ended    bool     // the refused token is genuine
	full     error    // of Record
	nonce    string

	presented Presented
	tried     int // to record
	recorded  []Access
}

func (l *ledger) Check(_ context.Context, p Presented) (Pass, error) {
	l.presented = p
	if l.refusal != nil && !l.ended {
		return nil, l.refusal
	}
	return l, l.refusal
}
func (l *ledger) Nonce() string             { return l.nonce }
func (l *ledger) Algorithms() []string      { return []string{"ES256", "PS256"} }
func (l *ledger) Grant() Grant              { return l.grant }
func (l *ledger) Accounts(string) []string  { return l.accounts }
func (l *ledger) HistoryFrom(string) string { return "" }
func (l *ledger) Permits(permission, account string) bool {
	return permission == "Read" && len(l.accounts) > 0 && (account == "" || slices.Contains(l.accounts, account))
}
func (l *ledger) Record(_ context.Context, a Access) error {
	if l.tried++; l.full != nil {
		return l.full
	}
	l.recorded = append(l.recorded, a)
	return nil
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func (l *ledger) serve(w http.ResponseWriter, r *http.Request) {
	s := &Server{
		Checker: l, URLs: At("https://rs.example"), Now: func() time.Time { return noon },
		Certificate: func(r *http.Request) (*oauth.Certificate, error) {
			if r.Header.Get("Client-Cert") == "odd" {
				return nil, errors.New("not DER")
			}
			return nil, nil
		},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	data := func(r *http.Request, p Pass) (Answer, error) {
		switch r.URL.Query().Get("case") {
		case "refuse":
			return Answer{}, oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.1", "from must be a date")
		case "fail":
			return Answer{}, errors.New("the bank burns down")
		case "long":
			return Answer{Body: strings.Repeat("x", maxAnswer)}, nil
		}
		return Answer{map[string]string{"secret": "balance"}, []string{"a1"}}, nil
	}
	mux := http.NewServeMux()
	mux.Handle("/open", s.Protect(Route{Path: "/open"}, data))
	mux.Handle("/scoped", s.Protect(Route{Path: "/scoped", Scope: "accounts"}, data))
	mux.Handle("/all", s.Protect(Route{Path: "/all", NeedsConsent: true, Permission: "Read"}, data))
	mux.Handle("/write", s.Protect(Route{Path: "/write", NeedsConsent: true, Permission: "Write"}, data))
	mux.Handle("/of/{account}", s.Protect(Route{Path: "/of/:id", NeedsConsent: true, Permission: "Read", Account: "account"}, data))
	mux.Handle("/", s.Nothing())
	mux.ServeHTTP(w, r)
}

func customers() *ledger {
	return &ledger{grant: Grant{Token: "t1", Client: "c1", Subject: "s1", Consent: "k1", Scope: "openid accounts"}, accounts: []string{"a1"}}
}

// ask sends one request with a token, and changes it with each of edits.
func ask(l *ledger, method, target string, edits ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Authorization", "DPoP token")
	for _, edit := range edits {
		edit(r)
	}
	w := httptest.NewRecorder()
	l.serve(w, r)
	return w
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		if r.Header.Set(name, value); value == "" {
			r.Header.Del(name)
		}
	}
}

func TestProtect(t *testing.T) {
	refused := func(code oauth.Code) *ledger {
		l := customers()
		l.refusal = oauth.Refuse(code, "RFC 0 §1", "no")
		return l
	}
	ended := refused(oauth.InvalidToken)
	ended.ended = true
	forgetful := refused(oauth.InvalidToken)
	forgetful.ended, forgetful.full = true, errors.New("disk full")
	with := func(change func(*ledger)) *ledger { l := customers(); change(l); return l }
	failing := with(func(l *ledger) { l.full = errors.New("disk full") })
	replaying := with(func(l *ledger) { l.full = oauth.Refuse(oauth.InvalidDPoPProof, "RFC 9449 §11.1", "used before") })

	type edits = []func(*http.Request)
	tests := []struct {
		name     string
		ledger   *ledger
		request  string
		edits    edits
		status   int
		code     string // in the body
		recorded []int  // statuses
	}{
		{"a token that permits it gets the data", customers(), "GET /all", nil, 200, "", []int{200}},
		{"a route without demands serves any token", with(func(l *ledger) { l.grant = Grant{}; l.accounts = nil }), "GET /open", nil, 200, "", []int{200}},
		{"HEAD is a recorded access too", customers(), "HEAD /all", nil, 200, "", []int{200}},
		{"another method is not", customers(), "POST /all", nil, 405, "invalid_request", nil},
		{"nor is a path that does not exist", customers(), "GET /none", nil, 404, "invalid_request", nil},

		{"no token is told nothing", customers(), "GET /all", edits{header("Authorization", "")}, 401, "", nil},
		{"a token in the query is refused", customers(), "GET /all?access_token=x", nil, 400, "invalid_request", nil},
		{"a certificate that cannot be read is refused", customers(), "GET /all", edits{header("Client-Cert", "odd")}, 401, "invalid_token", nil},
		{"an unknown token is not recorded", refused(oauth.InvalidToken), "GET /all", nil, 401, "invalid_token", nil},
		{"an ended token is recorded", ended, "GET /all", nil, 401, "invalid_token", []int{401}},
		{"and refused the same if that fails", forgetful, "GET /all", nil, 401, "invalid_token", nil},
		{"a bad proof gets 401 here", refused(oauth.InvalidDPoPProof), "GET /all", nil, 401, "invalid_dpop_proof", nil},
		{"so does a missing nonce", refused(oauth.UseDPoPNonce), "GET /all", nil, 401, "use_dpop_nonce", nil},
		{"a checker that cannot tell lets nobody in", with(func(l *ledger) { l.refusal = errors.New("disk") }), "GET /all", nil, 503, "temporarily_unavailable", nil},

		{"a token with the scope passes", customers(), "GET /scoped", nil, 200, "", []int{200}},
		{"one without it does not", with(func(l *ledger) { l.grant.Scope = "accountsx openid" }), "GET /scoped", nil, 403, "insufficient_scope", []int{403}},
		{"a token without a consent does not", with(func(l *ledger) { l.grant.Consent = "" }), "GET /all", nil, 403, "insufficient_scope", []int{403}},
		{"nor does a consent without the permission", customers(), "GET /write", nil, 403, "insufficient_scope", []int{403}},
		{"an account of the consent is served", customers(), "GET /of/a1", nil, 200, "", []int{200}},
		{"another is not", customers(), "GET /of/a2", nil, 403, "insufficient_scope", []int{403}},

		{"a refusal of the route is recorded", customers(), "GET /all?case=refuse", nil, 400, "invalid_request", []int{400}},
		{"so is its failure", customers(), "GET /all?case=fail", nil, 500, "server_error", []int{500}},
		{"an answer that is too long is none", customers(), "GET /all?case=long", nil, 500, "server_error", []int{500}},
		{"what the log cannot take is not sent", failing, "GET /all", nil, 503, "temporarily_unavailable", nil},
		{"a proof that was used before gets no data", replaying, "GET /all", nil, 401, "invalid_dpop_proof", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			method, target, _ := strings.Cut(tt.request, " ")
			w := ask(tt.ledger, method, target, tt.edits...)
			var statuses []int
			for _, a := range tt.ledger.recorded {
				statuses = append(statuses, a.Result)
			}
			if w.Code != tt.status || !reflect.DeepEqual(statuses, tt.recorded) {
				t.Errorf("got %d and recorded %v, want %d and %v: %s", w.Code, statuses, tt.status, tt.recorded, w.Body)
			}
			if tt.code != "" && !strings.Contains(w.Body.String(), `{"error":"`+tt.code+`","error_description":"`) {
				t.Errorf("got body %s, want error %s", w.Body, tt.code)
			}
			if w.Code != 200 && strings.Contains(w.Body.String(), "balance") {
				t.Errorf("a refusal carries data: %s", w.Body)
			}
			if tt.ledger.tried > 1 {
				t.Errorf("tried %d times to record", tt.ledger.tried)
			}
			if (w.Code == 503) != (w.Header().Get("Retry-After") != "") {
				t.Errorf("status %d with Retry-After %q", w.Code, w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestWhatIsRecorded(t *testing.T) {
	l := customers()
	ask(l, "GET", "/of/a1")
	want := []Access{{Route: "/of/:id", Permission: "Read", Result: 200, Accounts: []string{"a1"}}}
	if !reflect.DeepEqual(l.recorded, want) {
		t.Errorf("got %+v, want %+v", l.recorded, want)
	}
}

func TestWhatIsChallenged(t *testing.T) {
	for target, want := range map[string]bool{
		"/all": false, "/write": true, "/all?access_token=x": true, "/all?case=refuse": false, "/all?case=fail": false, "/none": false,
	} {
		if got := ask(customers(), "GET", target).Header().Get("WWW-Authenticate") != ""; got != want {
			t.Errorf("%s is challenged: %v", target, got)
		}
	}
}

func TestChallenges(t *testing.T) {
	tests := []struct {
		name    string
		refusal *oauth.Error
		scope   string
		want    []string
	}{
		{"no token: no error code", ErrNoToken.(*oauth.Error), "accounts", []string{`DPoP algs="ES256 PS256"`, `Bearer`}},
		{"a bad token: both schemes say why", oauth.Refuse(oauth.InvalidToken, "RFC 1 §2", `a "bad" token`), "accounts", []string{
			`DPoP error="invalid_token", error_description="a 'bad' token [RFC 1 Section 2]", algs="ES256 PS256"`,
			`Bearer error="invalid_token", error_description="a 'bad' token [RFC 1 Section 2]"`}},
		{"too little scope: the scope is named", oauth.Refuse(oauth.InsufficientScope, "", "no"), "accounts", []string{
			`DPoP error="insufficient_scope", error_description="no", scope="accounts", algs="ES256 PS256"`,
			`Bearer error="insufficient_scope", error_description="no", scope="accounts"`}},
		{"a nonce is wanted: that concerns proofs only", oauth.Refuse(oauth.UseDPoPNonce, "", "no"), "", []string{
			`DPoP error="use_dpop_nonce", error_description="no", algs="ES256 PS256"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			Challenge(h, tt.refusal, tt.scope, []string{"ES256", "PS256"})
			if got := h.Values("WWW-Authenticate"); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}
