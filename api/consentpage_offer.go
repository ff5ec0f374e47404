package api

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/oauth"
)

// Why nothing can be shared.
var (
	errNoAccounts = errors.New("the customer has no account")
	errNoChoice   = errors.New("the customer chose no account")
)

// An offer is what one customer can share of what a client asks for.
type offer struct {
	asked    bool           // by authorization_details, not by scope
	details  []oauth.Detail // those that concern an account of the customer
	accounts []Account      // that can be shared
	named    map[string]bool
	identity []fact
	powers   []fact // what staff let a client do for them
	customer string
	expires  time.Time
}

// explained are the values of scope that the consent page has words for.
var explained = []string{"openid", "profile", "email", "phone", "address", "offline_access", "accounts"}

// staffScopes are those of the platform's own issuer, in the words that staff
// read before a program acts for them. What they may not do themselves the
// program may not do either.
var staffScopes = map[string]fact{
	"chirograph:admin":  {"Administer the platform", "change issuers, clients, keys and people as far as your roles allow"},
	"chirograph:audit":  {"Read the audit trail", "see what happened, to whom and when"},
	"chirograph:replay": {"See past states", "look at the platform as it was at any moment"},
}

// offer works out what can be shared. What the page could not explain is not
// offered.
func (s *Server) offer(ctx context.Context, t Tenant, q question, at time.Time) (o offer, err error) {
	for _, x := range strings.Fields(q.scope) {
		power, staff := staffScopes[x]
		if x == deviceScope {
			power, staff = deviceWords, true
		}
		if !staff && !slices.Contains(explained, x) {
			return o, endWith(oauth.InvalidScope, "RFC 6749 §3.3", "scope has a value that customers cannot grant")
		}
		if staff {
			o.powers = append(o.powers, power)
		}
	}
	details, err := oauth.ParseDetails(q.details)
	if err != nil {
		return o, err
	}
	o.asked = details != nil
	if !o.asked && slices.Contains(strings.Fields(q.scope), "accounts") {
		details = []oauth.Detail{{Type: oauth.AccountInformation, Permissions: oauth.Permissions}}
	}
	if len(details) > 0 {
		own, err := s.Directory.Accounts(ctx, q.subject)
		if err != nil {
			return o, err
		}
		if err := o.limit(details, own); err != nil {
			return o, err
		}
	}
	o.expires = ends(q.opened.Add(t.Settings.ConsentLifetime), o.details)
	if !at.Before(o.expires) {
		return o, endWith(oauth.AccessDenied, "RFC 9396 §5", "the access that was asked for has ended")
	}
	return o, s.describeCustomer(ctx, q, &o)
}

// limit keeps what concerns the customer's own accounts. Of accounts that are
// somebody else's the page says nothing.
func (o *offer) limit(details []oauth.Detail, own []Account) error {
	open := false
	o.named = map[string]bool{}
	for _, d := range details {
		if len(d.Accounts) == 0 {
			open = true
			continue
		}
		d.Accounts = slices.DeleteFunc(slices.Clone(d.Accounts), func(id string) bool { return !owns(own, id) })
		for _, id := range d.Accounts {
			o.named[id] = true
		}
	}
	for _, a := range own {
		if open || o.named[a.ID] {
			o.accounts = append(o.accounts, a)
		}
	}
	if len(o.accounts) == 0 && open {
		return errNoAccounts
	}
	if len(o.accounts) == 0 {
		return endWith(oauth.AccessDenied, "RFC 9396 §6", "the accounts asked for are not the customer's")
	}
	for _, d := range details {
		all := len(d.Accounts) == 0
		d.Accounts = slices.DeleteFunc(slices.Clone(d.Accounts), func(id string) bool { return !o.named[id] })
		if all || len(d.Accounts) > 0 {
			o.details = append(o.details, d)
		}
	}
	return nil
}

func owns(own []Account, id string) bool {
	return slices.ContainsFunc(own, func(a Account) bool { return a.ID == id })
}

// ends is when the consent runs out: with the last of its details, and at the
// latest when the issuer says.
func ends(atMost time.Time, details []oauth.Detail) time.Time {
	atMost = atMost.UTC().Truncate(time.Second)
	var last time.Time
	for _, d := range details {
		if d.ExpiresAt == nil {
			return atMost
		}
		if d.ExpiresAt.After(last) {
			last = d.ExpiresAt.UTC()
		}
	}
	if len(details) == 0 || last.After(atMost) {
		return atMost
	}
	return last
}

// grant is the customer's choice among what was offered. A single account is
// no choice: to approve is to share it.
func (o offer) grant(chosen []string) (authorization.Granted, error) {
	g := authorization.Granted{Asked: o.asked, Expires: o.expires}
	if len(o.details) == 0 {
		return g, nil
	}
	if len(o.accounts) == 1 {
		chosen = []string{o.accounts[0].ID}
	}
	for _, d := range o.details {
		var shared []string
		for _, a := range o.accounts {
			if slices.Contains(chosen, a.ID) && (len(d.Accounts) == 0 || slices.Contains(d.Accounts, a.ID)) {
				shared = append(shared, a.ID)
			}
		}
		if len(shared) == 0 {
			continue
		}
		d.Accounts = shared
		if d.ExpiresAt != nil && d.ExpiresAt.After(o.expires) {
			d.ExpiresAt = &o.expires
		}
		g.Details = append(g.Details, d)
		g.Permissions = append(g.Permissions, d.Permissions...)
	}
	if len(g.Details) == 0 {
		return g, errNoChoice
	}
	slices.Sort(g.Permissions)
	g.Permissions = slices.Compact(g.Permissions)
	return g, nil
}
