package login

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/eventstore"
)

var ada = Customer{
	Subject: "c-1", Realm: "fapi2", Name: "Ada Alleyne", Email: "ada@example.com",
	Claims: map[string]any{"email_verified": true, "sub": "forged", "name": "Somebody Else"},
	Accounts: []Account{
		{ID: "a-1", Name: "Everyday", Number: "•••• 4321", Kind: "CurrentAccount", Currency: "EUR"},
		{ID: "a-2", Name: "Rainy day", Number: "•••• 8765", Kind: "Savings", Currency: "EUR"},
	},
}

func testCustomers(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	must(t, s.PutCustomer(ctx, ada))

	t.Run("a record is read as it was put", func(t *testing.T) {
		if got, err := s.Customer(ctx, "c-1"); err != nil || !reflect.DeepEqual(got, ada) {
			t.Errorf("got %+v, %v", got, err)
		}
		if got, err := s.Accounts(ctx, "c-1"); err != nil || !reflect.DeepEqual(got, ada.Accounts) {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("claims have their registered names and no subject", func(t *testing.T) {
		want := map[string]any{"name": "Ada Alleyne", "email": "ada@example.com", "email_verified": true}
		if got, err := s.Claims(ctx, "c-1"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("the tables do not show it", func(t *testing.T) {
		for _, secret := range []string{"Alleyne", "ada@", "4321", "Rainy"} {
			if bytes.Contains(rows(t, s), []byte(secret)) {
				t.Errorf("%s lies open", secret)
			}
		}
	})
	t.Run("putting it again writes nothing", func(t *testing.T) {
		before := version(t, s)
		must(t, s.PutCustomer(ctx, ada))
		if version(t, s) != before {
			t.Error("it was written")
		}
	})
	t.Run("putting another replaces it", func(t *testing.T) {
		moved := ada
		moved.Accounts = ada.Accounts[:1]
		must(t, s.PutCustomer(ctx, moved))
		if got, err := s.Accounts(ctx, "c-1"); err != nil || len(got) != 1 {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("a stranger has no record", func(t *testing.T) {
		if _, err := s.Claims(ctx, "c-9"); !errors.Is(err, ErrNoCustomer) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a record is bounded", func(t *testing.T) {
		if s.PutCustomer(ctx, Customer{Subject: "c-2", Realm: "fapi2", Name: strings.Repeat("x", maxCustomer)}) == nil {
			t.Error("it was put")
		}
	})
	t.Run("a record moved to another customer does not open", func(t *testing.T) {
		_, err := s.db.Exec(ctx, `UPDATE customers SET subject = 'c-3'`)
		must(t, err)
		if _, err := s.Customer(ctx, "c-3"); !errors.Is(err, errTampered) {
			t.Errorf("got %v", err)
		}
	})
}

// version returns the stored bytes, which differ each time they are sealed.
func version(t *testing.T, s *Store) string {
	t.Helper()
	var record []byte
	must(t, s.db.QueryRow(ctx, "SELECT record FROM customers").Scan(&record))
	return string(record)
}

func testErase(t *testing.T, e engine) {
	s, keys := newStore(t, e)
	ben := Customer{Subject: "c-2", Realm: "fapi2", Name: "Ben"}
	must(t, s.PutCustomer(ctx, ada))
	must(t, s.PutCustomer(ctx, ben))
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "ada", "open sesame"))
	must(t, s.SetPassword(ctx, "fapi2", "c-2", "ben", "open sesame"))
	cookie, _, err := s.Start(ctx, alice, noon)
	must(t, err)

	for range 2 { // again changes nothing
		must(t, s.Erase(ctx, "c-1"))
	}
	if _, err := s.Customer(ctx, "c-1"); !errors.Is(err, ErrNoCustomer) {
		t.Errorf("record: %v", err)
	}
	if _, err := s.Subject(ctx, "fapi2", "ada"); !errors.Is(err, ErrWrong) {
		t.Errorf("name: %v", err)
	}
	if _, err := s.Find(ctx, "fapi2", cookie, noon); !errors.Is(err, ErrNoSession) {
		t.Errorf("session: %v", err)
	}
	if got, err := s.Check(ctx, "fapi2", "ben", "open sesame", home, noon); got != "c-2" || err != nil {
		t.Errorf("another customer: %q, %v", got, err)
	}
	if got, err := s.Customer(ctx, "c-2"); err != nil || got.Name != "Ben" {
		t.Errorf("another customer: %+v, %v", got, err)
	}

	keys.erase("c-2")
	if _, err := s.Customer(ctx, "c-2"); !errors.Is(err, eventstore.ErrErased) {
		t.Errorf("a record whose key is gone: %v", err)
	}
	if err := s.PutCustomer(ctx, ben); !errors.Is(err, eventstore.ErrErased) {
		t.Errorf("a new record under a key that is gone: %v", err)
	}
}
