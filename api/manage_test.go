package api_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
)

func (st *site) closeRegistration(id string) {
	st.Helper()
	_, err := st.Issuers.Execute(st.Context(), event.Meta{}, id, issuer.ChangeSettings{SettingsChanged: issuer.SettingsChanged{
		Settings: issuer.Settings{Scopes: []string{"openid", "accounts"}, Resources: []string{siteBank}},
	}})
	st.must(err)
}

func TestReadingARegistration(t *testing.T) {
	st := newSite(t)
	first := st.request("POST", registerPath, st.initial("fapi2"), metadata())
	_, management, path := registered(t, first)
	st.closeRegistration("fapi2") // who is registered may go on managing that
	w := st.request("GET", path, management, "")
	if w.Code != 200 || !reflect.DeepEqual(members(t, w), members(t, first)) {
		t.Errorf("got %d, %s, want as registered: %s", w.Code, w.Body, first.Body)
	}
	st.secretless(strings.TrimPrefix(management, "Bearer "))
}

func TestWhoMayManage(t *testing.T) {
	st := newSite(t)
	initial := st.initial("fapi2")
	enroll := func() (id, management, path string) {
		return registered(t, st.request("POST", registerPath, initial, metadata()))
	}
	id, management, path := enroll()
	_, others, _ := enroll()
	suspended, suspendedToken, suspendedPath := enroll()
	_, err := st.Clients.Execute(t.Context(), event.Meta{}, suspended, client.Suspend{Suspended: client.Suspended{Reason: "fraud"}})
	st.must(err)
	forged := oauth.Artefact{ID: id}

	tests := []struct {
		name, credentials, path string
		status                  int
	}{
		{"the client itself may", management, path, 200},
		{"not without a token", "", path, 401},
		{"not with a guess", "Bearer " + forged.Text(), path, 401},
		{"not with anything else", "Bearer abc", path, 401},
		{"not with the initial access token", initial, path, 401},
		{"not with another client's token", others, path, 401},
		{"not about another client", management, suspendedPath, 401},
		{"not in another scheme", strings.Replace(management, "Bearer", "DPoP", 1), path, 401},
		{"not at another issuer", management, strings.Replace(path, "fapi2", "other", 1), 401},
		{"not while it is suspended", suspendedToken, suspendedPath, 401},
		{"not about a client that does not exist", management, registerPath + "/0190f5a2-0000-7000-8000-000000000000", 401},
		{"not about one that the operator registered", management, registerPath + "/tpp", 401},
		{"not with the token in the query", management, path + "?access_token=x", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bodies := map[string]string{"GET": "", "PUT": metadata("client_id", `"`+id+`"`), "DELETE": ""}
			for method, body := range bodies {
				if tt.status == 200 && method != "GET" {
					continue
				}
				w := st.request(method, tt.path, tt.credentials, body)
				challenge := w.Header().Get("WWW-Authenticate")
				if w.Code != tt.status || w.Code != 200 && !strings.HasPrefix(challenge, "Bearer") {
					t.Errorf("%s got %d with %q: %s", method, w.Code, challenge, w.Body)
				}
				if w.Code == 401 && (tt.credentials == "") == strings.Contains(challenge, `error="invalid_token"`) {
					t.Errorf("%s got the challenge %q", method, challenge)
				}
			}
		})
	}
	if state, _, _ := st.Clients.Get(t.Context(), id); !state.Active() {
		t.Error("one of them deleted the client")
	}
}

func TestReplacingARegistration(t *testing.T) {
	st := newSite(t)
	first := st.request("POST", registerPath, st.initial("fapi2"), metadata("client_uri", `"https://tpp.example/"`))
	id, management, path := registered(t, first)
	own := `"` + id + `"`
	tests := []struct {
		name, body string
		status     int
		by         string
	}{
		{"another name", metadata("client_id", own, "client_name", `"Budgetly 2"`), 200, ""},
		{"no client_id", metadata(), 400, "client_id must be that of the registration"},
		{"another client's", metadata("client_id", `"tpp"`), 400, "client_id must be that of the registration"},
		{"a client_id that is no string", metadata("client_id", `7`), 400, "wrong type"},
		{"the registration access token", metadata("client_id", own, "registration_access_token", `"x"`), 400, "must not be sent"},
		{"the address of the registration", metadata("client_id", own, "registration_client_uri", `"x"`), 400, "must not be sent"},
		{"when it was registered", metadata("client_id", own, "client_id_issued_at", `1`), 400, "must not be sent"},
		{"what the profile forbids", metadata("client_id", own, "token_endpoint_auth_method", `"none"`), 400, "FAPI2-SP Section 5.3.2.1-2.3"},
		{"to become a resource server", metadata("client_id", own, "resources", `["`+siteBank+`"]`), 400, "by the operator only"},
		{"the scope that registers more clients", metadata("client_id", own, "scope", `"registration"`), 400, "only the operator grants"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := st.request("PUT", path, management, tt.body)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.by) {
				t.Errorf("got %d, %s", w.Code, w.Body)
			}
		})
	}
	got, was := members(t, st.request("GET", path, management, "")), members(t, first)
	if got["client_name"] != "Budgetly 2" || got["client_uri"] != nil {
		t.Errorf("the registration was not replaced as a whole, by the first of them alone: %v", got)
	}
	for _, name := range []string{"client_id", "client_id_issued_at", "registration_access_token", "registration_client_uri"} {
		if got[name] != was[name] {
			t.Errorf("%s was %v and is %v", name, was[name], got[name])
		}
	}
	var last any
	for e, err := range st.Journal.Read(t.Context(), st.Clients.Stream(id)) {
		st.must(err)
		last = e.Body
	}
	if updated, is := last.(client.Updated); !is || updated.Body != tests[0].body || updated.Via != "registration" {
		t.Errorf("the last event is %+v", last)
	}
}

func TestDeletingARegistration(t *testing.T) {
	st := newSite(t)
	id, management, path := registered(t, st.request("POST", registerPath, st.initial("fapi2"), metadata()))
	access := st.issue(func(e *token.Issued) { e.Client = id })
	checker := st.Checker("fapi2", siteBank)
	check := func() error {
		_, err := checker.Check(t.Context(), resource.Presented{
			Scheme: "DPoP", Token: access, Proofs: []string{st.proof("GET", "/bank/status", access, checker.Nonce())},
			Method: "GET", URLs: []string{siteBank + "/status"},
		})
		return err
	}
	st.must(check())
	if w := st.request("DELETE", path, management, ""); w.Code != 204 || w.Body.Len() != 0 {
		t.Fatalf("got %d, %s", w.Code, w.Body)
	}
	if err := check(); err == nil {
		t.Error("a token of the client is still good")
	}
	if w := st.request("DELETE", path, management, ""); w.Code != 401 {
		t.Errorf("a second time got %d", w.Code)
	}
	if w := st.request("GET", path, management, ""); w.Code != 401 {
		t.Errorf("reading it got %d", w.Code)
	}
}
