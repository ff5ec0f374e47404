// Package samplebank is the accounts API of a bank that does not exist, as a
// resource server: accounts, balances and transactions of three customers,
// each limited to what the customer's consent names. It is for development.
package samplebank

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/oauth"
)

// Path is where the API is mounted. Below the server's address it is also the
// resource that access tokens are meant for (RFC 8707).
const Path = "/bank"

// A Bank answers about its customers' accounts as of Now.
type Bank struct {
	Now  func() time.Time
	Path string // where it is mounted, if not at [Path]
}

// Handler returns the API, every route of it protected by s.
func (b Bank) Handler(s *resource.Server) http.Handler {
	base, mux := b.Path, http.NewServeMux()
	if base == "" {
		base = Path
	}
	one := func(permission string) resource.Route {
		return resource.Route{NeedsConsent: true, Permission: permission, Account: "account"}
	}
	for _, r := range []struct {
		path  string
		route resource.Route
		serve resource.Serve
	}{
		{"/status", resource.Route{}, b.status},
		{"/accounts", resource.Route{NeedsConsent: true, Permission: oauth.ReadAccounts}, b.accounts},
		{"/accounts/:account", one(oauth.ReadAccounts), b.account},
		{"/accounts/:account/balances", one(oauth.ReadBalances), b.balances},
		{"/accounts/:account/transactions", one(oauth.ReadTransactions), b.transactions},
	} {
		r.route.Path = base + r.path
		mux.Handle(strings.Replace(r.route.Path, ":account", "{account}", 1), s.Protect(r.route, r.serve))
	}
	mux.Handle("/", s.Nothing())
	return mux
}

// status is for clients themselves: it needs a token and no customer.
func (b Bank) status(*http.Request, resource.Pass) (resource.Answer, error) {
	return resource.Answer{Body: struct {
		Bank   string    `json:"bank"`
		Status string    `json:"status"`
		AsOf   time.Time `json:"as_of"`
	}{Name, "open", b.Now().UTC().Truncate(time.Second)}}, nil
}

// accounts lists what the consent names, if it is the customer's own.
func (b Bank) accounts(_ *http.Request, p resource.Pass) (resource.Answer, error) {
	own, consented := accountsOf(p.Grant().Subject), p.Accounts(oauth.ReadAccounts)
	answer, list := resource.Answer{}, []accountView{}
	for _, a := range own {
		if slices.Contains(consented, a.ID) {
			list, answer.Accounts = append(list, view(a)), append(answer.Accounts, a.ID)
		}
	}
	answer.Body = struct {
		Accounts []accountView `json:"accounts"`
	}{list}
	return answer, nil
}

func (b Bank) account(r *http.Request, p resource.Pass) (resource.Answer, error) {
	a, err := named(r, p)
	if err != nil {
		return resource.Answer{}, err
	}
	return resource.Answer{Body: view(a), Accounts: []string{a.ID}}, nil
}

func (b Bank) balances(r *http.Request, p resource.Pass) (resource.Answer, error) {
	a, err := named(r, p)
	if err != nil {
		return resource.Answer{}, err
	}
	now := b.Now().UTC()
	type balance struct {
		Type     string    `json:"type"`
		Amount   cents     `json:"amount"`
		Currency string    `json:"currency"`
		AsOf     time.Time `json:"as_of"`
	}
	return resource.Answer{Accounts: []string{a.ID}, Body: struct {
		Account  string    `json:"account_id"`
		Balances []balance `json:"balances"`
	}{a.ID, []balance{{"booked", a.balance(now), a.Currency, now.Truncate(time.Second)}}}}, nil
}

// named returns the account in the path, which the consent covers, if it is
// the customer's own too.
func named(r *http.Request, p resource.Pass) (Account, error) {
	own := accountsOf(p.Grant().Subject)
	i := slices.IndexFunc(own, func(a Account) bool { return a.ID == r.PathValue("account") })
	if i < 0 {
		return Account{}, resource.ErrNotCovered
	}
	return own[i], nil
}

type accountView struct {
	ID       string   `json:"account_id"`
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	Currency string   `json:"currency"`
	Number   string   `json:"number"`
	Masked   string   `json:"masked_number"`
	Holders  []string `json:"holders"`
}

func view(a Account) accountView {
	return accountView{a.ID, a.Name, a.Kind, a.Currency, a.Number, a.Masked(), a.holders()}
}
