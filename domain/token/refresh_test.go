package token_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/chirograph/chirograph/domain/oauth"
	. "github.com/chirograph/chirograph/domain/token"
)

var (
	refresh = RefreshIssued{Client: "budgetly", Subject: "alice", Consent: "c1", Authorization: "a1", Digest: opaque.Digest(), Expires: noon}
	end     = RefreshRevoked{By: "client", Reason: "revocation request"}
)

func TestDecideRefresh(t *testing.T) {
	tests := []struct {
		name  string
		given []RefreshEvent
		when  RefreshCommand
		then  []RefreshEvent
		err   error
	}{
		{"a refresh token is issued", nil, IssueRefresh{refresh}, []RefreshEvent{refresh}, nil},
		{"but only once", []RefreshEvent{refresh}, IssueRefresh{refresh}, nil, ErrExists},
		{"its client may end it", []RefreshEvent{refresh}, RevokeRefresh{end, "budgetly"}, []RefreshEvent{end}, nil},
		{"and so may the platform", []RefreshEvent{refresh}, RevokeRefresh{RefreshRevoked: end}, []RefreshEvent{end}, nil},
		{"not another client", []RefreshEvent{refresh}, RevokeRefresh{end, "rogue"}, nil, ErrOtherClient},
		{"ending it again changes nothing", []RefreshEvent{refresh, end}, RevokeRefresh{end, "budgetly"}, nil, nil},
		{"what was never issued is nobody's to end", nil, RevokeRefresh{end, "budgetly"}, nil, ErrUnknown},
		{"but the platform may end it before it is issued", nil, RevokeRefresh{RefreshRevoked: end}, []RefreshEvent{end}, nil},
		{"and then it is not issued", []RefreshEvent{end}, IssueRefresh{refresh}, nil, ErrRevoked},
		{"nor is it ended again", []RefreshEvent{end}, RevokeRefresh{RefreshRevoked: end}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := refreshAfter(tt.given).Decide(tt.when)
			if !errors.Is(err, tt.err) || !reflect.DeepEqual(got, tt.then) {
				t.Errorf("got %v, %v; want %v, %v", got, err, tt.then, tt.err)
			}
		})
	}
}

func refreshAfter(events []RefreshEvent) (s Refresh) {
	for _, e := range events {
		s = s.Evolve(e)
	}
	return s
}

func TestCheckRefresh(t *testing.T) {
	tests := []struct {
		name   string
		given  []RefreshEvent
		token  oauth.Artefact
		client string
		late   bool
		good   bool
	}{
		{"its client may use it", []RefreshEvent{refresh}, opaque, "budgetly", false, true},
		{"not another client", []RefreshEvent{refresh}, opaque, "rogue", false, false},
		{"not with a guessed secret", []RefreshEvent{refresh}, guess, "budgetly", false, false},
		{"not at the expiry or later", []RefreshEvent{refresh}, opaque, "budgetly", true, false},
		{"not once revoked", []RefreshEvent{refresh, end}, opaque, "budgetly", false, false},
		{"not what was never issued", nil, opaque, "", false, false},
		{"not what was revoked before", []RefreshEvent{end}, opaque, "budgetly", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at := before
			if tt.late {
				at = noon
			}
			err := refreshAfter(tt.given).Check(tt.token, tt.client, at)
			if tt.good != (err == nil) || err != nil && !errors.Is(err, oauth.InvalidGrant) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Who does not hold the token cannot tell whether it was ever issued.
func TestRefusalsLookAlike(t *testing.T) {
	s := refreshAfter([]RefreshEvent{refresh, end})
	stolen, guessed := s.Check(opaque, "rogue", before), s.Check(guess, "budgetly", before)
	unknown := refreshAfter(nil).Check(guess, "budgetly", before)
	if stolen.Error() != guessed.Error() || guessed.Error() != unknown.Error() {
		t.Errorf("got %q, %q and %q", stolen, guessed, unknown)
	}
}

// Whatever is asked, in whatever order: a revoked refresh token is never
// active again, and another client changes nothing.
func FuzzRefreshHistory(f *testing.F) {
	anything := []RefreshCommand{IssueRefresh{refresh}, RevokeRefresh{end, "rogue"}, RevokeRefresh{end, "budgetly"}, RevokeRefresh{RefreshRevoked: end}}
	f.Add([]byte{2, 0, 1, 3, 0, 2})
	f.Fuzz(func(t *testing.T, script []byte) {
		var s Refresh
		for _, b := range script {
			cmd := anything[int(b)%len(anything)]
			events, err := s.Decide(cmd)
			if err != nil && len(events) > 0 {
				t.Fatal("refused and yet something happened")
			}
			if len(events) > 0 && (s.Revoked() || reflect.DeepEqual(cmd, anything[1])) {
				t.Fatalf("%T changed a token it may not", cmd)
			}
			for _, e := range events {
				s = s.Evolve(e)
			}
			if used := s.Check(opaque, "budgetly", before) == nil; used != s.Active(before) || s.Revoked() && used {
				t.Fatal("a refresh token is good if and only if it is active")
			}
		}
	})
}
