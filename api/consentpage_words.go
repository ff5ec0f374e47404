package api

import (
	"slices"

	"github.com/chirograph/chirograph/domain/oauth"
)

// accessView is one thing that a client asks to do with accounts.
type accessView struct {
	Clusters []cluster
	Only     string // names of the accounts it is limited to
	Until    string // if it ends before the consent does
	Purpose  string
}

// A choice is an account that may be shared.
type choice struct {
	Account
	Ticked bool
	Fixed  bool // there is no other
}

func (o offer) choices() []choice {
	var all []choice
	for _, a := range o.accounts {
		all = append(all, choice{a, o.named[a.ID], len(o.accounts) == 1})
	}
	return all
}

func (o offer) access() []accessView {
	var all []accessView
	for _, d := range o.details {
		view := accessView{Clusters: clusters(d), Purpose: d.Purpose}
		if len(d.Accounts) > 0 && len(o.accounts) > 1 {
			view.Only = enumerate(o.namesOf(d.Accounts))
		}
		if d.ExpiresAt != nil && d.ExpiresAt.Before(o.expires) {
			view.Until = momentOf(*d.ExpiresAt)
		}
		all = append(all, view)
	}
	return all
}

func (o offer) namesOf(ids []string) []string {
	var names []string
	for _, a := range o.accounts {
		if slices.Contains(ids, a.ID) {
			names = append(names, a.Name+" "+a.Number)
		}
	}
	return names
}

// A cluster is data in words that a customer uses.
type cluster struct{ Title, What string }

func clusters(d oauth.Detail) []cluster {
	var all []cluster
	for _, p := range oauth.Permissions {
		if !slices.Contains(d.Permissions, p) {
			continue
		}
		c := permissionWords[p]
		if p == oauth.ReadTransactions && d.HistoryFrom != "" {
			c.What += ", from " + dateOf(d.HistoryFrom) + " on"
		} else if p == oauth.ReadTransactions {
			c.What += ", as far back as we keep them"
		}
		all = append(all, c)
	}
	return all
}

var permissionWords = map[string]cluster{
	oauth.ReadAccounts:     {"Your account details", "name, kind, currency and number of each account"},
	oauth.ReadBalances:     {"Your balances", "how much is in each account, each time it is read"},
	oauth.ReadTransactions: {"Your transactions", "dates, amounts, and who you paid or who paid you"},
}

// deviceWords explain the scope device, which an app of the bank asks for.
var deviceWords = fact{"Be one of your devices", "show you the requests that wait for you, and answer them for you when you have said so on that device"}
