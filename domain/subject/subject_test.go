package subject_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	. "github.com/chirograph/chirograph/domain/subject"
)

var (
	enrolled = Enrolled{Issuer: "fapi2", Name: "Alice Archer"}
	password = CredentialBound{ID: "cred-1", Kind: "password"}
	phone    = DeviceBound{ID: "dev-1", Thumbprint: "key-1"}
	auditor  = RoleGranted{Role: "auditor"}
	removed  = RoleWithdrawn{Role: "auditor"}
	hold     = HoldPlaced{Hold: "h1", Reason: "court order"}
	lifted   = HoldLifted{Hold: "h1"}
	erased   = Erased{Reason: "asked by the customer"}
)

func TestDecide(t *testing.T) {
	tests := []struct {
		name  string
		given []Event
		when  Command
		then  []Event
		err   error
	}{
		{"a customer is enrolled", nil, Enroll{enrolled}, []Event{enrolled}, nil},
		{"but only once", []Event{enrolled}, Enroll{enrolled}, nil, ErrExists},
		{"not again after erasure", []Event{enrolled, erased}, Enroll{enrolled}, nil, ErrExists},

		{"a credential is bound", []Event{enrolled}, BindCredential{CredentialBound: password}, []Event{password}, nil},
		{"what is bound need not be bound", []Event{enrolled, password}, BindCredential{CredentialBound: password}, nil, nil},
		{"but a new one can take its place", []Event{enrolled, password}, BindCredential{password, true}, []Event{password}, nil},
		{"not to nobody", nil, BindCredential{CredentialBound: password}, nil, ErrUnknown},
		{"not to who was erased", []Event{enrolled, erased}, BindCredential{CredentialBound: password}, nil, ErrErased},
		{"a device is bound", []Event{enrolled}, BindDevice{phone}, []Event{phone}, nil},
		{"not to who was erased", []Event{enrolled, erased}, BindDevice{phone}, nil, ErrErased},

		{"a role is granted", []Event{enrolled}, GrantRole{auditor}, []Event{auditor}, nil},
		{"granting it again changes nothing", []Event{enrolled, auditor}, GrantRole{auditor}, nil, nil},
		{"not a role that nobody knows", []Event{enrolled}, GrantRole{RoleGranted{Role: "root"}}, nil, ErrUnknownRole},
		{"a role is withdrawn", []Event{enrolled, auditor}, WithdrawRole{removed}, []Event{removed}, nil},
		{"withdrawing what is not there changes nothing", []Event{enrolled}, WithdrawRole{removed}, nil, nil},

		{"a hold is placed", []Event{enrolled}, PlaceHold{hold}, []Event{hold}, nil},
		{"placing it again changes nothing", []Event{enrolled, hold}, PlaceHold{hold}, nil, nil},
		{"a hold is lifted", []Event{enrolled, hold}, LiftHold{lifted}, []Event{lifted}, nil},
		{"not one that was never placed", []Event{enrolled}, LiftHold{lifted}, nil, ErrUnknownHold},
		{"nor twice", []Event{enrolled, hold, lifted}, LiftHold{lifted}, nil, ErrUnknownHold},

		{"a customer is erased", []Event{enrolled}, Erase{Erased: erased}, []Event{erased}, nil},
		{"erasing again changes nothing", []Event{enrolled, erased}, Erase{Erased: erased}, nil, nil},
		{"not under a hold", []Event{enrolled, hold}, Erase{Erased: erased}, nil, ErrHeld},
		{"nor under one of two", []Event{enrolled, hold, HoldPlaced{Hold: "h2"}, lifted}, Erase{Erased: erased}, nil, ErrHeld},
		{"but once it is lifted", []Event{enrolled, hold, lifted}, Erase{Erased: erased}, []Event{erased}, nil},
		{"not while consents are active", []Event{enrolled}, Erase{Erased: erased, ActiveConsents: 1}, nil, ErrActiveConsent},
		{"not who was never enrolled", nil, Erase{Erased: erased}, nil, ErrUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := after(tt.given).Decide(tt.when)
			if !errors.Is(err, tt.err) || !reflect.DeepEqual(got, tt.then) {
				t.Errorf("got %v, %v; want %v, %v", got, err, tt.then, tt.err)
			}
		})
	}
}

func after(events []Event) (s State) {
	for _, e := range events {
		s = s.Evolve(e)
	}
	return s
}

func TestErased(t *testing.T) {
	s := after([]Event{enrolled, auditor})
	if s.Name() != "Alice Archer" || !s.Has("auditor") || !s.Active() {
		t.Errorf("got %+v of an enrolled subject", s)
	}
	s = s.Evolve(erased)
	if s.Name() != "" || s.Has("auditor") || s.Active() || !s.Exists() {
		t.Errorf("got %+v of an erased subject", s)
	}
}

// A state is a value: what follows from it leaves it as it was.
func TestEvolveSharesNothing(t *testing.T) {
	s := after([]Event{enrolled, auditor, hold})
	s.Evolve(removed)
	s.Evolve(lifted)
	s.Evolve(RoleGranted{Role: "admin"})
	if !slices.Equal(s.Roles(), []string{"auditor"}) || !s.Held() {
		t.Errorf("got roles %v and held %v", s.Roles(), s.Held())
	}
}

// Whatever is asked, in whatever order: nobody is erased under a hold, and
// nothing happens to who was erased.
func FuzzHistory(f *testing.F) {
	anything := []Command{
		Enroll{enrolled}, BindCredential{CredentialBound: password}, BindDevice{phone}, GrantRole{auditor}, WithdrawRole{removed},
		PlaceHold{hold}, PlaceHold{HoldPlaced{Hold: "h2"}}, LiftHold{lifted}, LiftHold{HoldLifted{Hold: "h2"}},
		Erase{Erased: erased}, Erase{Erased: erased, ActiveConsents: 1},
	}
	f.Add([]byte{0, 5, 6, 9, 7, 9, 8, 10, 9, 1, 3, 5})
	f.Fuzz(func(t *testing.T, script []byte) {
		var s State
		for _, b := range script {
			cmd := anything[int(b)%len(anything)]
			events, err := s.Decide(cmd)
			if err != nil && len(events) > 0 {
				t.Fatal("refused and yet something happened")
			}
			if len(events) > 0 && s.Erased() {
				t.Fatalf("%T changed an erased subject", cmd)
			}
			held := s.Held()
			for _, e := range events {
				s = s.Evolve(e)
			}
			if s.Erased() && (held || s.Name() != "" || s.Has("auditor")) {
				t.Fatal("erased under a hold, or not wholly")
			}
		}
	})
}
