package consent_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	. "github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/oauth"
)

var (
	noon    = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) // when everything here expires
	before  = noon.Add(-1)
	later   = noon.Add(time.Hour)
	balance = oauth.Detail{Type: oauth.AccountInformation, Permissions: []string{oauth.ReadBalances}, Accounts: []string{"GB01"}}
	nowhere = oauth.Detail{Type: oauth.AccountInformation, Permissions: []string{oauth.ReadBalances}}

	lodged   = Lodged{Client: "budgetly", Details: []oauth.Detail{nowhere}, Expires: noon}
	yes      = Authorized{Client: "budgetly", Subject: "alice", Details: []oauth.Detail{balance}, Expires: noon}
	agreed   = PartyAuthorized{Subject: "alice", Needed: 2}
	no       = Rejected{By: Customer}
	again    = Reauthenticated{ACR: "sca", AuthTime: before}
	changed  = Amended{Details: []oauth.Detail{balance}, Expires: noon}
	replaced = Superseded{By: "c2"}
	paused   = Suspended{By: Bank, Reason: "under review"}
	stop     = Revoked{By: Customer, Reason: "no longer needed"}
)

// by returns yes with one thing about it changed.
func by(change func(*Authorized)) Authorized {
	e := yes
	change(&e)
	return e
}

func TestDecide(t *testing.T) {
	tests := []struct {
		name  string
		given []Event
		when  Command
		then  []Event
		err   error
	}{
		{"a client may ask", nil, Lodge{lodged, before}, []Event{lodged}, nil},
		{"but only once", []Event{lodged}, Lodge{lodged, before}, nil, ErrExists},
		{"not without a name", nil, Lodge{Lodged{Expires: noon}, before}, nil, ErrNobody},
		{"not for a time that has passed", nil, Lodge{lodged, noon}, nil, ErrExpired},

		{"a customer may say yes to what was asked", []Event{lodged}, Authorize{yes, before}, []Event{yes}, nil},
		{"or give access in one step", nil, Authorize{yes, before}, []Event{yes}, nil},
		{"not twice", []Event{yes}, Authorize{yes, before}, nil, ErrNotAwaiting},
		{"not to another client than asked", []Event{lodged}, Authorize{by(func(e *Authorized) { e.Client = "rogue" }), before}, nil, ErrOtherClient},
		{"not without a client", nil, Authorize{by(func(e *Authorized) { e.Client = "" }), before}, nil, ErrNobody},
		{"not without a customer", nil, Authorize{by(func(e *Authorized) { e.Subject = "" }), before}, nil, ErrNobody},
		{"not at the expiry or later", nil, Authorize{yes, noon}, nil, ErrExpired},
		{"not once the offer has run out", []Event{lodged}, Authorize{by(func(e *Authorized) { e.Expires = later }), noon}, nil, ErrExpired},
		{"not for longer than was asked", []Event{lodged}, Authorize{by(func(e *Authorized) { e.Expires = later }), before}, nil, ErrLonger},
		{"not without an account", nil, Authorize{by(func(e *Authorized) { e.Details = []oauth.Detail{balance, nowhere} }), before}, nil, ErrNoAccounts},
		{"not after a no", []Event{lodged, no}, Authorize{yes, before}, nil, ErrNotAwaiting},
		{"not after the end", []Event{yes, stop}, Authorize{yes, before}, nil, ErrNotAwaiting},

		{"one of several customers may agree", []Event{lodged}, AuthorizeParty{agreed, before}, []Event{agreed}, nil},
		{"the same customer twice counts once", []Event{lodged, agreed}, AuthorizeParty{agreed, before}, nil, nil},
		{"nobody agrees without a name", []Event{lodged}, AuthorizeParty{PartyAuthorized{Needed: 2}, before}, nil, ErrNobody},
		{"nobody agrees to what was not asked", nil, AuthorizeParty{agreed, before}, nil, ErrNotAwaiting},
		{"nobody agrees too late", []Event{lodged}, AuthorizeParty{agreed, noon}, nil, ErrExpired},

		{"a customer may say no", []Event{lodged}, Reject{no}, []Event{no}, nil},
		{"not to what is authorized", []Event{yes}, Reject{no}, nil, ErrNotAwaiting},

		{"a consent for one use is used up", []Event{yes}, Consume{before}, []Event{Consumed{}}, nil},
		{"not at the expiry or later", []Event{yes}, Consume{noon}, nil, ErrExpired},
		{"not twice", []Event{yes, Consumed{}}, Consume{before}, nil, ErrNotActive},

		{"the bank may suspend", []Event{yes}, Suspend{paused}, []Event{paused}, nil},
		{"suspending again changes nothing", []Event{yes, paused}, Suspend{paused}, nil, nil},
		{"nothing to suspend yet", []Event{lodged}, Suspend{paused}, nil, ErrNotActive},

		{"the customer lifts a suspension by proving identity", []Event{yes, paused}, Reauthenticate{again, "alice", before}, []Event{again}, nil},
		{"and may confirm what is authorized", []Event{yes}, Reauthenticate{again, "alice", before}, []Event{again}, nil},
		{"not somebody else", []Event{yes, paused}, Reauthenticate{again, "ben", before}, nil, ErrOtherSubject},
		{"not at the expiry or later", []Event{yes, paused}, Reauthenticate{again, "alice", noon}, nil, ErrExpired},
		{"not what has ended", []Event{yes, stop}, Reauthenticate{again, "alice", before}, nil, ErrNotSuspended},

		{"the customer may change it", []Event{yes}, Amend{changed, "alice", before}, []Event{changed}, nil},
		{"not somebody else", []Event{yes}, Amend{changed, "ben", before}, nil, ErrOtherSubject},
		{"not to a time that has passed", []Event{yes}, Amend{Amended{Expires: before}, "alice", before}, nil, ErrExpired},
		{"not to access without an account", []Event{yes}, Amend{Amended{Details: []oauth.Detail{nowhere}, Expires: noon}, "alice", before}, nil, ErrNoAccounts},
		{"not while suspended", []Event{yes, paused}, Amend{changed, "alice", before}, nil, ErrNotActive},
		{"not at the expiry or later", []Event{yes}, Amend{Amended{Expires: later}, "alice", noon}, nil, ErrNotActive},

		{"a newer consent takes its place", []Event{yes}, Supersede{replaced}, []Event{replaced}, nil},
		{"not of one that has ended", []Event{yes, stop}, Supersede{replaced}, nil, ErrNotActive},

		{"consent can be withdrawn", []Event{yes}, Revoke{Revoked: stop, Subject: "alice"}, []Event{stop}, nil},
		{"by the client as well", []Event{yes}, Revoke{Revoked: stop, Client: "budgetly"}, []Event{stop}, nil},
		{"while suspended", []Event{yes, paused}, Revoke{Revoked: stop}, []Event{stop}, nil},
		{"before anybody said yes", []Event{lodged}, Revoke{Revoked: stop, Client: "budgetly"}, []Event{stop}, nil},
		{"withdrawing again changes nothing", []Event{yes, stop}, Revoke{Revoked: stop}, nil, nil},
		{"not by another customer", []Event{yes}, Revoke{Revoked: stop, Subject: "ben"}, nil, ErrOtherSubject},
		{"not by another client", []Event{yes}, Revoke{Revoked: stop, Client: "rogue"}, nil, ErrOtherClient},
		{"another customer learns nothing of the end", []Event{yes, stop}, Revoke{Revoked: stop, Subject: "ben"}, nil, ErrOtherSubject},
		{"nothing to withdraw yet", nil, Revoke{Revoked: stop}, nil, ErrNotActive},
		{"nothing to withdraw any more", []Event{yes, Consumed{}}, Revoke{Revoked: stop}, nil, ErrEnded},

		{"the expiry is noted", []Event{yes}, NoteExpiry{noon}, []Event{Expired{}}, nil},
		{"of what was never answered, too", []Event{lodged}, NoteExpiry{noon}, []Event{Expired{}}, nil},
		{"not before", []Event{yes}, NoteExpiry{before}, nil, nil},
		{"and only once", []Event{yes, Expired{}}, NoteExpiry{later}, nil, nil},
		{"not of what has ended", []Event{yes, stop}, NoteExpiry{noon}, nil, nil},
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
