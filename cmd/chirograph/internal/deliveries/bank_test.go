package deliveries

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/installation"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/openid"
	"github.com/chirograph/chirograph/eventstore"
)

const (
	bankHost  = "bank.example"
	issuerURL = "https://" + bankHost + "/ciba"
	customers = 20
)

// A bank is an installation with its clients, and the server that serves it.
type bank struct {
	*node
	config config.Config
	key    jose.Signer // of every client
	http   *http.Client
}

// newBank makes an installation whose clients have their notification endpoints
// at a receiver. The receiver's address is an exception from the rules, but for
// those that are named "far": theirs is its name, which is none.
func newBank(t *testing.T, r *receiver, clients map[string]string) *bank {
	t.Helper()
	key, err := jose.GenerateKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	b := &bank{key: jose.Signer{KeyID: "one", Algorithm: jose.ES256, Key: key}, config: config.Default()}
	b.config.DataDir = filepath.Join(t.TempDir(), "data")
	b.config.TrustedProxies = []string{"127.0.0.0/8"} // the bank's TLS ends before it
	b.config.Fetch.CA = r.authority(t)
	b.config.Limits = config.Limits{Buckets: b.config.Limits.Buckets} // no rate limits anything
	b.config.Log.Level = "warn"
	b.config.Drain.Delay = 0
	b.config.Public.Listen, b.config.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
	p := b.open(t, false)
	if _, err := p.Admin.Apply(t.Context(), p.Meta(event.ActorOperator), b.document(r, clients)); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	b.node = newNode(t, b.config)
	b.http = &http.Client{Timeout: 10 * time.Second, Transport: b}
	return b
}

// open opens the installation in this process.
func (b *bank) open(t *testing.T, reading bool) *platform.Platform {
	t.Helper()
	p, err := platform.Open(t.Context(), platform.Options{
		Config: b.config, Purpose: installation.Production, Create: !reading, ReadOnly: reading, Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (b *bank) document(r *receiver, clients map[string]string) admin.Document {
	jwk, err := jose.PublicJWK(b.key.KeyID, b.key.Algorithm, "sig", b.key.Key.Public())
	if err != nil {
		panic(err) // it is a key of ours
	}
	d := admin.Document{Issuers: []admin.Issuer{{
		ID: "ciba", URL: issuerURL, Profile: openid.CIBA.Name,
		Settings: admin.Settings{Accounts: true, FetchOrigins: []string{r.URL}, DisplayName: "A bank", Purpose: issuer.Conformance},
		Keys:     &admin.KeyPolicy{Algorithms: []string{jose.ES256}},
	}}}
	for name, mode := range clients {
		endpoint := r.URL + "/" + name
		if name == "far" {
			u, _ := url.Parse(r.URL)
			endpoint = "https://localhost:" + u.Port() + "/far"
		}
		d.Clients = append(d.Clients, admin.Client{ID: name, Issuer: "ciba", Metadata: oauth.ClientMetadata{
			ClientName: name, TokenEndpointAuthMethod: "private_key_jwt", JWKS: fmt.Appendf(nil, `{"keys":[%s]}`, jwk),
			Scope: "openid accounts offline_access", GrantTypes: []string{oauth.GrantCIBA, "refresh_token"},
			DeliveryMode: mode, NotificationEndpoint: endpoint,
		}})
	}
	for i := range customers {
		d.Customers = append(d.Customers, admin.Customer{
			ID: fmt.Sprintf("customer-%d", i), Issuer: "ciba", Name: fmt.Sprintf("Customer %d", i), Test: true,
			Login:    &admin.Login{Name: login(i), Password: "a good password"},
			Accounts: []admin.Account{{ID: fmt.Sprintf("account-%d", i), Name: "Everyday", Number: "•••• 0001", Currency: "EUR"}},
		})
	}
	return d
}

func login(i int) string { return fmt.Sprintf("customer%d", i%customers) }

// RoundTrip brings requests for the bank to its server, without TLS.
func (b *bank) RoundTrip(q *http.Request) (*http.Response, error) {
	to := q.Clone(q.Context())
	to.Host = bankHost
	to.URL.Scheme, to.URL.Host = "http", b.public
	return http.DefaultTransport.RoundTrip(to)
}

// A request is one that a client made.
type request struct {
	client    string
	authReqID string
	token     string // client_notification_token
}

// ask makes a request for a customer.
func (b *bank) ask(client string, customer int, lifetime time.Duration) (request, error) {
	r := request{client: client, token: fmt.Sprintf("notification-token-%s-%d-%d", client, customer, time.Now().UnixNano())}
	form, err := b.authenticated(client, url.Values{
		"scope": {"openid accounts"}, "login_hint": {login(customer)}, "client_notification_token": {r.token},
		"requested_expiry": {fmt.Sprint(int(lifetime.Seconds()))}, "binding_message": {"W4SCT"},
		"authorization_details": {`[{"type":"account_information","permissions":["ReadAccounts","ReadBalances"],"expires_at":"` +
			time.Now().AddDate(0, 1, 0).UTC().Format(time.RFC3339) + `"}]`},
	})
	if err != nil {
		return r, err
	}
	body, err := b.post("/bc-authorize", form, http.StatusOK)
	if err == nil {
		var said struct {
			AuthReqID string `json:"auth_req_id"`
		}
		err = json.Unmarshal(body, &said)
		r.authReqID = said.AuthReqID
	}
	return r, err
}

// decide answers in place of the customer.
func (b *bank) decide(r request, action string) error {
	_, err := b.post("/backchannel/decide", url.Values{"auth_req_id": {r.authReqID}, "action": {action}}, http.StatusNoContent)
	return err
}

// poll asks for the tokens.
func (b *bank) poll(r request) error {
	form, err := b.authenticated(r.client, url.Values{"grant_type": {oauth.GrantCIBA}, "auth_req_id": {r.authReqID}})
	if err == nil {
		_, err = b.post("/token", form, http.StatusOK)
	}
	return err
}

func (b *bank) authenticated(client string, form url.Values) (url.Values, error) {
	assertion, err := jose.NewAssertion(b.key, client, issuerURL, time.Now(), time.Minute)
	form.Set("client_id", client)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	return form, err
}

func (b *bank) post(path string, form url.Values, want int) ([]byte, error) {
	q, err := http.NewRequest(http.MethodPost, issuerURL+path, bytes.NewBufferString(form.Encode()))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := b.http.Do(q)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err == nil && answer.StatusCode != want {
		err = fmt.Errorf("%s: %d %s", path, answer.StatusCode, body)
	}
	return body, err
}

// A story is what the log says of a request.
type story struct {
	id       string // of the delivery
	delivery delivery.State
	attempts []delivery.Attempted
	types    map[string]int // events by type, of the request and of what belongs to it
}

// stories reads the log, beside a server or without one.
func (b *bank) stories(t *testing.T) map[string]story {
	t.Helper()
	p := b.open(t, true)
	defer p.Close()
	all := map[string]story{}
	for e, err := range p.Journal.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		id := eventstore.Stream(e.Metadata.Correlation)
		if id.Category() != "backchannel" {
			continue
		}
		s, found := all[id.ID()]
		if !found {
			s.types = map[string]int{}
		}
		s.types[e.Type]++
		if body, ok := e.Body.(delivery.Event); ok {
			s.id, s.delivery = e.Stream.ID(), s.delivery.Evolve(body)
			if a, ok := body.(delivery.Attempted); ok {
				s.attempts = append(s.attempts, a)
			}
		}
		all[id.ID()] = s
	}
	return all
}

func idOf(r request) string {
	named, _ := oauth.ParseArtefact(r.authReqID)
	return named.ID
}
