package backchannel_test

import (
	"testing"

	. "github.com/chirograph/chirograph/domain/backchannel"
)

// What the genuine client, customer and platform may ask, and what strangers
// may try.
var anything = []Command{
	Request{polled}, Request{pushed}, NotifyDevice{told}, show(), approve(), deny(), Deny{failed, "", before}, redeem(),
	RedeemByPush{sent, before}, Fail{gone}, NoteExpiry{noon}, Approve{yes, noon}, Redeem{spent, good, "till", noon},
}

var strangers = []Command{
	Show{seen, "ben", before}, Deny{no, "ben", before}, Approve{Approved{Subject: "ben", Shown: "hash", Expires: noon}, before},
	Redeem{spent, guess, "till", before}, Redeem{spent, good, "rogue", before},
}

// Whatever is asked, in whatever order: who is refused causes nothing, a
// request is decided at most once and ends at most once, only after a yes to
// what was shown, and a stranger changes nothing.
func FuzzHistory(f *testing.F) {
	f.Add([]byte{0, 2, 3, 4, 7, 7, 13, 16})
	f.Add([]byte{1, 3, 4, 8, 9, 8, 7, 10})
	f.Add([]byte{1, 3, 4, 9, 8, 9, 17})
	f.Add([]byte{0, 5, 4, 7, 10, 6})
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
				t.Fatalf("a stranger changed the request by %T", cmd)
			}
			for _, e := range events {
				s = s.Evolve(e)
				count[kind(e)]++
			}
			lawful(t, s, count)
		}
	})
}

func lawful(t *testing.T, s State, count map[string]int) {
	for _, once := range []string{"requested", "decided", "ended", "noted"} {
		if count[once] > 1 {
			t.Fatalf("happened twice: %v", count)
		}
	}
	if count["ended"] > 0 && s.Approved().Consent == "" {
		t.Fatalf("ended without a yes: %v", count)
	}
	if _, seen := s.Shown(s.Approved().Shown); s.Approved().Consent != "" && !seen {
		t.Fatal("approved unseen")
	}
	if s.Decided() != (count["decided"] > 0) || s.Pending(before) && s.Decided() {
		t.Fatalf("%s after %v", s.Status(), count)
	}
}

func kind(e Event) string {
	switch e.(type) {
	case Requested:
		return "requested"
	case Approved, Denied:
		return "decided"
	case Redeemed, Failed:
		return "ended"
	case Expired:
		return "noted"
	}
	return "other"
}
