// Package story plays the main job once, over the network, as the people and
// programs in it would: a third party asks, a customer approves on the bank's
// page, the third party reads, the customer stops it, the next read is refused.
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
)

// A Cast is who plays.
type Cast struct {
	Client   *Client  // the third party
	Customer Customer // who decides
	Bank     string   // base URL of the accounts API
}

// A Customer signs in at the bank's pages.
type Customer struct {
	Name     string
	Login    string
	Password string
}

// An Outcome is what remains of a story.
type Outcome struct {
	Consent string
	Tokens  Tokens
}

// Tell reports one step as it happens.
type Tell func(who, did, result string)

// Play plays the story. It fails if any step ends differently than it should,
// the refusal after the revocation included.
func Play(ctx context.Context, cast Cast, transport http.RoundTripper, now time.Time, tell Tell) (Outcome, error) {
	tokens, err := cast.ask(ctx, transport, now, tell)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Tokens: tokens}
	if err := cast.read(ctx, tokens, tell); err != nil {
		return out, err
	}
	browser := NewBrowser(transport)
	if out.Consent, err = browser.NewestConsent(ctx, cast.Client.Issuer, cast.Customer); err != nil {
		return out, fmt.Errorf("find the consent at the bank: %w", err)
	}
	if err := browser.StopSharing(ctx, cast.Client.Issuer, out.Consent); err != nil {
		return out, fmt.Errorf("stop sharing: %w", err)
	}
	tell(cast.Customer.Name, "stops sharing", "revoked")
	return out, cast.isRefused(ctx, tokens, tell)
}

// ask goes from the pushed request to the tokens.
func (c Cast) ask(ctx context.Context, transport http.RoundTripper, now time.Time, tell Tell) (Tokens, error) {
	expires := now.Add(90 * 24 * time.Hour).UTC().Truncate(time.Second)
	details, err := json.Marshal([]map[string]any{{
		"type": "account_information", "permissions": []string{"ReadAccounts", "ReadBalances", "ReadTransactions"},
		"history_from": now.AddDate(-1, 0, 0).Format(time.DateOnly), "expires_at": expires, "purpose": "One budget over all your accounts",
	}})
	if err != nil {
		return Tokens{}, err
	}
	request, err := c.Client.Push(ctx, url.Values{"scope": {"openid"}, "authorization_details": {string(details)}})
	if err != nil {
		return Tokens{}, fmt.Errorf("push the request: %w", err)
	}
	tell(c.Client.Name, "pushes a request for accounts, balances and transactions", "accepted")
	answer, err := NewBrowser(transport).Approve(ctx, request.URL, c.Customer)
	if err != nil {
		return Tokens{}, fmt.Errorf("approve: %w", err)
	}
	tell(c.Customer.Name, "signs in, reads what is asked, chooses accounts and approves", "approved")
	tokens, err := c.Client.Redeem(ctx, request, answer)
	if err != nil {
		return Tokens{}, fmt.Errorf("redeem the code: %w", err)
	}
	tell(c.Client.Name, "redeems the code for a token that only its key can use", "issued")
	return tokens, nil
}

// read reads every account, its balance and its transactions.
func (c Cast) read(ctx context.Context, tokens Tokens, tell Tell) error {
	var list struct {
		Accounts []struct {
			ID string `json:"account_id"`
		} `json:"accounts"`
	}
	if err := c.get(ctx, tokens, "/accounts", &list); err != nil {
		return err
	}
	if len(list.Accounts) == 0 {
		return errors.New("the bank showed no account")
	}
	for _, a := range list.Accounts {
		for _, part := range []string{"/balances", "/transactions"} {
			if err := c.get(ctx, tokens, "/accounts/"+a.ID+part, nil); err != nil {
				return err
			}
		}
	}
	tell(c.Client.Name, "reads "+accounts(len(list.Accounts))+" with balances and transactions", "read")
	return nil
}

func accounts(n int) string {
	if n == 1 {
		return "1 account"
	}
	return strconv.Itoa(n) + " accounts"
}

func (c Cast) get(ctx context.Context, tokens Tokens, path string, into any) error {
	status, body, err := c.Client.Get(ctx, c.Bank+path, tokens)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if status != http.StatusOK {
		return fmt.Errorf("read %s: status %d: %s", path, status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// isRefused reads once more, which must fail.
func (c Cast) isRefused(ctx context.Context, tokens Tokens, tell Tell) error {
	status, body, err := c.Client.Get(ctx, c.Bank+"/accounts", tokens)
	if err != nil {
		return fmt.Errorf("read after the revocation: %w", err)
	}
	if status != http.StatusUnauthorized {
		return fmt.Errorf("read after the revocation: status %d, want 401: %s", status, body)
	}
	var refusal struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(body, &refusal); err != nil {
		return err
	}
	tell(c.Client.Name, "reads again", fmt.Sprintf("refused (%s: %s)", refusal.Code, refusal.Description))
	return nil
}
