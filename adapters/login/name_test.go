package login

import (
	"errors"
	"strings"
	"testing"
)

func TestFoldName(t *testing.T) {
	tests := []struct {
		name, in, out string
		err           error
	}{
		{"a name stays", "alice", "alice", nil},
		{"case does not count", "ALICE@Example.COM", "alice@example.com", nil},
		{"nor full case folding", "STRASSE", "strasse", nil},
		{"which makes sharp s two", "straße", "strasse", nil},
		{"nor width", "ａｌｉｃｅ", "alice", nil},
		{"nor composition", "Zoe\u0308", "zoë", nil},
		{"nor space around it", "  alice\t", "alice", nil},
		{"spaces within are kept", "alice smith", "alice smith", nil},
		{"not an empty name", "", "", ErrBadName},
		{"not only space", " \t ", "", ErrBadName},
		{"not control characters", "ali\x00ce", "", ErrBadName},
		{"not marks that turn text round", "alice\u202egro", "", ErrBadName},
		{"not invisible characters", "ali\u200bce", "", ErrBadName},
		{"not invalid text", "ali\xffce", "", ErrBadName},
		{"254 characters at most", strings.Repeat("é", 254), strings.Repeat("é", 254), nil},
		{"not more", strings.Repeat("a", 255), "", ErrBadName},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := foldName(tt.in)
			if got != tt.out || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, tt.out, tt.err)
			}
		})
	}
}

func FuzzFoldName(f *testing.F) {
	for _, seed := range []string{"alice", "STRASSE", "ａ", "e\u0301", "ῼ", "\u0345"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		folded, err := foldName(name)
		if (folded == "") == (err == nil) {
			t.Fatalf("%q: a name or an error, not both", name)
		}
		if again, err := foldName(folded); err == nil && again != folded {
			t.Fatalf("%q folds to %q, and that to %q", name, folded, again)
		}
	})
}

func TestNetwork(t *testing.T) {
	tests := []struct{ name, in, out string }{
		{"an IPv4 address stands for itself", "192.0.2.7", "192.0.2.7"},
		{"also when it is written as IPv6", "::ffff:192.0.2.7", "192.0.2.7"},
		{"an IPv6 address stands for its network", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"a zone does not count", "fe80::1%eth0", "fe80::/64"},
		{"what is no address stands for itself", "unix", "unix"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := network(tt.in); got != tt.out {
				t.Errorf("got %s, want %s", got, tt.out)
			}
		})
	}
}
