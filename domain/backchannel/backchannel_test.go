package backchannel_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	. "github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/oauth"
)

var (
	noon   = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) // when every request here expires
	before = noon.Add(-1)
	good   = oauth.Artefact{ID: "0197aaaa-0000-7000-8000-000000000001", Secret: [32]byte{1}}
	guess  = oauth.Artefact{ID: good.ID, Secret: [32]byte{2}}

	polled = Requested{Client: "till", Subject: "alice", Digest: good.Digest(), Expires: noon, Mode: oauth.Poll, Hint: "login_hint", Scope: "openid"}
	pinged = with(polled, func(r *Requested) { r.Mode = oauth.Ping })
	pushed = with(polled, func(r *Requested) { r.Mode = oauth.Push })

	told    = DeviceNotified{Device: "phone"}
	page    = DeviceNotified{Device: PhonePage}
	seen    = Shown{Shown: "hash", Template: "ciba", Locale: "en", Rendered: "<p>"}
	onPhone = Shown{Shown: "hash", Template: "ciba", Locale: "en", Rendered: "<p>", Device: "phone"}
	yes     = Approved{Consent: "c1", Subject: "alice", Scope: "openid", Expires: noon.Add(time.Hour), Shown: "hash", Method: Passkey}
	no      = Denied{By: Customer, Reason: "no"}
	failed  = Denied{By: System, Reason: "no account", Failed: true}
	spent   = Redeemed{Token: "t1", Refresh: "r1", Consent: "c1", Via: oauth.Poll}
	sent    = Redeemed{Token: "t1", Refresh: "r1", Consent: "c1", Via: oauth.Push}
	gone    = Failed{Error: oauth.TransactionFailed, Reason: "the consent has ended"}
)

func with(r Requested, change func(*Requested)) Requested {
	change(&r)
	return r
}

// show, approve, deny and redeem are what the right one asks in time.
func show() Show       { return Show{seen, "alice", before} }
func approve() Approve { return Approve{yes, before} }
func deny() Deny       { return Deny{no, "alice", before} }
func redeem() Redeem   { return Redeem{spent, good, "till", before} }

func TestDecide(t *testing.T) {
	shown, approved := []Event{polled, seen}, []Event{polled, seen, yes}
	tests := []struct {
		name  string
		given []Event
		when  Command
		then  []Event
		err   error
	}{
		{"a client asks", nil, Request{polled}, []Event{polled}, nil},
		{"but only once", []Event{polled}, Request{polled}, nil, ErrExists},
		{"not for nobody", nil, Request{with(polled, func(r *Requested) { r.Subject = "" })}, nil, ErrNobody},
		{"nor as nobody", nil, Request{with(polled, func(r *Requested) { r.Client = "" })}, nil, ErrNobody},

		{"a device is told", []Event{polled}, NotifyDevice{told}, []Event{told}, nil},
		{"once", []Event{polled, told}, NotifyDevice{told}, nil, nil},
		{"and another one", []Event{polled, told}, NotifyDevice{DeviceNotified{Device: "watch"}}, []Event{DeviceNotified{Device: "watch"}}, nil},
		{"and the phone page that is open", []Event{polled, told}, NotifyDevice{page}, []Event{page}, nil},
		{"but not where it was seen already", shown, NotifyDevice{page}, nil, nil},
		{"or answered", []Event{polled, no}, NotifyDevice{page}, nil, nil},
		{"a device is told all the same", approved, NotifyDevice{told}, []Event{told}, nil},
		{"not of what nobody asked", nil, NotifyDevice{told}, nil, ErrUnknown},

		{"the customer sees it", []Event{polled}, show(), []Event{seen}, nil},
		{"once, if it is the same", shown, show(), nil, nil},
		{"and again on a device", shown, Show{onPhone, "alice", before}, []Event{onPhone}, nil},
		{"and again if it differs", shown, Show{Shown{Shown: "other"}, "alice", before}, []Event{Shown{Shown: "other"}}, nil},
		{"nobody else does", []Event{polled}, Show{seen, "ben", before}, nil, ErrOtherSubject},
		{"not at the expiry or later", []Event{polled}, Show{seen, "alice", noon}, nil, ErrExpired},
		{"not once it is decided", approved, show(), nil, ErrDecided},
		{"there is nothing to see", nil, show(), nil, ErrUnknown},

		{"the customer says yes", shown, approve(), []Event{yes}, nil},
		{"not twice", approved, approve(), nil, ErrDecided},
		{"not after a no", []Event{polled, seen, no}, approve(), nil, ErrDecided},
		{"not to what was not shown", []Event{polled}, approve(), nil, ErrNotShown},
		{"nor to something else", []Event{polled, Shown{Shown: "other"}}, approve(), nil, ErrNotShown},
		{"not for somebody else", shown, Approve{Approved{Subject: "ben", Shown: "hash", Expires: noon}, before}, nil, ErrOtherSubject},
		{"not at the expiry or later", shown, Approve{yes, noon}, nil, ErrExpired},
		{"not once the expiry is noted, whatever the clock says", []Event{polled, seen, Expired{}}, Approve{yes, before}, nil, ErrExpired},
		{"not to a consent that is over", shown, Approve{Approved{Subject: "alice", Shown: "hash", Expires: before}, before}, nil, ErrExpired},
		{"not to what nobody asked", nil, approve(), nil, ErrUnknown},

		{"the customer says no", []Event{polled}, deny(), []Event{no}, nil},
		{"not after a yes", approved, deny(), nil, ErrDecided},
		{"nobody else does", []Event{polled}, Deny{no, "ben", before}, nil, ErrOtherSubject},
		{"the platform may", []Event{polled}, Deny{failed, "", before}, []Event{failed}, nil},
		{"not after a yes either", approved, Deny{failed, "", before}, nil, ErrDecided},
		{"not at the expiry or later", []Event{polled}, Deny{no, "alice", noon}, nil, ErrExpired},
		{"not once the expiry is noted, whatever the clock says", []Event{polled, Expired{}}, Deny{no, "alice", before}, nil, ErrExpired},

		{"the client redeems", approved, redeem(), []Event{spent}, nil},
		{"in the mode ping, too", []Event{pinged, seen, yes}, redeem(), []Event{spent}, nil},

		{"what is pushed is redeemed by the platform", []Event{pushed, seen, yes}, RedeemByPush{sent, before}, []Event{sent}, nil},
		{"once", []Event{pushed, seen, yes, sent}, RedeemByPush{sent, before}, nil, nil},
		{"a yes of the last moment, too", []Event{pushed, seen, yes}, RedeemByPush{sent, noon.Add(59 * time.Second)}, []Event{sent}, nil},
		{"not much later", []Event{pushed, seen, yes}, RedeemByPush{sent, noon.Add(time.Minute)}, nil, ErrExpired},
		{"not without a yes", []Event{pushed, seen}, RedeemByPush{sent, before}, nil, ErrNotApproved},
		{"not after a no", []Event{pushed, no}, RedeemByPush{sent, before}, nil, ErrNotApproved},
		{"not what is polled for", approved, RedeemByPush{sent, before}, nil, ErrUnknown},
		{"not what failed", []Event{pushed, seen, yes, gone}, RedeemByPush{sent, before}, nil, ErrDecided},

		{"what cannot be pushed has failed", []Event{pushed, seen, yes}, Fail{gone}, []Event{gone}, nil},
		{"once", []Event{pushed, seen, yes, gone}, Fail{gone}, nil, nil},
		{"not what was issued", []Event{pushed, seen, yes, sent}, Fail{gone}, nil, ErrDecided},
		{"not what was not approved", []Event{pushed, no}, Fail{gone}, nil, ErrNotApproved},
		{"not what is polled for", approved, Fail{gone}, nil, ErrUnknown},

		{"nobody answered in time", []Event{polled}, NoteExpiry{noon}, []Event{Expired{}}, nil},
		{"nobody redeemed in time", approved, NoteExpiry{noon}, []Event{Expired{}}, nil},
		{"which is noted once", []Event{polled, Expired{}}, NoteExpiry{noon}, nil, nil},
		{"not before it is so", []Event{polled}, NoteExpiry{before}, nil, nil},
		{"not of what has ended", []Event{polled, no}, NoteExpiry{noon}, nil, nil},
		{"nor of nothing", nil, NoteExpiry{noon}, nil, nil},
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

// CIBA §11: why auth_req_id is not exchanged for tokens.
func TestRedeemable(t *testing.T) {
	at := func(now time.Time) func(*Redeem) { return func(r *Redeem) { r.At = now } }
	tests := []struct {
		name   string
		given  []Event
		change func(*Redeem)
		code   oauth.Code
	}{
		{"approved", []Event{polled, seen, yes}, nil, ""},
		{"not yet", []Event{polled}, nil, oauth.AuthorizationPending},
		{"shown and not yet", []Event{polled, seen}, nil, oauth.AuthorizationPending},
		{"denied by the customer", []Event{polled, no}, nil, oauth.AccessDenied},
		{"denied by the platform", []Event{polled, failed}, nil, oauth.AccessDenied},
		{"denied stays denied after the expiry", []Event{polled, no}, at(noon), oauth.AccessDenied},
		{"nobody answered in time", []Event{polled}, at(noon), oauth.ExpiredToken},
		{"approved and too late", []Event{polled, seen, yes}, at(noon), oauth.ExpiredToken},
		{"the note of the expiry changes nothing", []Event{polled, seen, yes, Expired{}}, nil, ""},
		{"used before", []Event{polled, seen, yes, spent}, nil, oauth.InvalidGrant},
		{"used before and expired", []Event{polled, seen, yes, spent}, at(noon), oauth.InvalidGrant},
		{"with a guessed secret", []Event{polled, seen, yes}, func(r *Redeem) { r.AuthReqID = guess }, oauth.InvalidGrant},
		{"by another client", []Event{polled, seen, yes}, func(r *Redeem) { r.Client = "rogue" }, oauth.InvalidGrant},
		{"by another client that is not told that it waits", []Event{polled}, func(r *Redeem) { r.Client = "rogue" }, oauth.InvalidGrant},
		{"of what was never asked", nil, func(r *Redeem) { r.Client = "" }, oauth.InvalidGrant},
		{"of what is pushed", []Event{pushed, seen, yes}, nil, oauth.UnauthorizedClient},
		{"of what is pushed, by another client", []Event{pushed}, func(r *Redeem) { r.Client = "rogue" }, oauth.InvalidGrant},
		{"of what failed", []Event{pushed, seen, yes, gone}, nil, oauth.UnauthorizedClient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := redeem()
			if tt.change != nil {
				tt.change(&cmd)
			}
			err := after(tt.given).Redeemable(cmd)
			refusal, refused := errors.AsType[*oauth.Error](err)
			if refused != (tt.code != "") || refused && (refusal.Code != tt.code || refusal.By != "CIBA §11") {
				t.Errorf("got %v; want %q", err, tt.code)
			}
			if events, again := after(tt.given).Decide(cmd); (again == nil) != (err == nil) || refused == (len(events) > 0) {
				t.Errorf("redeeming gives %v, %v", events, again)
			}
		})
	}
}

// Who does not hold auth_req_id cannot tell whether it was ever issued.
func TestRefusalsLookAlike(t *testing.T) {
	cmd := redeem()
	unknown := after(nil).Redeemable(cmd)
	cmd.AuthReqID = guess
	guessed := after([]Event{polled}).Redeemable(cmd)
	cmd = redeem()
	cmd.Client = "rogue"
	stolen := after([]Event{polled, seen, yes}).Redeemable(cmd)
	if unknown.Error() != guessed.Error() || guessed.Error() != stolen.Error() {
		t.Errorf("got %q, %q and %q", unknown, guessed, stolen)
	}
}

func TestWhatAStateTells(t *testing.T) {
	tests := []struct {
		given   []Event
		status  string
		pending bool
		decided bool
	}{
		{nil, "", false, false},
		{[]Event{polled}, "requested", true, false},
		{[]Event{polled, told, seen}, "shown", true, false},
		{[]Event{polled, seen, yes}, "approved", false, true},
		{[]Event{polled, no}, "denied", false, true},
		{[]Event{polled, seen, yes, spent}, "redeemed", false, true},
		{[]Event{pushed, seen, yes, gone}, "failed", false, true},
	}
	for _, tt := range tests {
		s := after(tt.given)
		if s.Status() != tt.status || s.Pending(before) != tt.pending || s.Decided() != tt.decided || s.Pending(noon) {
			t.Errorf("%q: pending %v, decided %v; want %q, %v, %v", s.Status(), s.Pending(before), s.Decided(), tt.status, tt.pending, tt.decided)
		}
		if s.Names(good) != s.Exists() || s.Names(guess) {
			t.Errorf("%q: names %v", s.Status(), s.Names(good))
		}
	}
	full := after([]Event{polled, told, seen, yes, spent})
	if got, found := full.Shown("hash"); !found || got != seen || !full.Notified("phone") || full.Notified("watch") {
		t.Errorf("shown %v, notified %v", got, full.Notified("phone"))
	}
	if full.Requested().Client != "till" || full.Approved().Consent != "c1" || full.Redeemed() != spent || full.Denied().By != "" || full.Failed().Error != "" {
		t.Errorf("got %+v", full)
	}
}
