package client_test

import (
	"errors"
	"reflect"
	"runtime"
	"strconv"
	"testing"

	. "github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/oauth"
)

var (
	registered = Registered{Issuer: "fapi2", Metadata: oauth.ClientMetadata{ClientName: "Budgetly"}, Management: "digest", Via: "registration"}
	renamed    = Updated{Metadata: oauth.ClientMetadata{ClientName: "Budgetly 2"}, Via: "registration"}
	same       = Updated{Metadata: registered.Metadata, Via: "operator"}
	restated   = Updated{Metadata: registered.Metadata, Body: `{"client_name":"Budgetly"}`, Via: "registration"}
	key        = KeySeen{Thumbprint: "key-1", JWK: []byte(`{"kty":"EC"}`), Source: "registration"}
	paused     = Suspended{Reason: "complaints"}
	back       = Reinstated{Reason: "resolved"}
	gone       = Deleted{By: "client"}
	flag       = Flagged{Backchannel: "b1", Reason: "not me"}
	another    = Flagged{Backchannel: "b2", Reason: "not me"}
)

func TestDecide(t *testing.T) {
	tests := []struct {
		name  string
		given []Event
		when  Command
		then  []Event
		err   error
	}{
		{"a client is registered", nil, Register{registered}, []Event{registered}, nil},
		{"but only once", []Event{registered}, Register{registered}, nil, ErrExists},
		{"not again after its deletion", []Event{registered, gone}, Register{registered}, nil, ErrExists},

		{"its metadata may change", []Event{registered}, Update{renamed}, []Event{renamed}, nil},
		{"saying the same again changes nothing", []Event{registered}, Update{same}, nil, nil},
		{"but what a client sent is kept", []Event{registered}, Update{restated}, []Event{restated}, nil},
		{"not of an unknown client", nil, Update{renamed}, nil, ErrUnknown},
		{"not once deleted", []Event{registered, gone}, Update{renamed}, nil, ErrDeleted},

		{"a key is recorded", []Event{registered}, SeeKey{key}, []Event{key}, nil},
		{"once", []Event{registered, key}, SeeKey{key}, nil, nil},
		{"not of an unknown client", nil, SeeKey{key}, nil, ErrUnknown},

		{"a client may be suspended", []Event{registered}, Suspend{paused}, []Event{paused}, nil},
		{"suspending again changes nothing", []Event{registered, paused}, Suspend{paused}, nil, nil},
		{"and reinstated", []Event{registered, paused}, Reinstate{back}, []Event{back}, nil},
		{"not if it is not suspended", []Event{registered}, Reinstate{back}, nil, ErrNotSuspended},
		{"not if it was deleted meanwhile", []Event{registered, paused, gone}, Reinstate{back}, nil, ErrDeleted},

		{"a customer may flag it", []Event{registered}, Flag{flag}, []Event{flag}, nil},
		{"for one request once", []Event{registered, flag}, Flag{flag}, nil, nil},
		{"and for another again", []Event{registered, flag}, Flag{another}, []Event{another}, nil},

		{"a client may be deleted", []Event{registered}, Delete{gone}, []Event{gone}, nil},
		{"while suspended as well", []Event{registered, paused}, Delete{gone}, []Event{gone}, nil},
		{"deleting again changes nothing", []Event{registered, gone}, Delete{gone}, nil, nil},
		{"not what was never registered", nil, Delete{gone}, nil, ErrUnknown},
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

func TestState(t *testing.T) {
	s := after([]Event{registered, key, renamed, paused})
	if !s.Exists() || s.Active() || !s.Suspended() || s.Issuer() != "fapi2" || s.Management() != "digest" {
		t.Errorf("got %+v of a suspended client", s)
	}
	if s.Metadata().ClientName != "Budgetly 2" || !s.Knows("key-1") || s.Knows("key-2") {
		t.Errorf("got %+v, want the latest metadata and the one key", s)
	}
	if s = s.Evolve(gone); s.Exists() || s.Active() || s.Suspended() {
		t.Errorf("got %+v of a deleted client", s)
	}
}

// A state is a value: a key seen later leaves it as it was.
func TestEvolveSharesNothing(t *testing.T) {
	s := after([]Event{registered, key})
	s.Evolve(KeySeen{Thumbprint: "key-2"})
	if s.Knows("key-2") {
		t.Error("an older state learned of a later key")
	}
}

// Whatever is asked, in whatever order: a deleted client never changes and is
// never active again, and a suspended one is not active.
func FuzzHistory(f *testing.F) {
	anything := []Command{
		Register{registered}, Update{renamed}, Update{same}, SeeKey{key}, Suspend{paused}, Reinstate{back}, Flag{flag}, Delete{gone},
	}
	f.Add([]byte{1, 0, 3, 3, 4, 1, 5, 6, 5, 0, 6})
	f.Fuzz(func(t *testing.T, script []byte) {
		var s State
		deleted := false
		for _, b := range script {
			cmd := anything[int(b)%len(anything)]
			events, err := s.Decide(cmd)
			if err != nil && len(events) > 0 {
				t.Fatal("refused and yet something happened")
			}
			if deleted && len(events) > 0 {
				t.Fatalf("%T changed a deleted client", cmd)
			}
			for _, e := range events {
				s = s.Evolve(e)
				_, ended := e.(Deleted)
				deleted = deleted || ended
			}
			if s.Active() && (deleted || s.Suspended()) {
				t.Fatal("a deleted or suspended client is active")
			}
		}
	})
}

// A client may come with a new certificate at each request. Its state is read
// anew after each, so that reading must not take with the square of their
// number.
func TestManyKeysAreCheapToKnow(t *testing.T) {
	const many = 5000
	key := func(i int) string { return strconv.Itoa(i) }
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := State{}.Evolve(Registered{Issuer: "i"})
	for i := range many {
		s = s.Evolve(KeySeen{Thumbprint: key(i)})
	}
	runtime.ReadMemStats(&after)
	if taken := (after.TotalAlloc - before.TotalAlloc) >> 20; taken > 64 {
		t.Errorf("%d MiB to know %d keys", taken, many)
	}
	older := s
	s = s.Evolve(KeySeen{Thumbprint: "new"})
	for i := range many {
		if !s.Knows(key(i)) {
			t.Fatalf("key %d is forgotten", i)
		}
	}
	if s.Knows("other") || older.Knows("new") || !s.Knows("new") {
		t.Error("a state knows what it has not seen, or an older one what came later")
	}
}
