package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

const registerPath = "/fapi2/register"

func TestRegistration(t *testing.T) {
	st := newSite(t)
	body := metadata("software_statement", `"eyJhIjoxfQ.eyJiIjoyfQ.c2ln"`, "favourite_colour", `"blue"`)
	w := st.request("POST", registerPath, st.initial("fapi2"), body)
	got := members(t, w)
	if w.Code != 201 || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("got %d, %s", w.Code, w.Body)
	}
	id, _ := got["client_id"].(string)
	management, _ := got["registration_access_token"].(string)
	for name, want := range map[string]any{
		"client_name": "Budgetly", "redirect_uris": []any{"https://tpp.example/cb"}, "scope": "openid accounts",
		"grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"}, "dpop_bound_access_tokens": true,
		"software_statement": "eyJhIjoxfQ.eyJiIjoyfQ.c2ln", "registration_client_uri": siteURL + "/register/" + id,
		"client_id_issued_at": float64(st.now.Unix()), "favourite_colour": nil,
	} {
		if !reflect.DeepEqual(got[name], want) {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	state, _, err := st.Clients.Get(t.Context(), id)
	if err != nil || !state.Active() || state.Issuer() != "fapi2" || state.Metadata().ClientName != "Budgetly" {
		t.Errorf("the log has %+v, %v", state, err)
	}
	st.checkRegistered(id, body, management)
}

// checkRegistered looks at what the log keeps of a registration.
func (st *site) checkRegistered(id, body, management string) {
	st.Helper()
	for e, err := range st.Journal.Read(st.Context(), st.Clients.Stream(id)) {
		st.must(err)
		registered, is := e.Body.(client.Registered)
		if !is || registered.Body != body || registered.Via != "registration" || registered.Statement == "" {
			st.Errorf("the event is %+v", e.Body)
		}
		if e.Metadata.Client != id || e.Metadata.Actor != event.ActorClient || !strings.HasPrefix(e.Metadata.Correlation, "token-") {
			st.Errorf("its metadata are %+v", e.Metadata)
		}
		a, _ := oauth.ParseArtefact(management)
		if !a.Matches(registered.Management) || bytes.Contains(e.Data, []byte(management)) {
			st.Error("the log does not keep the digest of the registration access token, and only that")
		}
	}
}

func TestWhoMayRegister(t *testing.T) {
	st := newSite(t)
	initial := st.initial("fapi2")
	expired := st.initial("fapi2")
	revoked := st.initial("fapi2")
	a, _ := oauth.ParseArtefact(strings.TrimPrefix(revoked, "Bearer "))
	_, err := st.Tokens.Execute(t.Context(), event.Meta{}, a.ID, token.Revoke{Revoked: token.Revoked{By: "bank"}})
	st.must(err)
	a, _ = oauth.ParseArtefact(strings.TrimPrefix(initial, "Bearer "))
	forged := oauth.Artefact{ID: a.ID}
	named := func(e *token.Issued) { e.Client, e.Audience, e.Scope = "operator", []string{siteURL}, "registration" }
	byNobody := func(e *token.Issued) {
		named(e)
		e.Evidence, e.Confirmation = oauth.Evidence{}, token.Confirmation{}
	}
	registering := func(e *token.Issued) { e.Scope = "accounts registration" }

	tests := []struct {
		name, credentials string
		after             time.Duration
		status            int
		challenge         string // part of it
	}{
		{"the operator's token", initial, 0, 201, ""},
		{"a second time", initial, 0, 201, ""},
		{"a client's token with the scope", "DPoP " + st.issue(registering), 0, 201, ""},
		{"a JWT with the scope", "DPoP " + st.issueJWT(registering), 0, 201, ""},
		{"nobody", "", 0, 401, `DPoP algs="ES256`},
		{"who made the token up", "Bearer " + forged.Text(), 0, 401, `error="invalid_token"`},
		{"who sends anything", "Bearer abc", 0, 401, `error="invalid_token"`},
		{"who sends the token in another scheme", strings.Replace(initial, "Bearer", "DPoP", 1), 0, 401, `error="invalid_token"`},
		{"who has a token of another issuer", st.initial("other"), 0, 401, `error="invalid_token"`},
		{"whose token was revoked", revoked, 0, 401, "was revoked"},
		{"whose token has expired", expired, time.Hour, 401, "has expired"},
		{"a client's token without the scope", "DPoP " + st.issue(func(e *token.Issued) { e.Scope = "registrations" }), 0, 403, `error="insufficient_scope"`},
		{"a client's bound token as if it were not", "Bearer " + st.issue(registering), 0, 401, "needs the DPoP scheme"},
		{"a client's unbound token", "Bearer " + st.issue(func(e *token.Issued) { registering(e); e.Confirmation = token.Confirmation{} }), 0, 401, "not bound"},
		{"a client's token that nobody authenticated for", "Bearer " + st.issue(func(e *token.Issued) { byNobody(e); e.Client = "tpp" }), 0, 401, `error="invalid_token"`},
		{"a token that the operator made for something else", "Bearer " + st.issue(func(e *token.Issued) { byNobody(e); e.Scope = "other" }), 0, 403, `error="insufficient_scope"`},
		{"a token of a client that is called operator", "Bearer " + st.issue(func(e *token.Issued) { named(e); e.Confirmation = token.Confirmation{} }), 0, 401, `error="invalid_token"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := st.now
			st.now = st.now.Add(tt.after)
			defer func() { st.now = start }()
			w := st.request("POST", registerPath, tt.credentials, metadata())
			challenge := strings.Join(w.Header().Values("WWW-Authenticate"), " | ")
			if w.Code != tt.status || !strings.Contains(challenge, tt.challenge) || (w.Code == 201) != (challenge == "") {
				t.Errorf("got %d, %s: %s", w.Code, challenge, w.Body)
			}
			if tt.credentials == "" && strings.Contains(challenge, "error") {
				t.Errorf("no token, but %s", challenge)
			}
		})
	}
}

// issueJWT is issue for a token in the form of a JWT.
func (st *site) issueJWT(change func(*token.Issued)) string {
	st.Helper()
	opaque, _ := oauth.ParseArtefact(st.issue(func(e *token.Issued) { change(e); e.Digest, e.Key = "", "k1" }))
	compact, err := jose.Sign(st.key, "at+jwt", []byte(`{"iss":"`+siteURL+`","jti":"`+opaque.ID+`"}`))
	st.must(err)
	return compact
}

func TestProofsAtRegistration(t *testing.T) {
	st := newSite(t)
	access := st.issue(func(e *token.Issued) { e.Scope = "registration" })
	with := func(proof string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("DPoP", proof) }
	}
	w := st.request("POST", registerPath, "DPoP "+access, metadata(), with(st.proof("POST", registerPath, access, "")))
	nonce := w.Header().Get("DPoP-Nonce")
	if w.Code != 401 || !strings.Contains(w.Header().Get("WWW-Authenticate"), `DPoP error="use_dpop_nonce"`) {
		t.Fatalf("without a nonce: got %d, %v", w.Code, w.Header())
	}
	good := with(st.proof("POST", registerPath, access, nonce))
	if w := st.request("POST", registerPath, "DPoP "+access, metadata(), good); w.Code != 201 {
		t.Fatalf("with the nonce it was given: got %d, %s", w.Code, w.Body)
	}
	w = st.request("POST", registerPath, "DPoP "+access, metadata(), good)
	if w.Code != 401 || !strings.Contains(w.Header().Get("WWW-Authenticate"), `DPoP error="invalid_dpop_proof"`) {
		t.Errorf("with the same proof again: got %d, %v", w.Code, w.Header())
	}
}

func TestRefusedMetadata(t *testing.T) {
	st := newSite(t)
	initial := st.initial("fapi2")
	tests := []struct {
		name, body string
		status     int
		code, by   string
	}{
		{"what is no JSON", `{"client_name":`, 400, "invalid_client_metadata", "RFC 7591"},
		{"what is no object", `[]`, 400, "invalid_client_metadata", "RFC 7591"},
		{"null", `null`, 400, "invalid_client_metadata", "RFC 7591"},
		{"what is no UTF-8", "{\"client_name\":\"\xff\"}", 400, "invalid_client_metadata", "RFC 7591"},
		{"too much", `{"x":"` + strings.Repeat("x", 64<<10) + `"}`, 413, "invalid_request", ""},
		{"what becomes too much in the log", strings.Replace(metadata(), `{`, `{"x":"`+strings.Repeat("<", 60<<10)+`",`, 1), 413, "invalid_client_metadata", ""},
		{"a value of the wrong type", metadata("redirect_uris", `"https://tpp.example/cb"`), 400, "invalid_client_metadata", "redirect_uris has a value"},
		{"a public client", metadata("token_endpoint_auth_method", `"none"`), 400, "invalid_client_metadata", "FAPI2-SP Section 5.3.2.1-2.3"},
		{"a client with a secret", metadata("token_endpoint_auth_method", ``), 400, "invalid_client_metadata", "FAPI2-SP Section 5.3.2.1-2.6"},
		{"a redirect URI without TLS", metadata("redirect_uris", `["http://tpp.example/cb"]`), 400, "invalid_redirect_uri", "FAPI2-SP Section 5.3.2.2-2.8"},
		{"ID tokens that the issuer has no key for", metadata("id_token_signed_response_alg", `"EdDSA"`), 400, "invalid_client_metadata", "no key of this issuer"},
		{"no redirect URI", metadata("redirect_uris", ``), 400, "invalid_redirect_uri", "RFC 7591"},
		{"the password grant", metadata("grant_types", `["password"]`), 400, "invalid_client_metadata", "FAPI2-SP Section 5.3.2.1-2.2"},
		{"a private key", metadata("jwks", `{"keys":[{"d":"x"}]}`), 400, "invalid_client_metadata", "jwks"},
		{"a resource server", metadata("resources", `["`+siteBank+`"]`), 400, "invalid_client_metadata", "by the operator only"},
		{"a scope that the issuer does not know", metadata("scope", `"openid payments"`), 400, "invalid_client_metadata", "scope"},
		{"the scope that registers more clients", metadata("scope", `"openid registration"`), 400, "invalid_client_metadata", "only the operator grants"},
		{"a software statement that is no JWS", metadata("software_statement", `"a.b"`), 400, "invalid_software_statement", "RFC 7591 Section 2.3"},
		{"one that is not signed", metadata("software_statement", `"eyJhIjoxfQ.eyJiIjoyfQ."`), 400, "invalid_software_statement", ""},
		{"one whose signature is not base64url", metadata("software_statement", `"eyJhIjoxfQ.eyJiIjoyfQ.c2l+"`), 400, "invalid_software_statement", ""},
		{"one that is too long", metadata("software_statement", `"eyJhIjoxfQ.eyJiIjoyfQ.`+strings.Repeat("a", 16<<10)+`"`), 400, "invalid_software_statement", ""},
		{"a secret", metadata("client_secret", `"s3cret"`), 400, "invalid_client_metadata", "must not be sent"},
		{"a secret in capitals", metadata("CLIENT_SECRET", `"s3cret"`), 400, "invalid_client_metadata", "must not be sent"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := st.request("POST", registerPath, initial, tt.body)
			got := members(t, w)
			description, _ := got["error_description"].(string)
			if w.Code != tt.status || got["error"] != tt.code || !strings.Contains(description, tt.by) {
				t.Errorf("got %d, %s, want %d, %s by %s", w.Code, w.Body, tt.status, tt.code, tt.by)
			}
			if strings.Contains(description, "s3cret") {
				t.Error("the refusal repeats the secret")
			}
		})
	}
	w := st.request("POST", registerPath, initial, metadata(), func(r *http.Request) { r.Header.Set("Content-Type", "text/json") })
	if w.Code != 415 {
		t.Errorf("another media type got %d", w.Code)
	}
}

func TestToleratedMetadata(t *testing.T) {
	st := newSite(t)
	initial := st.initial("fapi2")
	tests := []struct {
		name, body string
		member     string
		want       any
	}{
		{"a member sent twice counts as it was sent last", strings.Replace(metadata(), `{`, `{"client_name":"first",`, 1), "client_name", "Budgetly"},
		{"a name in capitals is another member", strings.Replace(metadata(), `}`, `,"Client_Name":"X"}`, 1), "client_name", "Budgetly"},
		{"even one that folds to a known name", metadata("reſources", `["x"]`), "client_name", "Budgetly"},
		{"without a scope it is all that clients may ask for", metadata("scope", ``), "scope", "openid accounts"},
		{"the media type may have a parameter", metadata(), "client_name", "Budgetly"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := st.request("POST", registerPath, initial, tt.body, func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") })
			if got := members(t, w); w.Code != 201 || !reflect.DeepEqual(got[tt.member], tt.want) {
				t.Errorf("got %d, %s", w.Code, w.Body)
			}
		})
	}
}

func TestRegistrationSwitchedOff(t *testing.T) {
	st := newSite(t)
	initial := st.initial("fapi2")
	st.closeRegistration("fapi2")
	if w := st.request("POST", registerPath, initial, metadata()); w.Code != 404 {
		t.Errorf("got %d, %s", w.Code, w.Body)
	}
	for _, issuer := range []string{"fapi2", "none"} {
		if _, err := st.NewInitialAccessToken(t.Context(), event.Meta{}, issuer, time.Hour); err == nil {
			t.Errorf("%s has an initial access token", issuer)
		}
	}
}

func TestNobodyIsRegisteredUnlessItIsInTheLog(t *testing.T) {
	st := newSite(t)
	initial := st.initial("fapi2")
	st.log.Plan(storetest.Refused)
	w := st.request("POST", registerPath, initial, metadata())
	if w.Code != 503 || strings.Contains(w.Body.String(), "client_id") {
		t.Errorf("got %d, %s", w.Code, w.Body)
	}
}

// secretless fails if the text is in any event of the log.
func (st *site) secretless(secret string) {
	st.Helper()
	for e, err := range st.log.ReadAll(st.Context(), 0, eventstore.Filter{}) {
		st.must(err)
		if bytes.Contains(e.Data, []byte(secret)) || bytes.Contains(e.Meta, []byte(secret)) {
			st.Errorf("%s of %s has a live secret", e.Type, e.Stream)
		}
	}
}

func registered(t *testing.T, w *httptest.ResponseRecorder) (id, management, path string) {
	t.Helper()
	var got struct {
		ID    string `json:"client_id"`
		Token string `json:"registration_access_token"`
		URI   string `json:"registration_client_uri"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 201 {
		t.Fatalf("%d, %s", w.Code, w.Body)
	}
	return got.ID, "Bearer " + got.Token, strings.TrimPrefix(got.URI, "https://as.example")
}
