package login

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
)

// ErrNoCustomer means that the directory has no such subject.
var ErrNoCustomer = errors.New("login: no such customer")

// A Customer is what the bank tells about one of its customers.
type Customer struct {
	Subject  string         `json:"-"`
	Realm    string         `json:"realm"` // issuer id
	Name     string         `json:"name"`
	Email    string         `json:"email,omitempty"`
	Claims   map[string]any `json:"claims,omitempty"` // further ones (OpenID Connect Core, Section 5.1)
	Accounts []Account      `json:"accounts,omitempty"`
}

// An Account is what a customer sees of one of their accounts when they choose
// what to share.
type Account struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Number   string `json:"number"` // masked, as in "•••• 4321"
	Kind     string `json:"kind"`   // e.g. "CurrentAccount"
	Currency string `json:"currency"`
}

// maxCustomer bounds one record of the directory.
const maxCustomer = 64 << 10

// PutCustomer enters a customer in the directory or replaces the record.
// Putting the same again writes nothing.
func (s *Store) PutCustomer(ctx context.Context, c Customer) error {
	if err := named(c.Subject, c.Realm); err != nil {
		return err
	}
	record, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("login: put customer %s: %w", c.Subject, err)
	}
	if len(record) > maxCustomer {
		return fmt.Errorf("login: the record of customer %s has more than %d bytes", c.Subject, maxCustomer)
	}
	old, err := s.record(ctx, c.Subject)
	if err == nil && bytes.Equal(old, record) {
		return nil
	}
	if err != nil && !errors.Is(err, ErrNoCustomer) {
		return err
	}
	sealed, err := s.seal(ctx, "customer", c.Subject, record)
	if err != nil {
		return fmt.Errorf("login: put customer %s: %w", c.Subject, err)
	}
	_, err = s.db.Exec(ctx, `
		INSERT INTO customers (subject, record) VALUES (?, ?)
		ON CONFLICT (subject) DO UPDATE SET record = excluded.record`, c.Subject, sealed)
	return err
}

// Customer returns the record of a subject, [ErrNoCustomer] if there is none,
// or eventstore.ErrErased if its key was destroyed.
func (s *Store) Customer(ctx context.Context, subject string) (Customer, error) {
	record, err := s.record(ctx, subject)
	if err != nil {
		return Customer{}, err
	}
	c := Customer{Subject: subject}
	if err := json.Unmarshal(record, &c); err != nil {
		return Customer{}, fmt.Errorf("login: the record of customer %s: %w", subject, err)
	}
	return c, nil
}

func (s *Store) record(ctx context.Context, subject string) ([]byte, error) {
	var sealed []byte
	err := s.db.QueryRow(ctx, `SELECT record FROM customers WHERE subject = ?`, subject).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoCustomer
	}
	if err == nil {
		sealed, err = s.open(ctx, "customer", subject, sealed)
	}
	if err != nil {
		return nil, fmt.Errorf("login: read customer %s: %w", subject, err)
	}
	return sealed, nil
}

// Accounts returns the accounts of a subject, as [Store.Customer] does.
func (s *Store) Accounts(ctx context.Context, subject string) ([]Account, error) {
	c, err := s.Customer(ctx, subject)
	return c.Accounts, err
}

// Claims returns what the bank tells about a subject under the registered
// names of OpenID Connect Core, Section 5.1, without "sub".
func (s *Store) Claims(ctx context.Context, subject string) (map[string]any, error) {
	c, err := s.Customer(ctx, subject)
	if err != nil {
		return nil, err
	}
	claims := maps.Clone(c.Claims)
	if claims == nil {
		claims = map[string]any{}
	}
	delete(claims, "sub") // the issuer's to say
	for name, value := range map[string]string{"name": c.Name, "email": c.Email} {
		if value != "" {
			claims[name] = value
		}
	}
	return claims, nil
}
