package api

import (
	"html"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
)

// A bank is a server with one issuer, two customers and the client Budgetly,
// over HTTPS and with a clock that stands still.
type bank struct {
	*Server
	t     *testing.T
	web   *httptest.Server
	log   *breakable
	clock *stoppedClock
	desk  *deskStaff
	url   string
}

const (
	clientCallback = "https://budgetly.example/cb?tenant=7"
	pkceChallenge  = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // RFC 7636, Appendix B
)

var twoAccounts = []Account{{"acc-1", "Everyday", "•••• 1111", "EUR"}, {"acc-2", "Savings", "•••• 2222", "EUR"}}

func newBank(t *testing.T, change ...func(*Outside)) *bank {
	b := &bank{t: t, clock: &stoppedClock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	b.log = &breakable{Log: Engine(memory.New(b.clock.Now)), keep: -1}
	b.desk = newDesk(b)
	journal := &eventstore.Journal{Log: b.log, Codec: &eventstore.Codec{Registry: catalogue.Events, Keys: &memory.Keys{}, Log: b.log.ID()}}
	o := Outside{
		Profiles: fapi.Profiles, Logins: b.desk, Sessions: b.desk, Directory: b.desk, Journeys: b.desk, Customers: b.desk, Pending: b.desk,
		Signer: b.desk, Limits: b.desk, Metrics: b.desk, Now: b.clock.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	b.Server = New(journal, o)
	b.web = httptest.NewUnstartedServer(b.Handler(http.NotFoundHandler()))
	b.web.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that a finished test abandons
	b.web.StartTLS()
	t.Cleanup(b.web.Close)
	b.url = b.web.URL + "/north"
	b.register()
	return b
}

func (b *bank) register() {
	ctx, m := b.t.Context(), event.Meta{Actor: event.ActorSystem}
	_, err := b.Issuers.Execute(ctx, m, "north", issuer.Create{Created: issuer.Created{
		URL: b.url, Profile: fapi.SecurityProfile.Name, Settings: issuer.Settings{Accounts: true, DisplayName: "Northwind Bank"}}})
	b.must(err)
	for id, name := range map[string]string{"budgetly": "Budgetly", "other": "Other"} {
		_, err = b.Clients.Execute(ctx, m, id, client.Register{Registered: client.Registered{Issuer: "north", Metadata: oauth.ClientMetadata{
			ClientName: name, RedirectURIs: []string{clientCallback}, GrantTypes: []string{"authorization_code"}}}})
		b.must(err)
	}
	for id, at := range map[string]string{"alice": "north", "ben": "north", "carol": "south"} {
		_, err = b.Subjects.Execute(ctx, event.Meta{Subject: id}, id, subject.Enroll{Enrolled: subject.Enrolled{Issuer: at, Name: id}})
		b.must(err)
	}
}

func (b *bank) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// push records a request and returns the address that opens it.
func (b *bank) push(changes ...string) string {
	b.t.Helper()
	form := url.Values{
		"client_id": {"budgetly"}, "response_type": {"code"}, "redirect_uri": {clientCallback}, "scope": {"accounts"},
		"state": {"s-1"}, "code_challenge": {pkceChallenge}, "code_challenge_method": {"S256"},
	}
	for n := 0; n < len(changes); n += 2 {
		form.Set(changes[n], changes[n+1])
		if changes[n+1] == "" {
			form.Del(changes[n])
		}
	}
	uri := newArtefact()
	stream := b.Authorizations.Stream(uri.ID)
	_, err := b.Journal.Commit(b.t.Context(), event.Meta{Client: "budgetly", Correlation: string(stream)}, eventstore.Draft{
		Stream: stream, Expect: eventstore.Absent(), Events: []any{authorization.Pushed{
			Client: "budgetly", Digest: uri.Digest(), Expires: b.clock.Now().Add(90 * time.Second), Body: form.Encode()}}})
	b.must(err)
	return b.url + "/authorize?" + url.Values{"client_id": {"budgetly"}, "request_uri": {oauth.RequestURIPrefix + uri.Text()}}.Encode()
}

// stream names the stream of the request that an address opens.
func (b *bank) stream(opener string) eventstore.Stream {
	b.t.Helper()
	u, err := url.Parse(opener)
	b.must(err)
	uri, _ := oauth.ParseArtefact(strings.TrimPrefix(u.Query().Get("request_uri"), oauth.RequestURIPrefix))
	return b.Authorizations.Stream(uri.ID)
}

// journey returns what is in the log of the request that an address opens.
func (b *bank) journey(opener string) (state authorization.State, types []string) {
	b.t.Helper()
	stream := b.stream(opener)
	state, _, err := b.Authorizations.Load(b.t.Context(), stream.ID())
	b.must(err)
	for e, err := range b.log.ReadStream(b.t.Context(), stream, 0) {
		b.must(err)
		types = append(types, strings.TrimPrefix(e.Type, "authorization."))
	}
	return state, types
}

// A person sits at a browser.
type person struct {
	*bank
	http *http.Client
}

func (b *bank) person() *person {
	jar, err := cookiejar.New(nil)
	b.must(err)
	c := b.web.Client()
	return &person{b, &http.Client{Transport: c.Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// A screen is what a browser shows, or the address to which it left the bank.
type screen struct {
	status int
	body   string
	header http.Header
	left   *url.URL
}

func (s screen) has(text string) bool { return strings.Contains(s.body, text) }

// get opens an address and follows redirects as long as they stay at the bank.
func (p *person) get(address string) screen {
	p.t.Helper()
	r, err := http.NewRequest("GET", address, nil)
	p.must(err)
	return p.send(r)
}

func (p *person) send(r *http.Request) screen {
	p.t.Helper()
	for range 10 {
		response, err := p.http.Do(r)
		p.must(err)
		raw, err := io.ReadAll(response.Body)
		response.Body.Close()
		p.must(err)
		to := response.Header.Get("Location")
		if to == "" {
			return screen{response.StatusCode, string(raw), response.Header, nil}
		}
		if response.StatusCode != http.StatusSeeOther {
			p.t.Fatalf("redirect with %d; want 303", response.StatusCode)
		}
		u, err := url.Parse(to)
		p.must(err)
		if !strings.HasPrefix(to, p.url) {
			return screen{response.StatusCode, "", response.Header, u}
		}
		r, err = http.NewRequest("GET", to, nil)
		p.must(err)
	}
	p.t.Fatal("too many redirects")
	return screen{}
}

var (
	forms  = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)">(.*?)</form>`)
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	ticked = regexp.MustCompile(`name="account" value="([^"]*)" checked`)
)

// press sends the form that a button of the given id is in, filled as shown
// and then as said.
func (p *person) press(s screen, id string, fields ...string) screen {
	p.t.Helper()
	r := p.pressing(s, id, fields...)
	return p.send(r)
}

func (p *person) pressing(s screen, id string, fields ...string) *http.Request {
	p.t.Helper()
	for _, form := range forms.FindAllStringSubmatch(s.body, -1) {
		if !strings.Contains(form[2], `id="`+id+`"`) {
			continue
		}
		values := url.Values{}
		for _, h := range hidden.FindAllStringSubmatch(form[2], -1) {
			values.Set(h[1], html.UnescapeString(h[2]))
		}
		for _, h := range ticked.FindAllStringSubmatch(form[2], -1) {
			values.Add("account", h[1])
		}
		if strings.Contains(form[2], `name="decision"`) {
			values.Set("decision", id)
		}
		for n := 0; n < len(fields); n += 2 {
			values.Add(fields[n], fields[n+1])
		}
		r, err := http.NewRequest("POST", p.web.URL+form[1], strings.NewReader(values.Encode()))
		p.must(err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		return r
	}
	p.t.Fatalf("no button %q on a page with status %d:\n%s", id, s.status, s.body)
	return nil
}

func (p *person) signIn(s screen, user string) screen {
	p.t.Helper()
	return p.press(s, "login", "user", user, "password", user)
}
