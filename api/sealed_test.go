package api_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// personal is what nobody but Zelda has, and must be in no event and no log line
// as it is.
var personal = []string{
	zeldaName, "Quixwood", zeldaLogin, zeldaPassword, zeldaEmail, zeldaPhone, zeldaAccount, zeldaNumber, zeldaLabel,
	zeldaBrowser, zeldaAddress, zeldaSession, "zelda-cookie", thePurpose, "zq-hidden-extra", "a wrong passphrase",
}

// spellings are how a value may look in what is stored.
func spellings(value string) []string {
	quoted, _ := json.Marshal(value) // of a string
	all := []string{value, strings.Trim(string(quoted), `"`), url.QueryEscape(value), url.PathEscape(value)}
	for skip := range min(3, len(value)-8) { // wherever it lies in what was encoded
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			part := value[skip:]
			all = append(all, e.EncodeToString([]byte(part[:len(part)/3*3])))
		}
	}
	return all
}

// accountDetails ask for Zelda's own account, and say what for.
const accountDetails = `[{"type":"account_information","permissions":["ReadAccounts","ReadBalances"],"accounts":["` + zeldaAccount + `"],"purpose":"` + thePurpose + `"}]`

func TestNobodyIsInTheLogInTheClear(t *testing.T) {
	to := newTown(t)
	live := to.wholeLife()
	events := 0
	for e, err := range to.memory.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		to.must(err)
		events++
		to.free(string(e.Stream)+" "+e.Type+" "+string(e.Data)+" "+string(e.Meta), personal, live)
	}
	if events < 20 {
		t.Errorf("only %d events: the journey is not a whole one", events)
	}
	logged := to.logged.String()
	if strings.Count(logged, "msg=refused") < 8 {
		t.Errorf("the server's log has too little:\n%s", logged)
	}
	to.free(logged, personal, live)
}

// The test sees what it looks for: everything comes back when it is unsealed.
func TestWhatIsSealedComesBack(t *testing.T) {
	to := newTown(t)
	to.wholeLife()
	var all strings.Builder
	for e, err := range to.Journal.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		to.must(err)
		raw, err := json.Marshal([]any{e.Body, e.Metadata})
		to.must(err)
		all.Write(raw)
	}
	for _, want := range []string{zeldaName, zeldaAccount, zeldaBrowser, zeldaAddress, zeldaSession, thePurpose, "zq-hidden-extra"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("%s is nowhere in the log", want)
		}
	}
}

// free reports what is in a text and must not be. Secrets are not printed.
func (to *town) free(text string, personal, secrets []string) {
	to.Helper()
	for _, value := range personal {
		for _, s := range spellings(value) {
			if i := strings.Index(text, s); i >= 0 {
				to.Errorf("%q is in …%.300s", value, text[max(0, i-100):])
			}
		}
	}
	for _, s := range secrets {
		if i := strings.Index(text, s); i >= 0 {
			to.Errorf("a secret is at byte %d of %.200s", i, text)
		}
	}
}

// wholeLife is everything that can happen to Zelda, and returns the secrets that
// were handed out on the way.
func (to *town) wholeLife() (live []string) {
	to.Helper()
	uri := to.push("login_hint", zeldaLogin, "authorization_details", accountDetails, "scope", "openid profile email accounts",
		"claims", `{"id_token":{"phone_number":null},"userinfo":{"phone_number":{"value":"`+zeldaPhone+`"}}}`, "extra", "zq-hidden-extra")
	page, _ := to.browse("GET", siteURL+"/authorize?"+url.Values{"client_id": {"budgetly"}, "request_uri": {uri}}.Encode(), nil)
	to.browse("POST", siteURL+"/interaction/login", fields(page, "user", zeldaLogin, "password", "a wrong passphrase"))
	code := to.approve(uri)
	got := members(to.T, to.redeem(code))
	access, refresh, hint := got["access_token"].(string), got["refresh_token"].(string), got["id_token"].(string)
	narrowed := members(to.T, to.post("budgetly", "/token", "grant_type", "refresh_token", "refresh_token", refresh,
		"authorization_details", strings.Replace(accountDetails, `,"ReadBalances"`, "", 1)))
	live = append(live, uri, code, access, refresh, hint, narrowed["access_token"].(string), narrowed["id_token"].(string))

	to.reads(access)
	again := to.push("id_token_hint", hint, "authorization_details", accountDetails)
	to.browse("GET", siteURL+"/authorize?"+url.Values{"client_id": {"budgetly"}, "request_uri": {again}}.Encode(), nil)
	to.declines(again)
	to.stops()
	to.reads(access)
	to.redeem(code) // a replay
	to.post("budgetly", "/token", "grant_type", "refresh_token", "refresh_token", refresh)
	to.post("budgetly", "/revoke", "token", refresh)
	to.errs(append(live, again))
	to.pass(time.Minute)
	to.must(to.FlushRefusals(to.Context(), to.Now()))
	return append(live, again)
}

// reads asks userinfo and a bank that tells of Zelda's account.
func (to *town) reads(access string) {
	to.Helper()
	to.asks(to.Handler(http.NotFoundHandler()), "/fapi2/userinfo", access)
	to.readsBank(access)
}

// asks sends an access token with a proof to a protected resource.
func (to *town) asks(h http.Handler, path, access string) *httptest.ResponseRecorder {
	to.Helper()
	r := httptest.NewRequest("GET", "https://as.example"+path, nil)
	proof, err := jose.NewProof(to.keyring["budgetly"], "GET", "https://as.example"+path, access, to.Nonces.Issue("fapi2", "rs", to.Now()), to.Now())
	to.must(err)
	r.Header.Set("Authorization", "DPoP "+access)
	r.Header.Set("DPoP", proof)
	r.Header.Set("User-Agent", zeldaBrowser)
	r.RemoteAddr = zeldaAddress + ":4712"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (to *town) readsBank(access string) *httptest.ResponseRecorder {
	to.Helper()
	bank := &resource.Server{
		Checker: to.Checker("fapi2", siteBank), URLs: resource.At("https://as.example"), Certificate: to.Certificates.Certificate,
		Now: to.Now, Log: to.Server.Log,
	}
	accounts := resource.Route{Path: "/accounts", Scope: "accounts", Permission: oauth.ReadAccounts}
	return to.asks(bank.Protect(accounts, func(_ *http.Request, p resource.Pass) (resource.Answer, error) {
		return resource.Answer{Body: zeldaName, Accounts: p.Accounts(oauth.ReadAccounts)}, nil
	}), "/bank/accounts", access)
}

func (to *town) declines(uri string) {
	to.Helper()
	page, _ := to.browse("GET", siteURL+"/authorize?"+url.Values{"client_id": {"budgetly"}, "request_uri": {uri}}.Encode(), nil)
	if _, left := to.browse("POST", siteURL+"/interaction/decision", fields(page, "decision", "cancel")); left == nil || left.Query().Get("error") != "access_denied" {
		to.Fatalf("declined: %v, %s", left, page.Body)
	}
}

// stops ends Zelda's consents at her own page.
func (to *town) stops() {
	to.Helper()
	for e, err := range to.memory.ReadAll(to.Context(), 0, eventstore.Filter{Types: []string{"consent.authorized"}}) {
		to.must(err)
		path := siteURL + "/my/consents/" + e.Stream.ID()
		to.browse("GET", path, nil)
		if page, _ := to.browse("POST", path+"/revoke", nil); page.Code != http.StatusOK {
			to.Fatalf("stopped: %d %s", page.Code, page.Body)
		}
	}
}

// errs sends what is personal and what is secret to where it does not belong.
func (to *town) errs(secrets []string) {
	to.Helper()
	for _, s := range append(secrets, personal...) {
		for _, path := range []string{"/par", "/token", "/revoke", "/introspect"} {
			to.post("budgetly", path, "client_assertion", s)
			to.post("budgetly", path, "grant_type", s, "code", s, "token", s, "redirect_uri", s, "authorization_details", s, "claims", s, "login_hint", s, "scope", s)
		}
		to.browse("GET", siteURL+"/authorize?"+url.Values{"client_id": {s}, "request_uri": {s}}.Encode(), nil)
		to.browse("POST", siteURL+"/interaction/decision", url.Values{"i": {s}, "decision": {s}})
		to.browse("POST", siteURL+"/login", url.Values{"user": {s}, "password": {s}})
		r := httptest.NewRequest("GET", siteURL+"/userinfo?access_token="+url.QueryEscape(s), nil)
		r.Header.Set("Authorization", "Bearer "+s)
		r.Header.Set("DPoP", s)
		r.Header.Set("x-fapi-interaction-id", "call-7")
		to.serve(r)
	}
}
