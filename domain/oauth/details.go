package oauth

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// AccountInformation is the authorization details type of account access
// (RFC 9396, Section 2).
const AccountInformation = "account_information"

// Permissions of [AccountInformation].
const (
	ReadAccounts     = "ReadAccounts"
	ReadBalances     = "ReadBalances"
	ReadTransactions = "ReadTransactions"
)

// Permissions lists what a client can ask for about an account.
var Permissions = []string{ReadAccounts, ReadBalances, ReadTransactions}

// A Detail is one element of authorization_details of type
// [AccountInformation]. As asked, Accounts may be empty: the customer chooses.
// As granted, Accounts are the chosen ones.
type Detail struct {
	Type        string     `json:"type"`
	Locations   []string   `json:"locations,omitempty"`
	Permissions []string   `json:"permissions"`
	Accounts    []string   `json:"accounts,omitempty"`
	HistoryFrom string     `json:"history_from,omitempty"` // first day of transactions, YYYY-MM-DD
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`   // end of access, RFC 3339
	Purpose     string     `json:"purpose,omitempty"`      // as the client puts it
}

// Limits of authorization_details.
const (
	maxDetailCount = 8
	maxAccounts    = 64
	maxPurpose     = 140
)

// ParseDetails reads authorization_details. An unknown type or member, a wrong
// value or a missing member is refused (RFC 9396, Section 5).
func ParseDetails(raw string) ([]Detail, error) {
	if raw == "" {
		return nil, nil
	}
	var types []struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal([]byte(raw), &types); err != nil || len(types) == 0 || len(types) > maxDetailCount {
		return nil, badDetail("authorization_details must be a JSON array of 1 to 8 objects")
	}
	for _, t := range types {
		if t.Type != AccountInformation {
			return nil, badDetail("authorization_details has an unknown type")
		}
	}
	if !exactMembers(raw) {
		return nil, badDetail("authorization_details has an unknown or a repeated member")
	}
	var details []Detail
	if err := json.Unmarshal([]byte(raw), &details); err != nil {
		return nil, badDetail("authorization_details has a value of the wrong type")
	}
	for _, d := range details {
		if err := d.check(); err != nil {
			return nil, err
		}
	}
	return details, nil
}

// members are those of a [Detail].
var members = []string{"type", "locations", "permissions", "accounts", "history_from", "expires_at", "purpose"}

// exactMembers reports whether every object of a JSON array of objects has
// known members only, each once. The decoder by itself would take "TYPE" for
// "type" and the last of two, where another reader of the same bytes may take
// the first.
func exactMembers(array string) bool {
	d := json.NewDecoder(strings.NewReader(array))
	d.Token() // [
	for d.More() {
		var seen []string
		d.Token() // {
		for d.More() {
			name, _ := d.Token()
			member, _ := name.(string)
			if !slices.Contains(members, member) || slices.Contains(seen, member) {
				return false
			}
			seen = append(seen, member)
			var value json.RawMessage
			if d.Decode(&value) != nil {
				return false
			}
		}
		d.Token() // }
	}
	return true
}

func badDetail(description string) error {
	return Refuse(InvalidAuthorizationDetails, "RFC 9396 §5", description)
}

func (d Detail) check() error {
	_, dateErr := time.Parse(time.DateOnly, d.HistoryFrom)
	unknown := slices.ContainsFunc(d.Permissions, func(p string) bool { return !slices.Contains(Permissions, p) })
	badLocation := slices.ContainsFunc(d.Locations, func(l string) bool { return !absoluteHTTPS(l) || len(l) > maxURI })
	badAccount := slices.ContainsFunc(d.Accounts, func(a string) bool { return a == "" || len(a) > 64 || !printable(a) })
	switch {
	case len(d.Permissions) == 0:
		return badDetail("permissions is required")
	case unknown || len(d.Permissions) > len(Permissions):
		return badDetail("permissions has an unknown or a repeated value")
	case len(d.Accounts) > maxAccounts || badAccount:
		return badDetail("accounts must be at most 64 account ids")
	case d.HistoryFrom != "" && dateErr != nil:
		return badDetail("history_from must be a date, YYYY-MM-DD")
	case len(d.Locations) > maxResource || badLocation:
		return badDetail("locations must be at most 8 https URIs")
	case len(d.Purpose) > maxPurpose || !printable(d.Purpose):
		return badDetail("purpose must be at most 140 printable characters without markup")
	}
	return nil
}

func checkDetails(r AuthorizationRequest, c Client, s Server) error {
	details, err := ParseDetails(r.AuthorizationDetails)
	if err != nil || details == nil {
		return err
	}
	registered := len(c.DetailTypes) == 0 || slices.Contains(c.DetailTypes, AccountInformation)
	past := slices.ContainsFunc(details, func(d Detail) bool { return d.ExpiresAt != nil && !s.Now.Before(*d.ExpiresAt) })
	return first(
		refusal(!registered, InvalidAuthorizationDetails, "RFC 9396 §10", "the client is not registered for this type of authorization_details"),
		refusal(past, InvalidAuthorizationDetails, "RFC 9396 §5", "expires_at has passed"),
	)
}

// Narrower reports whether every asked detail is covered by a granted one, so
// that a token request may have it (RFC 9396, Section 6).
func Narrower(asked, granted []Detail) bool {
	covered := func(a Detail) bool {
		return slices.ContainsFunc(granted, func(g Detail) bool {
			return a.Type == g.Type && within(a.Permissions, g.Permissions) && within(a.Accounts, g.Accounts) &&
				a.HistoryFrom >= g.HistoryFrom && !later(a.ExpiresAt, g.ExpiresAt) && placed(a.Locations, g.Locations)
		})
	}
	return !slices.ContainsFunc(asked, func(a Detail) bool { return !covered(a) })
}

func within(some, all []string) bool {
	return !slices.ContainsFunc(some, func(v string) bool { return !slices.Contains(all, v) })
}

// later compares ends of access; nil is no end.
func later(a, b *time.Time) bool { return b != nil && (a == nil || a.After(*b)) }

// placed compares locations; none is everywhere.
func placed(asked, granted []string) bool {
	return len(granted) == 0 || len(asked) > 0 && within(asked, granted)
}
