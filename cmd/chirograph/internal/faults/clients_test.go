package faults

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
	"github.com/chirograph/chirograph/domain/oauth"
)

// players are the clients and browsers, whose every operation is recorded.
type players struct {
	*bank
	*history
	over   *balancer
	reader *story.Client
}

func newPlayers(b *bank, over *balancer) *players {
	return &players{bank: b, history: newHistory(), over: over, reader: b.client(over)}
}

// everywhere lets a browser's steps go round all nodes.
const everywhere = -1

// do performs an operation at a node and records what came of it.
func (p *players) do(ctx context.Context, at int, o operation, what func(context.Context, *operation) error) operation {
	t := &trip{node: at}
	ctx, done := t.context(ctx)
	defer done()
	o.Node = "all"
	if at >= 0 {
		o.Node = p.over.names[at]
	}
	o.Begin = p.now()
	err := what(ctx, &o)
	o.End, o.Status = p.now(), int(t.status.Load())
	o.judge(err)
	p.history.add(o)
	return o
}

// judge says what a client may conclude. An answer in the 500s promises
// nothing.
func (o *operation) judge(err error) {
	switch {
	case err == nil:
		o.Outcome = accepted
	case o.Status >= 400 && o.Status < 500:
		o.Outcome, o.Why = refused, err.Error()
	default:
		o.Outcome, o.Why = unknown, err.Error()
	}
}

func (p *players) credentials(ctx context.Context, at int, o operation) (operation, string) {
	var got story.Tokens
	o.Kind = issuing
	return p.do(ctx, at, o, func(ctx context.Context, o *operation) (err error) {
		got, err = p.reader.Token(ctx, url.Values{"grant_type": {"client_credentials"}, "scope": {"accounts"}})
		o.Token = jti(got.Access)
		return err
	}), got.Access
}

func (p *players) push(ctx context.Context, at int, o operation, more url.Values) (operation, story.Request) {
	var request story.Request
	o.Kind = pushing
	params := url.Values{"scope": {"openid accounts"}, "authorization_details": {asked()}}
	for name, values := range more {
		params[name] = values
	}
	return p.do(ctx, at, o, func(ctx context.Context, o *operation) (err error) {
		request, err = p.reader.Push(ctx, params)
		o.Journey = journeyOf(request.URL)
		return err
	}), request
}

// asked is what the reader wants to see, for long enough.
func asked() string {
	until := time.Now().AddDate(0, 1, 0).UTC().Format(time.RFC3339)
	return `[{"type":"account_information","permissions":["ReadAccounts","ReadBalances"],"expires_at":"` + until + `"}]`
}

// redeem exchanges a code, alone or beside others who have it too.
func (p *players) redeem(ctx context.Context, at int, o operation, r story.Request, answer url.Values) (operation, story.Tokens) {
	var got story.Tokens
	o.Kind, o.Code = redeeming, digest(answer.Get("code"))
	return p.do(ctx, at, o, func(ctx context.Context, o *operation) (err error) {
		got, err = p.reader.Redeem(ctx, r, answer)
		o.Token, o.Refresh = jti(got.Access), identity(got.Refresh)
		return err
	}), got
}

func (p *players) refresh(ctx context.Context, at int, o operation, with string) (operation, string) {
	var got story.Tokens
	o.Kind, o.Refresh = refreshing, identity(with)
	return p.do(ctx, at, o, func(ctx context.Context, o *operation) (err error) {
		got, err = p.reader.Token(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {with}})
		o.Token = jti(got.Access)
		return err
	}), got.Access
}

// revoke ends a token. What it is, the operation says.
func (p *players) revoke(ctx context.Context, at int, o operation, token string) operation {
	o.Kind = revoking
	return p.do(ctx, at, o, func(ctx context.Context, o *operation) error {
		_, err := p.send(ctx, reader, "/revoke", url.Values{"token": {token}})
		return err
	})
}

func (p *players) introspect(ctx context.Context, at int, o operation, token string) operation {
	o.Kind, o.Token = introspecting, jti(token)
	return p.do(ctx, at, o, func(ctx context.Context, o *operation) error {
		body, err := p.send(ctx, guard, "/introspect", url.Values{"token": {token}})
		if err != nil {
			return err
		}
		var said struct {
			Active bool `json:"active"`
		}
		err = json.Unmarshal(body, &said)
		o.Active = said.Active
		return err
	})
}

type answerError string

func (e answerError) Error() string { return string(e) }

func (p *players) send(ctx context.Context, client, path string, form url.Values) ([]byte, error) {
	form, err := p.authenticated(client, form)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, issuerURL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := p.over.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = answerError(body)
	}
	return body, err
}

// jti is the id of a JWT access token, which is its stream.
func jti(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		ID string `json:"jti"`
	}
	_ = json.Unmarshal(payload, &claims) // "" is in no log
	return claims.ID
}

func identity(artefact string) string {
	a, _ := oauth.ParseArtefact(artefact)
	return a.ID
}

func digest(artefact string) string {
	a, ok := oauth.ParseArtefact(artefact)
	if !ok {
		return ""
	}
	return a.Digest()
}

// journeyOf is the id of the authorization that an address opens.
func journeyOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	uri := u.Query().Get("request_uri")
	return identity(uri[strings.LastIndex(uri, ":")+1:])
}
