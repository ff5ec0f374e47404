package signingkey_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	. "github.com/chirograph/chirograph/domain/signingkey"
)

var (
	noon      = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) // until when a retired key is published
	before    = noon.Add(-1)
	announced = Announced{Issuer: "fapi2", Algorithm: "ES256", Use: "sig", JWK: []byte(`{"kty":"EC"}`)}
	retired   = Retired{PublishedUntil: noon}
	lost      = Compromised{Since: before, Reason: "stolen"}
)

func TestDecide(t *testing.T) {
	active := []Event{announced, Activated{}}
	old := []Event{announced, Activated{}, retired}

	tests := []struct {
		name  string
		given []Event
		when  Command
		then  []Event
		err   error
	}{
		{"a key is announced before it signs", nil, Announce{announced}, []Event{announced}, nil},
		{"but only once", []Event{announced}, Announce{announced}, nil, ErrExists},
		{"then it signs", []Event{announced}, Activate{}, []Event{Activated{}}, nil},
		{"activating again changes nothing", active, Activate{}, nil, nil},
		{"not what nobody announced", nil, Activate{}, nil, ErrUnknown},
		{"not once retired", old, Activate{}, nil, ErrNotAnnounced},
		{"not once compromised", []Event{announced, lost}, Activate{}, nil, ErrNotAnnounced},

		{"an active key may retire", active, Retire{retired}, []Event{retired}, nil},
		{"retiring again changes nothing", old, Retire{retired}, nil, nil},
		{"what never signed cannot retire", []Event{announced}, Retire{retired}, nil, ErrNotActive},

		{"any key may be compromised", []Event{announced}, Compromise{lost}, []Event{lost}, nil},
		{"even a retired one", old, Compromise{lost}, []Event{lost}, nil},
		{"even a destroyed one", append(old[:3:3], Destroyed{}), Compromise{lost}, []Event{lost}, nil},
		{"and once is enough", append(active[:2:2], lost), Compromise{lost}, nil, nil},
		{"not what nobody announced", nil, Compromise{lost}, nil, ErrUnknown},

		{"a retired key is destroyed", old, Destroy{}, []Event{Destroyed{}}, nil},
		{"and a compromised one", append(active[:2:2], lost), Destroy{}, []Event{Destroyed{}}, nil},
		{"destroying again changes nothing", append(old[:3:3], Destroyed{}), Destroy{}, nil, nil},
		{"not while it signs", active, Destroy{}, nil, ErrInUse},
		{"nor while it is about to", []Event{announced}, Destroy{}, nil, ErrInUse},
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

func TestPublished(t *testing.T) {
	tests := []struct {
		name  string
		given []Event
		at    time.Time
		want  bool
	}{
		{"a key is published before it signs", []Event{announced}, before, true},
		{"while it signs", []Event{announced, Activated{}}, before, true},
		{"and as long as what it signed may be verified", []Event{announced, Activated{}, retired}, before, true},
		{"not longer", []Event{announced, Activated{}, retired}, noon, false},
		{"even if its private half is gone", []Event{announced, Activated{}, retired, Destroyed{}}, before, true},
		{"not once compromised", []Event{announced, Activated{}, lost}, before, false},
		{"nor after that", []Event{announced, Activated{}, retired, lost, Destroyed{}}, before, false},
		{"not if nobody announced it", nil, before, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := after(tt.given).Published(tt.at); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// Whatever is asked, in whatever order: a compromised key stays so and is
// never published, and only an announced key begins to sign.
func FuzzHistory(f *testing.F) {
	anything := []Command{Announce{announced}, Activate{}, Retire{retired}, Compromise{lost}, Destroy{}}
	f.Add([]byte{0, 1, 2, 4, 3, 4, 1})
	f.Fuzz(func(t *testing.T, script []byte) {
		var s State
		compromised := false
		for _, b := range script {
			was := s.Status()
			events, err := s.Decide(anything[int(b)%len(anything)])
			if err != nil && len(events) > 0 {
				t.Fatal("refused and yet something happened")
			}
			for _, e := range events {
				s = s.Evolve(e)
				_, ended := e.(Compromised)
				compromised = compromised || ended
			}
			if s.Status() == Active && was != Active && was != Waiting {
				t.Fatalf("a key that was %s began to sign", was)
			}
			if compromised && (!s.Compromised() || s.Published(before) || s.Status() == Active) {
				t.Fatal("a compromised key counts again")
			}
		}
	})
}
