package oauth_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/oauth"
)

var artefact = oauth.Artefact{ID: "0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", Secret: [32]byte{0xff, 1, 2, 31: 0xfe}}

func TestArtefact(t *testing.T) {
	const text = "AZehssPUfl-KmwwdLj9KW_8BAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD-"
	if got := artefact.Text(); got != text {
		t.Errorf("got %s, want 64 characters of base64url: %s", got, text)
	}
	if got, ok := oauth.ParseArtefact(text); !ok || got != artefact {
		t.Errorf("got %#v, %v", got, ok)
	}
	guess := artefact
	guess.Secret[0]++
	if !artefact.Matches(artefact.Digest()) || guess.Matches(artefact.Digest()) || artefact.Matches("") {
		t.Error("an artefact must match its own digest and no other")
	}
	if strings.Contains(artefact.Digest(), text[24:]) || strings.Contains(fmt.Sprintf("%#v", artefact), "0xff") {
		t.Error("the secret shows")
	}
}

func TestParseArtefact(t *testing.T) {
	tests := []struct{ name, text string }{
		{"nothing", ""},
		{"too short", strings.Repeat("A", 63)},
		{"too long", strings.Repeat("A", 65)},
		{"another alphabet", strings.Repeat("+", 64)},
		{"padding", strings.Repeat("A", 63) + "="},
		{"line breaks, which base64 skips", strings.Repeat("\n", 64)},
		{"line breaks in place of characters", strings.Repeat("A", 60) + "\r\n\r\n"},
		{"a line break at the end", artefact.Text() + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if a, ok := oauth.ParseArtefact(tt.text); ok {
				t.Errorf("read %#v", a)
			}
		})
	}
}

// Ids are made by the platform: one that is no UUID is its own fault.
func TestArtefactNeedsUUID(t *testing.T) {
	for _, id := range []string{"", "alice", strings.Repeat("x", 36)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("wrote an artefact for %q", id)
				}
			}()
			_ = oauth.Artefact{ID: id}.Text()
		}()
	}
}

// What is read is written the same, so no artefact has two spellings.
func FuzzParseArtefact(f *testing.F) {
	f.Add(artefact.Text())
	f.Add(strings.Repeat("\n", 64))
	f.Add(strings.Repeat("A", 62) + "\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		if a, ok := oauth.ParseArtefact(s); ok && a.Text() != s {
			t.Fatalf("%q is read as %q", s, a)
		}
	})
}
