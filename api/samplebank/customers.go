package samplebank

import (
	"slices"
	"strconv"
	"strings"
)

// Name is what the bank calls itself.
const Name = "Northwind Bank"

// A Customer is somebody who can sign in at the bank. Nobody is called that.
type Customer struct {
	Subject  string // as the issuer calls the customer
	Login    string
	Password string
	Name     string
	Claims   map[string]any // further ones (OIDC-Core, Section 5.1)
	Accounts []Account
}

// Customers returns the bank's customers, the same ones each time.
func Customers() []Customer {
	joint := account("100201", "Household", "CurrentAccount", household)
	return []Customer{
		{
			Subject: "a11ce000-0000-4000-8000-000000000001", Login: "alice", Password: "alicealice", Name: "Alice Marsh",
			Claims: claims("Alice", "Marsh", "1988-03-14", "+44 7700 900101"),
			Accounts: []Account{
				account("100101", "Everyday", "CurrentAccount", alicesCurrent), account("100102", "Rainy day", "SavingsAccount", alicesSavings), joint,
			},
		},
		{
			Subject: "be000000-0000-4000-8000-000000000002", Login: "ben", Password: "benbenben", Name: "Ben Marsh",
			Claims:   claims("Ben", "Marsh", "1986-11-02", "+44 7700 900102"),
			Accounts: []Account{account("100301", "Ben's account", "CurrentAccount", bensCurrent), joint},
		},
		{
			Subject: "c41d1000-0000-4000-8000-000000000003", Login: "chidi", Password: "chidichidi", Name: "Chidi Obi",
			Claims:   claims("Chidi", "Obi", "1994-07-29", "+44 7700 900103"),
			Accounts: []Account{account("100401", "Main account", "CurrentAccount", chidisCurrent)},
		},
	}
}

func claims(given, family, born, phone string) map[string]any {
	return map[string]any{
		"given_name": given, "family_name": family, "birthdate": born, "phone_number": phone,
		"email": strings.ToLower(given) + "@customers.example", "email_verified": true,
	}
}

// An Account is an account of one or more customers.
type Account struct {
	ID       string
	Name     string
	Kind     string // "CurrentAccount", "SavingsAccount"
	Number   string // in the form of an IBAN, of a country and a bank that do not exist
	Currency string

	habits habits
}

// Masked returns the account's number as it may be shown on a page.
func (a Account) Masked() string { return "•••• " + a.Number[len(a.Number)-4:] }

func account(number, name, kind string, h habits) Account {
	return Account{"nw-" + number, name, kind, "XX" + checkDigits[number] + "NWND00000000" + number, "EUR", h}
}

// checkDigits make the numbers valid by ISO 7064, MOD 97-10.
var checkDigits = map[string]string{"100101": "93", "100102": "66", "100201": "12", "100301": "28", "100401": "44"}

// At returns the customer under the id by which another issuer of the same bank
// knows the same person: a subject belongs to one issuer. There are ten, and
// the first is 0.
func (c Customer) At(issuer int) Customer {
	c.Subject = c.Subject[:issuerDigit] + strconv.Itoa(issuer%10) + c.Subject[issuerDigit+1:]
	return c
}

// issuerDigit is where ids of the same person differ.
const issuerDigit = 34

// is reports whether a subject is the customer, at whatever issuer.
func (c Customer) is(subject string) bool {
	return len(subject) == len(c.Subject) && subject[:issuerDigit] == c.Subject[:issuerDigit] && subject[issuerDigit+1:] == c.Subject[issuerDigit+1:]
}

func accountsOf(subject string) []Account {
	for _, c := range Customers() {
		if c.is(subject) {
			return c.Accounts
		}
	}
	return nil
}

func (a Account) holders() []string {
	var names []string
	for _, c := range Customers() {
		if slices.ContainsFunc(c.Accounts, func(own Account) bool { return own.ID == a.ID }) {
			names = append(names, c.Name)
		}
	}
	return names
}
