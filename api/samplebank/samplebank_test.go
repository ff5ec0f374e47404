package samplebank

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/oauth"
)

var now = time.Date(2026, 5, 4, 12, 30, 0, 0, time.UTC)

const (
	alice = "a11ce000-0000-4000-8000-000000000001"
	ben   = "be000000-0000-4000-8000-000000000002"
)

// A consent checks any token as one that stands on it.
type consent struct {
	subject  string
	covers   map[string][]string // accounts by permission
	from     string
	recorded *[]resource.Access
}

func (c consent) Check(context.Context, resource.Presented) (resource.Pass, error) { return c, nil }
func (c consent) Nonce() string                                                    { return "" }
func (c consent) Algorithms() []string                                             { return nil }
func (c consent) Accounts(permission string) []string                              { return c.covers[permission] }
func (c consent) HistoryFrom(string) string                                        { return c.from }
func (c consent) Record(_ context.Context, a resource.Access) error {
	*c.recorded = append(*c.recorded, a)
	return nil
}
func (c consent) Grant() resource.Grant {
	if c.subject == "" {
		return resource.Grant{Client: "c1"}
	}
	return resource.Grant{Client: "c1", Subject: c.subject, Consent: "k1"}
}
func (c consent) Permits(permission, account string) bool {
	return account == "" && len(c.covers[permission]) > 0 || slices.Contains(c.covers[permission], account)
}

// get asks the bank under a consent, and returns what was recorded too.
func (c consent) get(target string) (*httptest.ResponseRecorder, []resource.Access) {
	var recorded []resource.Access
	c.recorded = &recorded
	server := &resource.Server{
		Checker: c, URLs: resource.At("https://bank.example"), Now: func() time.Time { return now },
		Certificate: func(*http.Request) (*oauth.Certificate, error) { return nil, nil },
		Log:         slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", target, nil)
	r.Header.Set("Authorization", "Bearer token")
	bank := Bank{Now: func() time.Time { return now }}
	if base, _, _ := strings.Cut(target[1:], "/"); "/"+base != Path {
		bank.Path = "/" + base
	}
	bank.Handler(server).ServeHTTP(w, r)
	return w, recorded
}

func all(subject string, accounts ...string) consent {
	return consent{subject: subject, covers: map[string][]string{
		oauth.ReadAccounts: accounts, oauth.ReadBalances: accounts, oauth.ReadTransactions: accounts,
	}}
}

func TestWhoSeesWhat(t *testing.T) {
	balancesOnly := consent{subject: alice, covers: map[string][]string{oauth.ReadBalances: {"nw-100101"}}}
	tests := []struct {
		name     string
		consent  consent
		target   string
		status   int
		accounts []string // recorded
	}{
		{"the list has the accounts of the consent", all(alice, "nw-100101", "nw-100201"), "/bank/accounts", 200, []string{"nw-100101", "nw-100201"}},
		{"and none that is not the customer's own", all(alice, "nw-100101", "nw-100401"), "/bank/accounts", 200, []string{"nw-100101"}},
		{"a joint account is shared by either holder", all(ben, "nw-100201"), "/bank/accounts", 200, []string{"nw-100201"}},
		{"one account can be read", all(alice, "nw-100101"), "/bank/accounts/nw-100101", 200, []string{"nw-100101"}},
		{"its balances too", all(alice, "nw-100101"), "/bank/accounts/nw-100101/balances", 200, []string{"nw-100101"}},
		{"and its transactions", all(alice, "nw-100101"), "/bank/accounts/nw-100101/transactions", 200, []string{"nw-100101"}},
		{"the customer's other account cannot", all(alice, "nw-100101"), "/bank/accounts/nw-100102", 403, nil},
		{"nor its balances", all(alice, "nw-100101"), "/bank/accounts/nw-100102/balances", 403, nil},
		{"nor its transactions", all(alice, "nw-100101"), "/bank/accounts/nw-100102/transactions", 403, nil},
		{"nor an account of somebody else that got into the consent", all(alice, "nw-100401"), "/bank/accounts/nw-100401", 403, nil},
		{"nor its balances either", all(alice, "nw-100401"), "/bank/accounts/nw-100401/balances", 403, nil},
		{"nor its transactions either", all(alice, "nw-100401"), "/bank/accounts/nw-100401/transactions", 403, nil},
		{"nor an account that does not exist", all(alice, "nw-0"), "/bank/accounts/nw-0", 403, nil},
		{"balances alone open balances", balancesOnly, "/bank/accounts/nw-100101/balances", 200, []string{"nw-100101"}},
		{"but not the account", balancesOnly, "/bank/accounts/nw-100101", 403, nil},
		{"nor the list", balancesOnly, "/bank/accounts", 403, nil},
		{"nor transactions", balancesOnly, "/bank/accounts/nw-100101/transactions", 403, nil},
		{"a client by itself may ask whether the bank is open", consent{}, "/bank/status", 200, nil},
		{"but not about accounts", consent{covers: all("", "nw-100101").covers}, "/bank/accounts", 403, nil},
		{"the same person at another issuer sees the same accounts, where that issuer's tokens count",
			all("a11ce000-0000-4000-8000-000000000011", "nw-100101"), "/other/accounts", 200, []string{"nw-100101"}},
		{"and nobody else's", all("a11ce000-0000-4000-8000-000000000012", "nw-100101"), "/other/accounts", 200, nil},
		{"there is nothing else", all(alice, "nw-100101"), "/bank/cards", 404, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, recorded := tt.consent.get(tt.target)
			if w.Code != tt.status {
				t.Fatalf("got %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if tt.status == 404 {
				return
			}
			if len(recorded) != 1 || recorded[0].Result != tt.status || !reflect.DeepEqual(recorded[0].Accounts, tt.accounts) {
				t.Errorf("recorded %+v", recorded)
			}
			if strings.Contains(recorded[0].Route, "nw-") {
				t.Errorf("the route %q has an account", recorded[0].Route)
			}
		})
	}
}

func TestTransactionsOfAPeriod(t *testing.T) {
	tests := []struct {
		name, from, query string
		status            int
		first, last       string // of the period in the response
	}{
		{"without a limit there are 13 months", "", "", 200, "2025-04-04", "2026-05-04"},
		{"the consent may begin later", "2026-03-10", "", 200, "2026-03-10", "2026-05-04"},
		{"an earlier question is answered from there", "2026-03-10", "?from=2025-06-01", 200, "2026-03-10", "2026-05-04"},
		{"a later one from where it says", "2026-03-10", "?from=2026-04-01&to=2026-04-10", 200, "2026-04-01", "2026-04-10"},
		{"there is nothing from the future", "", "?to=2030-01-01", 200, "2025-04-04", "2026-05-04"},
		{"nor from before the bank's memory", "2019-01-01", "?from=2019-01-01", 200, "2025-04-04", "2026-05-04"},
		{"a period before the consent's is empty", "2026-03-10", "?to=2026-02-01", 200, "2026-03-10", "2026-02-01"},
		{"so is one that has not come", "", "?from=2030-01-01", 200, "2030-01-01", "2026-05-04"},
		{"a period that ends before it begins is refused", "", "?from=2026-02-02&to=2026-02-01", 400, "", ""},
		{"a date must be one", "", "?from=yesterday", 400, "", ""},
		{"and exist", "", "?to=2026-02-30", 400, "", ""},
		{"and be asked for once", "", "?from=2026-02-01&from=2026-02-02", 400, "", ""},
		{"the query must be well-formed", "", "?from=%zz", 400, "", ""},
		{"a limit that cannot be read opens nothing", "soon", "", 500, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := all(alice, "nw-100101")
			c.from = tt.from
			w, _ := c.get("/bank/accounts/nw-100101/transactions" + tt.query)
			var got struct {
				From, To     string
				Transactions []struct {
					Booked string `json:"booked_on"`
					Amount string `json:"amount"`
				}
			}
			if w.Code != tt.status || json.Unmarshal(w.Body.Bytes(), &got) != nil || got.From != tt.first || got.To != tt.last {
				t.Fatalf("got %d from %s to %s, want %d from %s to %s: %.200s", w.Code, got.From, got.To, tt.status, tt.first, tt.last, w.Body)
			}
			for _, one := range got.Transactions {
				if one.Booked < tt.first || one.Booked > tt.last {
					t.Errorf("a transaction of %s is not in the period", one.Booked)
				}
			}
		})
	}
}
