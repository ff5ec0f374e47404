package story

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/domain/oauth"
)

// An Ask is what a client wants to know of a customer who is not in front of a
// browser (CIBA, Section 7.1).
type Ask struct {
	LoginHint string
	Message   string // binding_message, for both screens
	Code      string // user_code, if the customer has one
	Expiry    int    // requested_expiry in seconds, 0 for as long as the bank likes
	Details   string // authorization_details
	Signed    bool   // as one JWT (CIBA, Section 7.1.1)
	Token     string // client_notification_token, of clients that are called
}

// An Asked is a request that was accepted (CIBA, Section 7.3).
type Asked struct {
	ID       string `json:"auth_req_id"`
	Expires  int64  `json:"expires_in"`
	Interval int64  `json:"interval"`
}

// Authenticate sends an authentication request.
func (c *Client) Authenticate(ctx context.Context, ask Ask) (Asked, error) {
	m, err := c.endpoints(ctx)
	if err != nil {
		return Asked{}, err
	}
	if m.Backchannel == "" {
		return Asked{}, fmt.Errorf("%s has no backchannel_authentication_endpoint", c.Issuer)
	}
	params := map[string]any{"scope": "openid accounts"}
	for name, value := range map[string]string{
		"login_hint": ask.LoginHint, "binding_message": ask.Message, "user_code": ask.Code, "client_notification_token": ask.Token,
	} {
		if value != "" {
			params[name] = value
		}
	}
	if ask.Expiry > 0 {
		params["requested_expiry"] = json.RawMessage(strconv.Itoa(ask.Expiry))
	}
	if ask.Details != "" {
		params["authorization_details"] = json.RawMessage(ask.Details)
	}
	form, err := c.asForm(params, ask.Signed)
	if err != nil {
		return Asked{}, err
	}
	var asked Asked
	err = c.post(ctx, m.Backchannel, form, http.StatusOK, &asked)
	if err == nil && asked.Interval == 0 {
		asked.Interval = 5 // CIBA §7.3
	}
	return asked, err
}

// asForm writes parameters as fields, or as the claims of one that is signed.
func (c *Client) asForm(params map[string]any, signed bool) (url.Values, error) {
	form := url.Values{}
	if !signed {
		for name, value := range params {
			switch v := value.(type) {
			case json.RawMessage:
				form.Set(name, string(v))
			case string:
				form.Set(name, v)
			}
		}
		return form, nil
	}
	now := c.Now()
	params["iss"], params["aud"], params["jti"] = c.ID, c.Issuer, random()
	params["iat"], params["nbf"], params["exp"] = now.Unix(), now.Unix(), now.Add(5*time.Minute).Unix()
	claims, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	request, err := jose.Sign(c.Key, "", claims)
	form.Set("request", request)
	return form, err
}

// patience is how long the server is asked to hold a poll back (RFC 7240,
// Section 4.3; CIBA, Section 10.1.1).
const patience = 10 * time.Second

// ErrNotApproved means that the customer said no.
var ErrNotApproved = errors.New("the customer did not approve")

// ErrTooLate means that the request ran out before there was an answer.
var ErrTooLate = errors.New("the customer did not answer in time")

// Poll asks for the tokens until there is an answer, no faster than the server
// permits. It fails with [ErrNotApproved] if that is a no, and with [ErrTooLate]
// if there is none.
func (c *Client) Poll(ctx context.Context, asked Asked) (Tokens, error) {
	interval := time.Duration(asked.Interval) * time.Second
	for {
		began := c.Now()
		tokens, err := c.Collect(ctx, asked.ID)
		r, refused := errors.AsType[*Refusal](err)
		switch {
		case !refused:
			return tokens, err
		case r.Code == string(oauth.AccessDenied):
			return tokens, ErrNotApproved
		case r.Code == string(oauth.ExpiredToken):
			return tokens, ErrTooLate
		case r.Code == string(oauth.SlowDown):
			interval += 5 * time.Second // CIBA §11
		case r.Code != string(oauth.AuthorizationPending):
			return tokens, err
		}
		if err := wait(ctx, interval-c.Now().Sub(began)); err != nil {
			return tokens, err
		}
	}
}

// Collect asks for the tokens once. It gives the server some time to wait for
// the customer.
func (c *Client) Collect(ctx context.Context, authReqID string) (Tokens, error) {
	m, err := c.endpoints(ctx)
	if err != nil {
		return Tokens{}, err
	}
	var t Tokens
	prefer := http.Header{"Prefer": {"wait=" + strconv.Itoa(int(patience.Seconds()))}}
	err = c.postWith(ctx, prefer, m.Token, url.Values{"grant_type": {oauth.GrantCIBA}, "auth_req_id": {authReqID}}, http.StatusOK, &t)
	return t, err
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
