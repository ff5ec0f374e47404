package authorization_test

import (
	"errors"
	"net/url"
	"reflect"
	"testing"
	"time"

	. "github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/oauth"
)

const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, Appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	callback  = "https://budgetly.example/cb"
)

var (
	noon   = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) // when code, request_uri and consent expire
	before = noon.Add(-1)
	uri    = oauth.Artefact{ID: "0197aaaa-0000-7000-8000-000000000001", Secret: [32]byte{1}}
	code   = oauth.Artefact{ID: uri.ID, Secret: [32]byte{2}}
	newer  = oauth.Artefact{ID: uri.ID, Secret: [32]byte{3}}

	request = Pushed{
		Client: "budgetly", Digest: uri.Digest(), Expires: noon, JKT: "key-1",
		Body: url.Values{
			"client_id": {"budgetly"}, "response_type": {"code"}, "redirect_uri": {callback},
			"code_challenge": {challenge}, "code_challenge_method": {"S256"},
		}.Encode(),
	}
	alice    = SubjectAuthenticated{Subject: "alice", ACR: "pwd", AMR: []string{"pwd"}, AuthTime: before, Browser: "laptop"}
	again    = SubjectAuthenticated{Subject: "alice", ACR: "pwd", AMR: []string{"pwd"}, AuthTime: noon, Browser: "laptop"}
	yes      = Granted{Consent: "c1", Subject: "alice", Expires: noon}
	no       = Denied{By: Customer, Reason: "declined"}
	issued   = CodeIssued{Digest: code.Digest(), Expires: noon}
	reissued = CodeIssued{Digest: newer.Digest(), Expires: noon}
	spent    = CodeRedeemed{Token: "t1", Refresh: "r1", Consent: "c1"}
	evidence = oauth.Evidence{ClientAuth: "private_key_jwt"}
	replay   = CodeReplayed{Evidence: evidence}

	granted  = []Event{request, alice, yes}
	coded    = append(granted[:3:3], issued)
	redeemed = append(coded[:4:4], spent)
)

// present is the genuine token request with one thing about it changed.
func present(changes ...func(*Redeem)) Redeem {
	cmd := Redeem{
		CodeRedeemed: spent, Code: code, Client: "budgetly", RedirectURI: callback,
		Verifier: verifier, JKT: "key-1", Evidence: evidence, At: before,
	}
	for _, change := range changes {
		change(&cmd)
	}
	return cmd
}

func TestDecide(t *testing.T) {
	tests := []struct {
		name  string
		given []Event
		when  Command
		then  []Event
		err   error
	}{
		{"a client may push a request", nil, Push{request}, []Event{request}, nil},
		{"but only once", []Event{request}, Push{request}, nil, ErrExists},

		{"a customer signs in", []Event{request}, Authenticate{alice}, []Event{alice}, nil},
		{"not for what nobody asked", nil, Authenticate{alice}, nil, ErrUnknown},
		{"not without a name", []Event{request}, Authenticate{SubjectAuthenticated{Browser: "laptop"}}, nil, ErrNobody},
		{"not without a browser", []Event{request}, Authenticate{SubjectAuthenticated{Subject: "alice"}}, nil, ErrNobody},
		{"may sign in again in the same browser", []Event{request, alice}, Authenticate{again}, []Event{again}, nil},
		{"the same sign-in twice changes nothing", []Event{request, alice}, Authenticate{alice}, nil, nil},
		{"not in another browser", []Event{request, alice}, Authenticate{SubjectAuthenticated{Subject: "alice", Browser: "phone", AuthTime: noon}}, nil, ErrOtherBrowser},
		{"nor may another customer", []Event{request, alice}, Authenticate{SubjectAuthenticated{Subject: "ben", Browser: "laptop", AuthTime: noon}}, nil, ErrOtherSubject},
		{"nor anybody once it is decided", granted, Authenticate{again}, nil, ErrDecided},

		{"the customer may say yes", []Event{request, alice}, Grant{yes, "laptop", before}, []Event{yes}, nil},
		{"not to what nobody asked", nil, Grant{yes, "laptop", before}, nil, ErrUnknown},
		{"not before signing in", []Event{request}, Grant{yes, "laptop", before}, nil, ErrNobody},
		{"not in another browser", []Event{request, alice}, Grant{yes, "phone", before}, nil, ErrOtherBrowser},
		{"not for another customer", []Event{request, alice}, Grant{Granted{Subject: "ben", Expires: noon}, "laptop", before}, nil, ErrOtherSubject},
		{"not to access that has already ended", []Event{request, alice}, Grant{yes, "laptop", noon}, nil, ErrExpired},
		{"not twice", granted, Grant{yes, "laptop", before}, nil, ErrDecided},
		{"not after a no", []Event{request, alice, no}, Grant{yes, "laptop", before}, nil, ErrDecided},

		{"the customer may say no", []Event{request, alice}, Deny{no, "laptop"}, []Event{no}, nil},
		{"even before signing in", []Event{request}, Deny{no, "phone"}, []Event{no}, nil},
		{"not in another browser", []Event{request, alice}, Deny{no, "phone"}, nil, ErrOtherBrowser},
		{"not in none", []Event{request, alice}, Deny{no, ""}, nil, ErrOtherBrowser},
		{"the platform denies what ran out", []Event{request, alice}, Deny{Denied{By: System}, ""}, []Event{Denied{By: System}}, nil},
		{"not to what nobody asked", nil, Deny{no, "laptop"}, nil, ErrUnknown},
		{"not after a yes", granted, Deny{no, "laptop"}, nil, ErrDecided},

		{"a yes leads to a code", granted, IssueCode{issued, "laptop"}, []Event{issued}, nil},
		{"and to another if it never arrived", coded, IssueCode{reissued, "laptop"}, []Event{reissued}, nil},
		{"not before", []Event{request, alice}, IssueCode{issued, "laptop"}, nil, ErrNotGranted},
		{"not after a no", []Event{request, alice, no}, IssueCode{issued, "laptop"}, nil, ErrDecided},
		{"not in another browser", granted, IssueCode{issued, "phone"}, nil, ErrOtherBrowser},
		{"not once the code was redeemed", redeemed, IssueCode{reissued, "laptop"}, nil, ErrDecided},

		{"an abandoned request is noted", []Event{request}, NoteExpiry{noon}, []Event{Expired{}}, nil},
		{"not before its expiry", []Event{request}, NoteExpiry{before}, nil, nil},
		{"and only once", []Event{request, Expired{}}, NoteExpiry{noon}, nil, nil},
		{"not if it was decided", granted, NoteExpiry{noon}, nil, nil},
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

// A request opens in no other journey, and what was pushed is what is read.
func TestNames(t *testing.T) {
	s := after([]Event{request})
	if !s.Names(uri) || s.Names(code) || after(nil).Names(oauth.Artefact{}) {
		t.Error("a journey must be named by its request_uri only")
	}
	if r := s.Request(); r.RedirectURI != callback || r.CodeChallenge != challenge {
		t.Errorf("read %+v", r)
	}
	sealed := request
	sealed.Body, sealed.Personal = "", request.Body
	if !reflect.DeepEqual(after([]Event{sealed}).Request(), s.Request()) {
		t.Error("a sealed body must read as an open one")
	}
}

func TestStatus(t *testing.T) {
	tests := []struct {
		given []Event
		want  string
	}{
		{nil, ""},
		{[]Event{request}, "pushed"},
		{[]Event{request, alice}, "identified"},
		{[]Event{request, alice, no}, "denied"},
		{granted, "granted"},
		{coded, "coded"},
		{redeemed, "redeemed"},
	}
	for _, tt := range tests {
		if got := after(tt.given).Status(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
