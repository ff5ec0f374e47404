package authorization_test

import (
	"testing"

	. "github.com/chirograph/chirograph/domain/authorization"
)

// What the genuine client and customer may ask, and what strangers may try.
var anything = []Command{
	Push{request}, Authenticate{alice}, Authenticate{again}, Grant{yes, "laptop", before}, Deny{no, "laptop"},
	IssueCode{issued, "laptop"}, IssueCode{reissued, "laptop"}, NoteExpiry{noon}, present(),
	present(func(r *Redeem) { r.Code = newer }), present(func(r *Redeem) { r.At = noon }),
}

var strangers = []Command{
	present(func(r *Redeem) { r.Client = "rogue" }), present(func(r *Redeem) { r.JKT = "key-2" }),
	present(func(r *Redeem) { r.Verifier = "" }), present(func(r *Redeem) { r.RedirectURI = "https://rogue.example/cb" }),
	Grant{yes, "phone", before}, IssueCode{issued, "phone"},
}

// Whatever is asked, in whatever order: who is refused causes nothing, a
// request is decided at most once, a code is redeemed at most once and only
// after a yes, and a stranger changes nothing.
func FuzzHistory(f *testing.F) {
	f.Add([]byte{0, 1, 3, 5, 8, 8, 11, 12})
	f.Add([]byte{0, 1, 3, 5, 6, 8, 9, 13, 9})
	f.Add([]byte{0, 4, 3, 5, 8, 7})
	f.Fuzz(func(t *testing.T, script []byte) {
		var s State
		count := map[string]int{}
		for _, b := range script {
			i := int(b) % (len(anything) + len(strangers))
			cmd := append(anything[:len(anything):len(anything)], strangers...)[i]
			events, err := s.Decide(cmd)
			if err != nil && len(events) > 0 {
				t.Fatal("refused and yet something happened")
			}
			if i >= len(anything) && len(events) > 0 {
				t.Fatalf("a stranger changed the journey by %T", cmd)
			}
			for _, e := range events {
				s = s.Evolve(e)
				count[kind(e)]++
			}
			if count["decided"] > 1 || count["redeemed"] > 1 || count["replayed"] > 1 || count["noted"] > 1 {
				t.Fatalf("happened twice: %v", count)
			}
			if count["redeemed"] > 0 && s.Grant().Subject == "" || count["replayed"] > count["redeemed"] {
				t.Fatalf("happened without its cause: %v", count)
			}
		}
	})
}

func kind(e Event) string {
	switch e.(type) {
	case Denied, Granted:
		return "decided"
	case CodeRedeemed:
		return "redeemed"
	case CodeReplayed:
		return "replayed"
	case Expired:
		return "noted"
	}
	return "other"
}
