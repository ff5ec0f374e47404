package jose

import (
	"strings"
	"testing"
)

func TestSameURI(t *testing.T) {
	tests := []struct {
		name string
		a, b string
		want bool
	}{
		{"equal strings are the same", "https://bank.example/token", "https://bank.example/token", true},
		{"scheme and host ignore case", "HTTPS://Bank.Example/token", "https://bank.example/token", true},
		{"the default port may be written", "https://bank.example:443/token", "https://bank.example/token", true},
		{"or left empty", "https://bank.example:/token", "https://bank.example/token", true},
		{"an empty path is the root", "https://bank.example", "https://bank.example/", true},
		{"query and fragment are ignored", "https://bank.example/a?b=c#d", "https://bank.example/a", true},
		{"dot segments are removed", "https://bank.example/a/./b/../c", "https://bank.example/a/c", true},
		{"also at the end", "https://bank.example/a/b/..", "https://bank.example/a/", true},
		{"unreserved characters need no escape", "https://bank.example/%7Ealice/%61", "https://bank.example/~alice/a", true},
		{"nothing is above the root", "https://bank.example/../../a", "https://bank.example/a", true},
		{"digits of escapes ignore case", "https://bank.example/%4a%4A%5A%30%39%2d%c3%aa", "https://bank.example/JJZ09-%C3%AA", true},
		{"escapes ignore case", "https://bank.example/a%2fb", "https://bank.example/a%2Fb", true},
		{"an address in brackets is a host", "https://[::1]:443/a", "https://[::1]/a", true},

		{"another host is not the same", "https://bank.example/a", "https://bank.example.org/a", false},
		{"another port is not the same", "https://bank.example:8443/a", "https://bank.example/a", false},
		{"another scheme is not the same", "http://bank.example/a", "https://bank.example/a", false},
		{"the port of the other scheme is not its default", "https://bank.example:80/a", "https://bank.example/a", false},
		{"paths keep their case", "https://bank.example/A", "https://bank.example/a", false},
		{"an escaped slash is not a slash", "https://bank.example/a%2Fb", "https://bank.example/a/b", false},
		{"a trailing slash counts", "https://bank.example/a/", "https://bank.example/a", false},
		{"user information is refused", "https://u@bank.example/a", "https://u@bank.example/a", false},
		{"more than 2 KiB are refused", "https://bank.example/" + strings.Repeat("a", 2<<10), "https://bank.example/" + strings.Repeat("a", 2<<10), false},
		{"a relative reference is refused", "/token", "/token", false},
		{"an opaque URI is refused", "https:bank.example", "https:bank.example", false},
		{"other schemes are refused", "ftp://bank.example/a", "ftp://bank.example/a", false},
		{"a broken escape is refused", "https://bank.example/%zz", "https://bank.example/%zz", false},
		{"nothing is not the same as nothing", "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if SameURI(tt.a, tt.b) != tt.want || SameURI(tt.b, tt.a) != tt.want {
				t.Errorf("%q and %q: want %v", tt.a, tt.b, tt.want)
			}
		})
	}
}

func FuzzSameURI(f *testing.F) {
	f.Add("https://bank.example/a/../%7e?x#y")
	f.Add("https://[::1]:443/%2f/.")
	f.Fuzz(func(t *testing.T, s string) {
		normal, ok := normalURI(s)
		if !ok {
			return
		}
		if again, ok := normalURI(normal); !ok || again != normal {
			t.Errorf("%q normalizes to %q, then to %q", s, normal, again)
		}
	})
}
