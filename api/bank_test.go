package api_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/api/samplebank"
	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

const alice = "a11ce000-0000-4000-8000-000000000001"

// A customer's consent to everything about two accounts of Alice.
func (st *site) consent(id string, details ...oauth.Detail) {
	st.Helper()
	if details == nil {
		details = []oauth.Detail{{Type: oauth.AccountInformation, Permissions: oauth.Permissions, Accounts: []string{"nw-100101", "nw-100201"}, HistoryFrom: "2026-01-01"}}
	}
	_, err := st.Consents.Execute(st.Context(), event.Meta{Subject: alice}, id, consent.Authorize{At: st.now, Authorized: consent.Authorized{
		Client: "tpp", Subject: alice, Scope: "accounts", Details: details, Expires: st.now.AddDate(0, 6, 0),
	}})
	st.must(err)
}

// grant issues a token that stands on a consent, and perhaps on fewer details.
func (st *site) grant(id string, narrowed ...oauth.Detail) string {
	return st.issue(func(e *token.Issued) { e.Subject, e.Consent, e.Details = alice, id, narrowed })
}

// read asks the sample bank for a resource.
func (st *site) read(path, access string, edits ...func(*http.Request)) *httptest.ResponseRecorder {
	st.Helper()
	server := &resource.Server{
		Checker: st.Checker("fapi2", siteBank), URLs: resource.At("https://as.example"), Certificate: st.Certificates.Certificate,
		Now: st.Now, Log: slog.New(slog.DiscardHandler),
	}
	r := httptest.NewRequest("GET", "https://elsewhere.example"+path, nil)
	r.Header.Set("Authorization", "DPoP "+access)
	r.Header.Set("DPoP", st.proof("GET", path, access, server.Checker.Nonce()))
	for _, edit := range edits {
		edit(r)
	}
	w := httptest.NewRecorder()
	samplebank.Bank{Now: st.Now}.Handler(server).ServeHTTP(w, r)
	return w
}

// accesses returns the records of a consent's accesses today.
func (st *site) accesses(id string) (all []access.Recorded) {
	st.Helper()
	for e, err := range st.Journal.Read(st.Context(), eventstore.Stream(access.AccessStream(id, "tpp", st.now))) {
		st.must(err)
		all = append(all, e.Body.(access.Recorded))
	}
	return all
}

func TestTheBankReadsTheLog(t *testing.T) {
	const balances = "/bank/accounts/nw-100101/balances"
	tests := []struct {
		name string
		then func(st *site, jti string) // after a first, good access
		want int
	}{
		{"a token stays good", func(*site, string) {}, 200},
		{"until its consent is revoked", func(st *site, _ string) {
			_, err := st.Consents.Execute(st.Context(), event.Meta{Subject: alice}, "c1", consent.Revoke{Revoked: consent.Revoked{By: consent.Customer}})
			st.must(err)
		}, 401},
		{"or its consent expires", func(st *site, _ string) { st.now = st.now.AddDate(0, 6, 0) }, 401},
		{"or itself", func(st *site, _ string) { st.now = st.now.Add(5 * time.Minute) }, 401},
		{"or it is revoked", func(st *site, jti string) {
			_, err := st.Tokens.Execute(st.Context(), event.Meta{}, jti, token.Revoke{Revoked: token.Revoked{By: "client"}})
			st.must(err)
		}, 401},
		{"or its client is suspended", func(st *site, _ string) {
			_, err := st.Clients.Execute(st.Context(), event.Meta{}, "tpp", client.Suspend{Suspended: client.Suspended{Reason: "fraud"}})
			st.must(err)
		}, 401},
		{"or its issuer", func(st *site, _ string) {
			_, err := st.Issuers.Execute(st.Context(), event.Meta{}, "fapi2", issuer.Suspend{Suspended: issuer.Suspended{Reason: "incident"}})
			st.must(err)
		}, 401},
		{"or the customer is erased", func(st *site, _ string) {
			_, err := st.Subjects.Execute(st.Context(), event.Meta{}, alice, subject.Enroll{Enrolled: subject.Enrolled{Issuer: "fapi2"}})
			st.must(err)
			_, err = st.Subjects.Execute(st.Context(), event.Meta{}, alice, subject.Erase{Erased: subject.Erased{Reason: "asked for"}})
			st.must(err)
		}, 401},
		{"while the log cannot be written nothing is told", func(st *site, _ string) { st.log.Plan(storetest.Refused) }, 503},
		{"nor while nobody knows whether it was", func(st *site, _ string) {
			st.log.Plan(storetest.NotDone, storetest.NotDone, storetest.NotDone, storetest.NotDone, storetest.NotDone)
		}, 503},
		{"a lost answer is asked for again", func(st *site, _ string) { st.log.Plan(storetest.AnswerLost) }, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			st := newSite(t)
			st.consent("c1")
			access := st.grant("c1")
			if w := st.read(balances, access); w.Code != 200 || !strings.Contains(w.Body.String(), `"amount":"`) {
				t.Fatalf("the first access got %d, %s", w.Code, w.Body)
			}
			a, _ := oauth.ParseArtefact(access)
			tt.then(st, a.ID)
			w := st.read(balances, access)
			if w.Code != tt.want || (w.Code == 200) != strings.Contains(w.Body.String(), "amount") {
				t.Errorf("got %d, %s, want %d", w.Code, w.Body, tt.want)
			}
		})
	}
}

func TestAccessesAreInTheLog(t *testing.T) {
	st := newSite(t)
	st.consent("c1")
	access := st.grant("c1")
	st.read("/bank/accounts", access)
	st.read("/bank/accounts/nw-100102", access)
	_, err := st.Consents.Execute(t.Context(), event.Meta{Subject: alice}, "c1", consent.Revoke{Revoked: consent.Revoked{By: consent.Customer}})
	st.must(err)
	w := st.read("/bank/accounts", access, func(r *http.Request) { r.Header.Set("x-fapi-interaction-id", "call-7") })
	if w.Header().Get("x-fapi-interaction-id") != "call-7" {
		t.Errorf("got %v", w.Header())
	}
	var got []int
	for _, a := range st.accesses("c1") {
		got = append(got, a.Result)
	}
	if want := []int{200, 403, 401}; !reflect.DeepEqual(got, want) {
		t.Fatalf("recorded %v, want %v", got, want)
	}
	if first := st.accesses("c1")[0]; !reflect.DeepEqual(first.Accounts, []string{"nw-100101", "nw-100201"}) || first.Permission != oauth.ReadAccounts {
		t.Errorf("the first record is %+v", first)
	}
	for e, err := range st.log.ReadStream(t.Context(), eventstore.Stream("access-c1-2026-05-04"), 0) {
		st.must(err)
		if strings.Contains(string(e.Data), "nw-") || len(e.Data) > 400 {
			t.Errorf("%d bytes with an account in the clear: %s", len(e.Data), e.Data)
		}
	}
	st.secretless(access)
}

func TestNarrowedDetails(t *testing.T) {
	st := newSite(t)
	st.consent("c1")
	soon := st.now.Add(time.Minute)
	detail := func(change func(*oauth.Detail)) oauth.Detail {
		d := oauth.Detail{Type: oauth.AccountInformation, Permissions: oauth.Permissions, Accounts: []string{"nw-100101"}, HistoryFrom: "2026-01-01"}
		change(&d)
		return d
	}
	same := func(*oauth.Detail) {}
	tests := []struct {
		name   string
		detail oauth.Detail
		after  time.Duration
		path   string
		want   int
		body   string
	}{
		{"the account that is left", detail(same), 0, "nw-100101", 200, ""},
		{"not the one that was left out", detail(same), 0, "nw-100201", 403, ""},
		{"not a permission that was left out", detail(func(d *oauth.Detail) { d.Permissions = []string{oauth.ReadAccounts} }), 0, "nw-100101/balances", 403, ""},
		{"not an account that the consent does not have", detail(func(d *oauth.Detail) { d.Accounts = []string{"nw-100102"} }), 0, "nw-100102", 403, ""},
		{"history from where the consent begins", detail(same), 0, "nw-100101/transactions", 200, `"from":"2026-01-01"`},
		{"or later", detail(func(d *oauth.Detail) { d.HistoryFrom = "2026-04-01" }), 0, "nw-100101/transactions", 200, `"from":"2026-04-01"`},
		{"never earlier", detail(func(d *oauth.Detail) { d.HistoryFrom = "2025-06-01" }), 0, "nw-100101/transactions", 200, `"from":"2026-01-01"`},
		{"until the detail ends", detail(func(d *oauth.Detail) { d.ExpiresAt = &soon }), 0, "nw-100101", 200, ""},
		{"not after", detail(func(d *oauth.Detail) { d.ExpiresAt = &soon }), time.Minute, "nw-100101", 403, ""},
		{"at the place that the detail names", detail(func(d *oauth.Detail) { d.Locations = []string{siteBank} }), 0, "nw-100101", 200, ""},
		{"or at what it is part of", detail(func(d *oauth.Detail) { d.Locations = []string{"https://as.example/"} }), 0, "nw-100101", 200, ""},
		{"not elsewhere", detail(func(d *oauth.Detail) { d.Locations = []string{"https://as.example/ban"} }), 0, "nw-100101", 403, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			access, start := st.grant("c1", tt.detail), st.now
			st.now = st.now.Add(tt.after)
			defer func() { st.now = start }()
			if w := st.read("/bank/accounts/"+tt.path, access); w.Code != tt.want || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("got %d, %.200s", w.Code, w.Body)
			}
		})
	}
}

func TestAConsentForAnotherPlace(t *testing.T) {
	st := newSite(t)
	st.consent("c1", oauth.Detail{Type: oauth.AccountInformation, Permissions: oauth.Permissions, Accounts: []string{"nw-100101"}, Locations: []string{"https://cards.example"}})
	if w := st.read("/bank/accounts", st.grant("c1")); w.Code != 403 {
		t.Errorf("got %d, %s", w.Code, w.Body)
	}
}

func TestWhoseTokenItIs(t *testing.T) {
	st := newSite(t)
	st.consent("c1")
	st.register("elsewhere", "other")
	stranger := newKey(t)
	good := st.grant("c1")
	proof := func(p string) func(*http.Request) { return func(r *http.Request) { r.Header.Set("DPoP", p) } }
	nonce := st.Nonces.Issue("fapi2", "rs", st.now)
	tests := []struct {
		name, access string
		edit         func(*http.Request)
		status       int
		challenge    string
		recorded     bool
	}{
		{"of the holder of the key", good, nil, 200, "", true},
		{"of no customer", st.issue(func(*token.Issued) {}), nil, 403, `error="insufficient_scope"`, false},
		{"for another resource", st.issue(func(e *token.Issued) { e.Consent, e.Audience = "c1", []string{"https://cards.example"} }), nil, 401, "not meant for this resource", false},
		{"for another resource, and over", st.issue(func(e *token.Issued) { e.Consent, e.Audience, e.Expires = "c1", nil, st.now }), nil, 401, "not meant for this resource", false},
		{"of another issuer", st.issue(func(e *token.Issued) { e.Client, e.Consent = "elsewhere", "c1" }), nil, 401, "not one of this issuer", false},
		{"of another issuer, and over", st.issue(func(e *token.Issued) { e.Client, e.Consent, e.Expires = "elsewhere", "c1", st.now }), nil, 401, "not one of this issuer", false},
		{"that is bound to no key", st.issue(func(e *token.Issued) { e.Consent, e.Confirmation = "c1", token.Confirmation{} }), func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "DPoP", "Bearer", 1))
		}, 401, "FAPI2-SP Section 5.3.2.1-2.5", false},
		{"that is bound to a certificate that did not come", st.issue(func(e *token.Issued) { e.Consent, e.Confirmation = "c1", token.Confirmation{X5TS: "x"} }), func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "DPoP", "Bearer", 1))
		}, 401, "another certificate", false},
		{"that is bound to a certificate, with a proof", st.issue(func(e *token.Issued) { e.Consent, e.Confirmation = "c1", token.Confirmation{X5TS: "x"} }), nil, 401, "not bound to a DPoP key", false},
		{"with the other scheme", good, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+good) }, 401, "needs the DPoP scheme", false},
		{"without a proof", good, func(r *http.Request) { r.Header.Del("DPoP") }, 401, `DPoP error="invalid_dpop_proof"`, false},
		{"with two", good, func(r *http.Request) { r.Header.Add("DPoP", r.Header.Get("DPoP")) }, 401, "one DPoP header", false},
		{"with another key's proof", good, proof((&site{T: t, key: stranger, now: st.now}).proof("GET", "/bank/accounts", good, nonce)), 401, "bound to another key", false},
		{"with a proof for another token", good, proof(st.proof("GET", "/bank/accounts", "other", nonce)), 401, "ath of the DPoP proof", false},
		{"with a proof for another path", good, proof(st.proof("GET", "/bank/status", good, nonce)), 401, "htu of the DPoP proof", false},
		{"with a proof without a nonce", good, proof(st.proof("GET", "/bank/accounts", good, "")), 401, `DPoP error="use_dpop_nonce"`, false},
		{"with a nonce of the authorization server", good, proof(st.proof("GET", "/bank/accounts", good, st.Nonces.Issue("fapi2", "as", st.now))), 401, `DPoP error="use_dpop_nonce"`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := len(st.accesses("c1"))
			edit := tt.edit
			if edit == nil {
				edit = func(*http.Request) {}
			}
			w := st.read("/bank/accounts", tt.access, edit)
			challenge := strings.Join(w.Header().Values("WWW-Authenticate"), " | ")
			if w.Code != tt.status || !strings.Contains(challenge, tt.challenge) {
				t.Errorf("got %d, %s, want %d, %s", w.Code, challenge, tt.status, tt.challenge)
			}
			if recorded := len(st.accesses("c1")) > before; recorded != tt.recorded {
				t.Errorf("recorded: %v", recorded)
			}
			if w.Header().Get("DPoP-Nonce") == "" {
				t.Error("there is no nonce for the next proof")
			}
		})
	}
}

func TestAProofOpensOnce(t *testing.T) {
	st := newSite(t)
	st.consent("c1")
	access := st.grant("c1")
	proof := st.proof("GET", "/bank/accounts", access, st.Nonces.Issue("fapi2", "rs", st.now))
	edit := func(r *http.Request) { r.Header.Set("DPoP", proof) }
	if w := st.read("/bank/accounts", access, edit); w.Code != 200 {
		t.Fatalf("got %d, %s", w.Code, w.Body)
	}
	w := st.read("/bank/accounts", access, edit)
	if w.Code != 401 || strings.Contains(w.Body.String(), "nw-") || !strings.Contains(w.Header().Get("WWW-Authenticate"), "invalid_dpop_proof") {
		t.Errorf("got %d, %s", w.Code, w.Body)
	}
}

func TestUserinfoAnswersAsAResource(t *testing.T) {
	st := newSite(t)
	access := st.issue(func(e *token.Issued) { e.Scope = "openid" })
	w := st.request("GET", "/fapi2/userinfo", "DPoP "+access, "", func(r *http.Request) {
		r.Header.Set("DPoP", st.proof("GET", "/fapi2/userinfo", access, ""))
	})
	nonce := w.Header().Get("DPoP-Nonce")
	if w.Code != 401 || !st.Nonces.Valid(nonce, "fapi2", "rs", st.now) {
		t.Errorf("without a nonce: got %d with %q", w.Code, nonce)
	}
	want := []string{`DPoP error="use_dpop_nonce", error_description="the DPoP proof needs a nonce of this server [RFC 9449 Section 8]", algs="ES256 PS256 EdDSA Ed25519"`}
	if got := w.Header().Values("WWW-Authenticate"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	w = st.request("GET", "/fapi2/userinfo", "DPoP "+access, "", func(r *http.Request) { r.Header.Set("DPoP", "x") })
	if w.Code != 401 || !strings.Contains(w.Body.String(), "invalid_dpop_proof") {
		t.Errorf("with a bad proof: got %d, %s", w.Code, w.Body)
	}
	access = st.issue(func(e *token.Issued) { e.Scope, e.Subject = "openid profile", alice })
	proof := st.proof("GET", "/fapi2/userinfo", access, nonce)
	for _, want := range []int{200, 401} {
		w = st.request("GET", "/fapi2/userinfo", "DPoP "+access, "", func(r *http.Request) { r.Header.Set("DPoP", proof) })
		if w.Code != want || w.Header().Get("DPoP-Nonce") == "" || strings.Contains(w.Body.String(), "invalid_dpop_proof") != (want == 401) {
			t.Errorf("got %d, %s, want %d", w.Code, w.Body, want)
		}
	}
}

func TestAnIssuerThatIsGoneLetsNobodyIn(t *testing.T) {
	st := newSite(t)
	_, err := st.Checker("none", siteBank).Check(t.Context(), resource.Presented{Scheme: "DPoP", Token: "x"})
	if !errors.Is(err, oauth.InvalidToken) {
		t.Errorf("got %v", err)
	}
}
