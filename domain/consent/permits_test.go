package consent_test

import (
	"reflect"
	"testing"
	"time"

	. "github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/oauth"
)

func TestPermits(t *testing.T) {
	balances, transactions := oauth.ReadBalances, oauth.ReadTransactions
	morning := noon.Add(-3 * time.Hour)
	short := oauth.Detail{Permissions: []string{transactions}, Accounts: []string{"GB01"}, ExpiresAt: &morning}
	both := by(func(e *Authorized) { e.Details = []oauth.Detail{balance, short} })

	tests := []struct {
		name                string
		given               []Event
		permission, account string
		at                  time.Time
		want                bool
	}{
		{"what was granted is permitted", []Event{yes}, balances, "GB01", before, true},
		{"on some account as well", []Event{yes}, balances, "", before, true},
		{"on no other account", []Event{yes}, balances, "GB02", before, false},
		{"and nothing else", []Event{yes}, transactions, "GB01", before, false},
		{"not at the expiry or later", []Event{yes}, balances, "GB01", noon, false},
		{"nor before anybody said yes", []Event{lodged}, balances, "", before, false},
		{"nor while suspended", []Event{yes, paused}, balances, "GB01", before, false},
		{"but again after that", []Event{yes, paused, again}, balances, "GB01", before, true},
		{"nor once used up", []Event{yes, Consumed{}}, balances, "GB01", before, false},
		{"nor once replaced", []Event{yes, replaced}, balances, "GB01", before, false},
		{"nor once withdrawn", []Event{yes, stop}, balances, "GB01", before, false},
		{"one part may end sooner", []Event{both}, transactions, "GB01", morning.Add(-1), true},
		{"and then permits nothing", []Event{both}, transactions, "GB01", morning, false},
		{"while the other still does", []Event{both}, balances, "GB01", morning, true},
		{"an amendment replaces what was granted", []Event{both, changed}, transactions, "GB01", morning.Add(-1), false},
		{"a part without an account permits nothing", []Event{by(func(e *Authorized) { e.Details = []oauth.Detail{nowhere} })}, balances, "", before, false},
		{"erasure leaves nothing to permit", []Event{by(func(e *Authorized) { e.Details = nil })}, balances, "", before, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := after(tt.given)
			if got := s.Permits(tt.permission, tt.account, tt.at); got != tt.want {
				t.Errorf("Permits(%s, %q) = %v", tt.permission, tt.account, got)
			}
			if tt.want && !s.Alive(tt.at) {
				t.Error("a consent permits something and is not alive")
			}
		})
	}
}

func TestAccounts(t *testing.T) {
	morning := noon.Add(-3 * time.Hour)
	s := after([]Event{by(func(e *Authorized) {
		e.Details = []oauth.Detail{
			{Permissions: []string{oauth.ReadBalances}, Accounts: []string{"GB02", "GB01"}},
			{Permissions: []string{oauth.ReadBalances, oauth.ReadAccounts}, Accounts: []string{"GB01"}},
			{Permissions: []string{oauth.ReadBalances}, Accounts: []string{"GB03"}, ExpiresAt: &morning},
		}
	})})
	if got, want := s.Accounts(oauth.ReadBalances, before), []string{"GB01", "GB02"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := s.Accounts(oauth.ReadBalances, noon); got != nil {
		t.Errorf("got %v of an expired consent", got)
	}
}

func TestHistoryFrom(t *testing.T) {
	morning := noon.Add(-3 * time.Hour)
	granted := func(from string, ends *time.Time) oauth.Detail {
		return oauth.Detail{Permissions: []string{oauth.ReadTransactions}, Accounts: []string{"GB01"}, HistoryFrom: from, ExpiresAt: ends}
	}
	tests := []struct {
		name    string
		details []oauth.Detail
		want    string
	}{
		{"the granted day", []oauth.Detail{granted("2025-06-01", nil)}, "2025-06-01"},
		{"the earlier of two", []oauth.Detail{granted("2025-06-01", nil), granted("2025-01-01", nil)}, "2025-01-01"},
		{"no limit is earlier than any day", []oauth.Detail{granted("2025-06-01", nil), granted("", nil)}, ""},
		{"a part that has ended does not count", []oauth.Detail{granted("", &morning), granted("2025-06-01", nil)}, "2025-06-01"},
		{"nor does another permission", []oauth.Detail{balance, granted("2025-06-01", nil)}, "2025-06-01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := after([]Event{by(func(e *Authorized) { e.Details = tt.details })})
			if got := s.HistoryFrom("GB01", before); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAuthentication(t *testing.T) {
	first := by(func(e *Authorized) { e.ACR, e.AuthTime = "password", noon.Add(-time.Hour) })
	if acr, at := after([]Event{first}).Authentication(); acr != "password" || !at.Equal(first.AuthTime) {
		t.Errorf("got %s, %s", acr, at)
	}
	if acr, at := after([]Event{first, again}).Authentication(); acr != "sca" || !at.Equal(before) {
		t.Errorf("got %s, %s after reauthentication", acr, at)
	}
}
