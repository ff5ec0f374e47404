package authorization_test

import (
	"errors"
	"reflect"
	"testing"

	. "github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/oauth"
)

func TestRedeem(t *testing.T) {
	other := func(change func(*Redeem)) Redeem { return present(change) }
	replayed := append(redeemed[:5:5], replay)
	unbound := request
	unbound.JKT = ""

	tests := []struct {
		name   string
		given  []Event
		when   Redeem
		then   []Event
		clause oauth.Clause // of the refusal, which is always invalid_grant
	}{
		{"the client redeems its code", coded, present(), []Event{spent}, ""},
		{"with any key if none was bound", []Event{unbound, alice, yes, issued}, other(func(r *Redeem) { r.JKT = "key-2" }), []Event{spent}, ""},
		{"not at the expiry or later", coded, other(func(r *Redeem) { r.At = noon }), nil, "RFC 6749 §4.1.2"},
		{"not what was never issued", granted, present(), nil, "RFC 6749 §5.2"},
		{"not another code", coded, other(func(r *Redeem) { r.Code = newer }), nil, "RFC 6749 §5.2"},
		{"not one that was issued anew", append(coded[:4:4], reissued), present(), nil, "RFC 6749 §5.2"},
		{"not as another client", coded, other(func(r *Redeem) { r.Client = "rogue" }), nil, "RFC 6749 §4.1.3"},
		{"not for another redirect URI", coded, other(func(r *Redeem) { r.RedirectURI += "/" }), nil, "RFC 6749 §4.1.3"},
		{"not without the redirect URI", coded, other(func(r *Redeem) { r.RedirectURI = "" }), nil, "RFC 6749 §4.1.3"},
		{"not with another DPoP key", coded, other(func(r *Redeem) { r.JKT = "key-2" }), nil, "RFC 9449 §10"},
		{"not without a DPoP key", coded, other(func(r *Redeem) { r.JKT = "" }), nil, "RFC 9449 §10"},
		{"not without the verifier", coded, other(func(r *Redeem) { r.Verifier = "" }), nil, "RFC 7636 §4.6"},
		{"not with another verifier", coded, other(func(r *Redeem) { r.Verifier = challenge }), nil, "RFC 7636 §4.6"},

		{"a second time it is a replay", redeemed, present(), []Event{replay}, ""},
		{"even after the expiry", redeemed, other(func(r *Redeem) { r.At = noon }), []Event{replay}, ""},
		{"which is recorded once", replayed, present(), nil, ""},
		{"another client replays nothing", redeemed, other(func(r *Redeem) { r.Client = "rogue" }), nil, "RFC 6749 §4.1.3"},
		{"nor does who has another key", redeemed, other(func(r *Redeem) { r.JKT = "key-2" }), nil, "RFC 9449 §10"},
		{"nor who has no verifier", redeemed, other(func(r *Redeem) { r.Verifier = "" }), nil, "RFC 7636 §4.6"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := after(tt.given).Decide(tt.when)
			if !reflect.DeepEqual(got, tt.then) {
				t.Errorf("got %v, want %v", got, tt.then)
			}
			if tt.clause == "" && err == nil {
				return
			}
			refused, ok := errors.AsType[*oauth.Error](err)
			if !ok || !errors.Is(err, oauth.InvalidGrant) || refused.By != tt.clause {
				t.Errorf("got %v, want invalid_grant by %q", err, tt.clause)
			}
		})
	}
}

func TestRedeemed(t *testing.T) {
	if got := after(redeemed).Redeemed(); got != spent {
		t.Errorf("got %v, want what the code was redeemed for", got)
	}
}
