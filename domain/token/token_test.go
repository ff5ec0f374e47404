package token_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
	. "github.com/chirograph/chirograph/domain/token"
)

var (
	noon   = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) // when every token here expires
	before = noon.Add(-1)
	opaque = oauth.Artefact{ID: "0197aaaa-0000-7000-8000-000000000001", Secret: [32]byte{1}}
	guess  = oauth.Artefact{ID: opaque.ID, Secret: [32]byte{2}}

	issued = Issued{Client: "budgetly", Subject: "alice", Consent: "c1", Audience: []string{"https://bank.example"}, Expires: noon, Digest: opaque.Digest()}
	jwt    = Issued{Client: "budgetly", Audience: []string{"https://bank.example"}, Expires: noon, Key: "k1"}
	stop   = Revoked{By: "client", Reason: "revocation request"}
)

func TestDecide(t *testing.T) {
	tests := []struct {
		name  string
		given []Event
		when  Command
		then  []Event
		err   error
	}{
		{"a token is issued", nil, Issue{issued}, []Event{issued}, nil},
		{"but only once", []Event{issued}, Issue{issued}, nil, ErrExists},
		{"not again after its end", []Event{issued, stop}, Issue{issued}, nil, ErrExists},
		{"its client may end it", []Event{issued}, Revoke{stop, "budgetly"}, []Event{stop}, nil},
		{"and so may the platform", []Event{issued}, Revoke{Revoked: stop}, []Event{stop}, nil},
		{"not another client", []Event{issued}, Revoke{stop, "rogue"}, nil, ErrOtherClient},
		{"who does not learn of the end either", []Event{issued, stop}, Revoke{stop, "rogue"}, nil, ErrOtherClient},
		{"ending it again changes nothing", []Event{issued, stop}, Revoke{stop, "budgetly"}, nil, nil},
		{"what was never issued is nobody's to end", nil, Revoke{stop, "budgetly"}, nil, ErrUnknown},
		{"but the platform may end it before it is issued", nil, Revoke{Revoked: stop}, []Event{stop}, nil},
		{"and then it is not issued", []Event{stop}, Issue{issued}, nil, ErrRevoked},
		{"nor is it anybody's", []Event{stop}, Revoke{stop, "budgetly"}, nil, ErrUnknown},
		{"nor is it ended again", []Event{stop}, Revoke{Revoked: stop}, nil, nil},
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

func TestActive(t *testing.T) {
	tests := []struct {
		name  string
		given []Event
		at    time.Time
		want  bool
	}{
		{"an issued token is active", []Event{issued}, before, true},
		{"not at the expiry or later", []Event{issued}, noon, false},
		{"not once revoked", []Event{issued, stop}, before, false},
		{"not if it was never issued", nil, before, false},
		{"not if it was revoked before", []Event{stop}, before, false},
		{"not even if it was issued in spite of that", []Event{stop, issued}, before, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := after(tt.given).Active(tt.at); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		name  string
		given []Event
		token oauth.Artefact
		want  bool
	}{
		{"an opaque token names itself", []Event{issued}, opaque, true},
		{"a guessed secret names nothing", []Event{issued}, guess, false},
		{"nor does any secret name a JWT", []Event{jwt}, opaque, false},
		{"nor what was never issued", nil, opaque, false},
		{"nor what was revoked before", []Event{stop}, opaque, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := after(tt.given).Names(tt.token); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// Whatever is asked, in whatever order: a token is issued once, a revoked one
// is never active again, and another client changes nothing.
func FuzzHistory(f *testing.F) {
	anything := []Command{Issue{issued}, Issue{jwt}, Revoke{stop, "budgetly"}, Revoke{stop, "rogue"}, Revoke{Revoked: stop}}
	f.Add([]byte{2, 0, 3, 1, 2, 0, 4})
	f.Fuzz(func(t *testing.T, script []byte) {
		var s State
		for _, b := range script {
			cmd := anything[int(b)%len(anything)]
			events, err := s.Decide(cmd)
			if err != nil && len(events) > 0 {
				t.Fatal("refused and yet something happened")
			}
			if len(events) > 0 && (s.Revoked() || reflect.DeepEqual(cmd, anything[3])) {
				t.Fatalf("%T changed a token it may not", cmd)
			}
			for _, e := range events {
				s = s.Evolve(e)
			}
			if s.Active(before) == s.Revoked() && s.Exists() {
				t.Fatal("a token is active if and only if it is not revoked")
			}
		}
	})
}

func TestBound(t *testing.T) {
	if (Confirmation{}).Bound() || !(Confirmation{JKT: "k"}).Bound() || !(Confirmation{X5TS: "k"}).Bound() {
		t.Error("a token is bound if it names a key or a certificate")
	}
}
