package consent_test

import (
	"testing"

	. "github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/oauth"
)

var anything = []Command{
	Lodge{lodged, before}, AuthorizeParty{agreed, before}, Authorize{yes, before}, Authorize{yes, noon},
	Reject{no}, Consume{before}, Reauthenticate{again, "alice", before}, Reauthenticate{again, "ben", before},
	Amend{changed, "alice", before}, Amend{Amended{Expires: later}, "alice", before}, Supersede{replaced}, Suspend{paused},
	Revoke{Revoked: stop}, Revoke{Revoked: stop, Subject: "ben"}, Revoke{Revoked: stop, Client: "rogue"}, NoteExpiry{noon},
}

// Whatever is asked, in whatever order: who is refused causes nothing, a
// consent that has ended permits nothing and never changes again, and a
// stranger changes nothing.
func FuzzHistory(f *testing.F) {
	f.Add([]byte{0, 1, 2, 6, 8, 11, 6, 12, 2, 15})
	f.Add([]byte{2, 5, 12, 0})
	f.Add([]byte{0, 4, 2, 12})
	f.Fuzz(func(t *testing.T, script []byte) {
		var s State
		notes := 0
		for _, b := range script {
			cmd := anything[int(b)%len(anything)]
			events, err := s.Decide(cmd)
			if err != nil && len(events) > 0 {
				t.Fatal("refused and yet something happened")
			}
			if len(events) > 0 && ended(s.Status()) {
				t.Fatalf("%T changed a consent that is %s", cmd, s.Status())
			}
			if len(events) > 0 && strange(cmd) {
				t.Fatalf("a stranger changed the consent by %T", cmd)
			}
			for _, e := range events {
				if _, ok := e.(Expired); ok {
					notes++
				}
				s = s.Evolve(e)
			}
			if s.Status() != Active && (s.Alive(before) || s.Permits(oauth.ReadBalances, "GB01", before)) {
				t.Fatalf("a consent that is %s permits access", s.Status())
			}
			if s.Permits(oauth.ReadBalances, "GB01", s.Expires()) {
				t.Fatal("an expired consent permits access")
			}
		}
		if notes > 1 {
			t.Fatal("the expiry was noted twice")
		}
	})
}

func ended(s Status) bool {
	return s == Refused || s == UsedUp || s == Replaced || s == Terminated
}

func strange(cmd Command) bool {
	switch cmd := cmd.(type) {
	case Reauthenticate:
		return cmd.Subject == "ben"
	case Revoke:
		return cmd.Subject == "ben" || cmd.Client == "rogue"
	}
	return false
}
