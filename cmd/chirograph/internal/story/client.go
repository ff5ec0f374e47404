package story

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
)

// A Client is a FAPI client. It authenticates with private_key_jwt and binds its
// tokens by DPoP, unless it says otherwise.
type Client struct {
	Name        string
	ID          string
	Issuer      string
	RedirectURI string
	Key         jose.Signer
	HTTP        *http.Client // presents a certificate if the client has one
	TLSAuth     bool         // authenticates by its certificate
	TLSBound    bool         // its tokens are bound to that certificate
	Now         func() time.Time

	discover sync.Once
	metadata Metadata
	failed   error
	nonces   sync.Map // origin -> the newest DPoP nonce it gave
}

// Metadata is what a client reads of RFC 8414.
type Metadata struct {
	Issuer    string `json:"issuer"`
	Authorize string `json:"authorization_endpoint"`
	PAR       string `json:"pushed_authorization_request_endpoint"`
	Token     string `json:"token_endpoint"`

	Backchannel string `json:"backchannel_authentication_endpoint"`
	JWKS        string `json:"jwks_uri"`
	Aliases     struct {
		Token       string `json:"token_endpoint"`
		Backchannel string `json:"backchannel_authentication_endpoint"`
	} `json:"mtls_endpoint_aliases"` // RFC 8705, Section 5
}

// Tokens is a token response.
type Tokens struct {
	Access  string          `json:"access_token"`
	Type    string          `json:"token_type"`
	Refresh string          `json:"refresh_token"`
	ID      string          `json:"id_token"`
	Scope   string          `json:"scope"`
	Expires int64           `json:"expires_in"`
	Details json.RawMessage `json:"authorization_details"`
}

// A Request is an authorization request that was pushed.
type Request struct {
	URL      string // to send the customer's browser to
	State    string
	verifier string
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

func (c *Client) endpoints(ctx context.Context) (Metadata, error) {
	c.discover.Do(func() {
		var body []byte
		var status int
		if status, body, c.failed = c.send(ctx, http.MethodGet, c.Issuer+"/.well-known/openid-configuration", nil, nil); c.failed != nil {
			return
		}
		if status != http.StatusOK {
			c.failed = fmt.Errorf("metadata of %s: status %d", c.Issuer, status)
			return
		}
		if c.failed = json.Unmarshal(body, &c.metadata); c.failed == nil && c.metadata.Issuer != c.Issuer {
			c.failed = errors.New("the metadata names another issuer") // FAPI2-SP §5.3.3.1-2.11
		}
		if c.TLSAuth || c.TLSBound {
			c.metadata.Token, c.metadata.Backchannel = c.metadata.Aliases.Token, c.metadata.Aliases.Backchannel
		}
	})
	return c.metadata, c.failed
}

// Push pushes an authorization request (RFC 9126) with PKCE and state.
func (c *Client) Push(ctx context.Context, params url.Values) (Request, error) {
	m, err := c.endpoints(ctx)
	if err != nil {
		return Request{}, err
	}
	r := Request{State: random(), verifier: random()}
	challenge := sha256.Sum256([]byte(r.verifier))
	form := url.Values{
		"response_type": {"code"}, "redirect_uri": {c.RedirectURI}, "state": {r.State}, "nonce": {random()},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	for name, values := range params {
		form[name] = values
	}
	var pushed struct {
		RequestURI string `json:"request_uri"`
	}
	if err := c.post(ctx, m.PAR, form, http.StatusCreated, &pushed); err != nil {
		return r, err
	}
	r.URL = m.Authorize + "?" + url.Values{"client_id": {c.ID}, "request_uri": {pushed.RequestURI}}.Encode()
	return r, nil
}

// Redeem checks an authorization response and exchanges its code.
func (c *Client) Redeem(ctx context.Context, r Request, answer url.Values) (Tokens, error) {
	switch {
	case answer.Get("iss") != c.Issuer: // RFC 9207 §2.4
		return Tokens{}, errors.New("the answer comes from another issuer")
	case answer.Get("state") != r.State:
		return Tokens{}, errors.New("the answer belongs to another request")
	case answer.Get("code") == "":
		return Tokens{}, fmt.Errorf("the answer has no code: %s: %s", answer.Get("error"), answer.Get("error_description"))
	}
	return c.Token(ctx, url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {c.RedirectURI}, "code_verifier": {r.verifier},
	})
}

// Token asks the token endpoint.
func (c *Client) Token(ctx context.Context, form url.Values) (Tokens, error) {
	m, err := c.endpoints(ctx)
	if err != nil {
		return Tokens{}, err
	}
	var t Tokens
	return t, c.post(ctx, m.Token, form, http.StatusOK, &t)
}

func (c *Client) post(ctx context.Context, to string, form url.Values, want int, into any) error {
	return c.postWith(ctx, http.Header{}, to, form, want, into)
}

// postWith sends a form with a fresh assertion and proof, once more if the
// server asks for its nonce (RFC 9449, Section 8). What is not as wanted is a
// [*Refusal].
func (c *Client) postWith(ctx context.Context, more http.Header, to string, form url.Values, want int, into any) error {
	for attempt := range 2 {
		if err := c.authenticate(form); err != nil {
			return err
		}
		header, err := c.proof(http.MethodPost, to, "")
		if err != nil {
			return err
		}
		maps.Copy(header, more)
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		status, body, err := c.send(ctx, http.MethodPost, to, header, []byte(form.Encode()))
		switch {
		case err != nil:
			return err
		case status == want:
			return json.Unmarshal(body, into)
		case attempt > 0 || !bytes.Contains(body, []byte("use_dpop_nonce")):
			return refusal(status, body)
		}
	}
	return nil
}

// A Refusal is an error response (RFC 6749, Section 5.2).
type Refusal struct {
	Status      int
	Code        string `json:"error"`
	Description string `json:"error_description"`
	body        []byte
}

func (r *Refusal) Error() string { return fmt.Sprintf("status %d: %s", r.Status, r.body) }

func refusal(status int, body []byte) error {
	r := &Refusal{}
	_ = json.Unmarshal(body, r) // what is no JSON has no code
	r.Status, r.body = status, body
	return r
}

// authenticate adds who the client is, and a fresh assertion unless its
// certificate proves that.
func (c *Client) authenticate(form url.Values) error {
	form.Set("client_id", c.ID)
	if c.TLSAuth {
		return nil
	}
	assertion, err := jose.NewAssertion(c.Key, c.ID, c.Issuer, c.Now(), time.Minute)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	return err
}

// Get asks a resource server with an access token.
func (c *Client) Get(ctx context.Context, from string, t Tokens) (status int, body []byte, err error) {
	return c.Do(ctx, http.MethodGet, from, t, nil)
}

// Do sends a request with an access token, once more if the server asks for its
// nonce. A body is JSON.
func (c *Client) Do(ctx context.Context, method, to string, t Tokens, send []byte) (status int, body []byte, err error) {
	for range 2 {
		header, err := c.proof(method, to, t.Access)
		if err != nil {
			return 0, nil, err
		}
		header.Set("Authorization", t.Type+" "+t.Access)
		if send != nil {
			header.Set("Content-Type", "application/json")
		}
		status, body, err = c.send(ctx, method, to, header, send)
		if err != nil || status != http.StatusUnauthorized || !bytes.Contains(body, []byte("use_dpop_nonce")) {
			return status, body, err
		}
	}
	return status, body, nil
}

// proof returns headers with a DPoP proof, if the client's tokens are bound so.
func (c *Client) proof(method, to, access string) (http.Header, error) {
	if c.TLSBound {
		return http.Header{}, nil
	}
	nonce, _ := c.nonces.LoadOrStore(place(to), "")
	proof, err := jose.NewProof(c.Key, method, to, access, nonce.(string), c.Now())
	return http.Header{"Dpop": {proof}}, err
}

// place tells apart who gives nonces: the authorization server and each
// resource server have their own.
func place(to string) string {
	u, err := url.Parse(to)
	if err != nil {
		return to
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return u.Host + "/" + first
}

func (c *Client) send(ctx context.Context, method, to string, header http.Header, body []byte) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if header != nil {
		r.Header = header
	}
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	if nonce := answer.Header.Get("DPoP-Nonce"); nonce != "" {
		c.nonces.Store(place(to), nonce)
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	return answer.StatusCode, raw, err
}

func random() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
