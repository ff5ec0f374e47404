package event_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	. "github.com/chirograph/chirograph/domain/event"
)

type opened struct {
	Owner    string   `json:"sub"`
	Accounts []string `json:"accounts,omitempty"`
}

type (
	openedV1 struct{ Account string }
	openedV2 struct {
		Subject string `json:"subject"`
		Account string `json:"account"`
	}
)

var accountOpened = Type[opened]{
	Name:   "account.opened",
	Sealed: []string{"accounts"},
	Past: []Upcaster{
		Upcast(func(v1 openedV1) openedV2 { return openedV2{"unknown", v1.Account} }),
		Upcast(func(v2 openedV2) opened { return opened{v2.Subject, []string{v2.Account}} }),
	},
	Audit: func(e opened, n Names) string { return n.Subject(e.Owner) + " opened an account" },
}

func TestDecode(t *testing.T) {
	r := NewRegistry([]Declaration{accountOpened})
	tests := []struct {
		name, event string
		version     int
		data        string
		want        any // nil if refused
	}{
		{"today's form is read as it is", "account.opened", 3, `{"sub":"alice","accounts":["GB01"]}`, opened{"alice", []string{"GB01"}}},
		{"the one before is lifted once", "account.opened", 2, `{"subject":"alice","account":"GB01"}`, opened{"alice", []string{"GB01"}}},
		{"the first one twice", "account.opened", 1, `{"Account":"GB01"}`, opened{"unknown", []string{"GB01"}}},
		{"an erased field is empty", "account.opened", 3, `{"sub":"alice"}`, opened{Owner: "alice"}},
		{"a version of tomorrow is refused", "account.opened", 4, `{"sub":"alice"}`, nil},
		{"and one of never", "account.opened", 0, `{"sub":"alice"}`, nil},
		{"and an undeclared name", "account.closed", 1, `{}`, nil},
		{"and what is no JSON", "account.opened", 3, `{`, nil},
		{"of any version", "account.opened", 1, `{`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := r.Decode(tt.event, tt.version, json.RawMessage(tt.data))
			if (err == nil) != (tt.want != nil) || err == nil && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func TestEncodeSetsSealedFieldsApart(t *testing.T) {
	r := NewRegistry([]Declaration{accountOpened})
	e := opened{"alice", []string{"GB01"}}
	s, err := r.Encode(e)
	if err != nil || s.Name != "account.opened" || s.Version != 3 {
		t.Fatalf("got %+v, %v", s, err)
	}
	if string(s.Data) != `{"sub":"alice"}` {
		t.Errorf("a sealed field is in the open: %s", s.Data)
	}
	if len(s.Sealed) != 1 || s.Sealed[0].Name != "accounts" || string(s.Sealed[0].Value) != `["GB01"]` {
		t.Errorf("got %v to seal", s.Sealed)
	}
	if e.Accounts == nil {
		t.Error("the caller's event was changed")
	}
	if s, _ = r.Encode(opened{Owner: "alice"}); len(s.Sealed) != 0 {
		t.Errorf("got %v to seal of an event that has nothing personal", s.Sealed)
	}
	if _, err := r.Encode(struct{}{}); err == nil {
		t.Error("an undeclared event was encoded")
	}
}

// A field may come from an embedded struct.
func TestEncodeFindsPromotedFields(t *testing.T) {
	type person struct {
		Name string `json:"name,omitempty"`
	}
	type enrolled struct {
		person
		Issuer string    `json:"iss"`
		Born   time.Time `json:"birthdate,omitzero"`
	}
	r := NewRegistry([]Declaration{Type[enrolled]{Name: "e", Sealed: []string{"birthdate"}}})
	s, err := r.Encode(enrolled{person{"Alice"}, "fapi2", time.Unix(1, 0).UTC()})
	if err != nil || string(s.Data) != `{"name":"Alice","iss":"fapi2"}` || len(s.Sealed) != 1 {
		t.Errorf("got %s and %v, %v", s.Data, s.Sealed, err)
	}
}

// So may the first field there is.
func TestEncodeSealsTheFirstField(t *testing.T) {
	type enrolled struct {
		Name string `json:"name,omitempty"`
	}
	r := NewRegistry([]Declaration{Type[enrolled]{Name: "e", Sealed: []string{"name"}}})
	if s, err := r.Encode(enrolled{"Alice"}); err != nil || string(s.Data) != "{}" || len(s.Sealed) != 1 {
		t.Errorf("got %s and %v, %v", s.Data, s.Sealed, err)
	}
}

func TestRegistryPanics(t *testing.T) {
	type always struct {
		Name string `json:"name"`
	}
	type never struct {
		Since time.Time `json:"since,omitempty"` // written even when zero
	}
	tests := []struct {
		name  string
		lists [][]Declaration
		want  string
	}{
		{"a name declared twice", [][]Declaration{{Type[opened]{Name: "a"}}, {Type[always]{Name: "a"}}}, "declared twice"},
		{"a Go type declared twice", [][]Declaration{{Type[opened]{Name: "a"}, Type[opened]{Name: "b"}}}, "declared twice"},
		{"a sealed field that is written when empty", [][]Declaration{{Type[always]{Name: "a", Sealed: []string{"name"}}}}, "to seal"},
		{"a sealed struct that omitempty writes", [][]Declaration{{Type[never]{Name: "a", Sealed: []string{"since"}}}}, "to seal"},
		{"a sealed field that is not there", [][]Declaration{{Type[opened]{Name: "a", Sealed: []string{"iban"}}}}, "to seal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, tt.want) {
					t.Errorf("panicked with %q, want %q", text, tt.want)
				}
			}()
			NewRegistry(tt.lists...)
		})
	}
}

type ids struct{}

func (ids) Client(id string) string  { return id }
func (ids) Subject(id string) string { return "the customer " + id }

func TestRows(t *testing.T) {
	type read struct{}
	r := NewRegistry([]Declaration{Type[read]{Name: "data.read", Class: Traffic}}, []Declaration{accountOpened})
	want := []Row{
		{"account.opened", 3, Evidence, []string{"accounts"}, reflect.TypeFor[opened]()},
		{"data.read", 1, Traffic, nil, reflect.TypeFor[read]()},
	}
	if got := r.Rows(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := r.NameOf(opened{}); got != "account.opened" {
		t.Errorf("got name %s", got)
	}
	if got := r.Audit(opened{Owner: "alice"}, ids{}); got != "the customer alice opened an account" {
		t.Errorf("got sentence %q", got)
	}
	if Evidence.String() != "evidence" || Traffic.String() != "traffic" {
		t.Error("a class must print as its name")
	}
}

// Who, from where and with what browser is sealed; all else is in the open.
func TestMetaType(t *testing.T) {
	r := NewRegistry([]Declaration{MetaType})
	s, err := r.Encode(Meta{Issuer: "fapi2", Actor: ActorCustomer, Session: "s", Address: "192.0.2.1", UserAgent: "curl"})
	if err != nil || string(s.Data) != `{"iss":"fapi2","actor":"customer"}` {
		t.Errorf("got %s, %v", s.Data, err)
	}
	var names []string
	for _, f := range s.Sealed {
		names = append(names, f.Name)
	}
	if !reflect.DeepEqual(names, []string{"session", "address", "user_agent"}) {
		t.Errorf("sealed %v", names)
	}
}
